"""Search spaces, and a stand-in for a trials object, for tests of algorithms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import History, HistoryLog, TrialDocument
from sparktuner.space import (
    Categorical,
    Distribution,
    FlatSpace,
    Numeric,
    Parameter,
    RandInt,
    Switch,
    as_node,
)
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR, STATUS_OK

DISTRIBUTIONS: dict[str, Distribution] = {
    "choice": Categorical((1 / 3, 1 / 3, 1 / 3)),
    "pchoice": Categorical((0.1, 0.0, 0.9)),
    "randint": RandInt(0, 10),
    "randint_low": RandInt(-3, 4),
    "uniform": Numeric("uniform", -2.0, 3.0),
    "quniform": Numeric("uniform", -1.0, 7.3, q=0.5),
    "uniformint": Numeric("uniform", 1.0, 30.0, q=1.0, integer=True),
    "loguniform": Numeric("uniform", math.log(1e-4), 0.0, log=True),
    "qloguniform": Numeric("uniform", 0.0, math.log(300), log=True, q=2.0),
    "normal": Numeric("normal", 1.0, 2.0),
    "qnormal": Numeric("normal", 0.0, 5.0, q=1.0),
    "lognormal": Numeric("normal", 0.0, 1.0, log=True),
    "qlognormal": Numeric("normal", 1.0, 1.0, log=True, q=1.0),
}


def parameter(label: str, name: str) -> Parameter:
    return Parameter(label, DISTRIBUTIONS[name])


def choice(label: str, options: Sequence[Any]) -> Switch:
    index = Parameter(label, Categorical.uniform(len(options)))
    return Switch(index, tuple(as_node(option) for option in options))


def everything() -> dict[str, Any]:
    return {name: parameter(name, name) for name in DISTRIBUTIONS}


def conditional() -> dict[str, Any]:
    """Three levels of choices."""
    deepest = choice("k", [{"a": parameter("a", "uniform")}, {"b": parameter("b", "randint")}])
    return {
        "always": parameter("always", "loguniform"),
        "model": choice(
            "model",
            [
                {"c": parameter("c", "normal"), "q": parameter("q", "quniform")},
                {"kernel": deepest, "d": parameter("d", "qlognormal")},
                "nothing",
            ],
        ),
    }


def finite() -> dict[str, Any]:
    """12 configurations: 3 * (1 + 3)."""
    return {
        "n": Parameter("n", RandInt(0, 3)),
        "m": choice("m", ["x", {"s": choice("s", ["p", "q", "r"])}]),
    }


class Search:
    """As much of a trials object as an algorithm may ask for."""

    exp_key = "key"

    def __init__(self, space: object) -> None:
        self.domain = Domain(lambda x: 0.0, space)
        self.documents: list[TrialDocument] = []
        self._logs: dict[int, HistoryLog] = {}

    def history(self, space: FlatSpace) -> History:
        return self._logs.setdefault(id(space), HistoryLog(space)).update(self.documents)

    def ask(
        self, suggest: Callable[..., list[TrialDocument]], n: int = 1, seed: int = 0
    ) -> list[TrialDocument]:
        start = len(self.documents)
        documents = suggest(list(range(start, start + n)), self.domain, self, seed)
        self.documents += documents
        return documents

    def tell(self, document: TrialDocument, loss: float | None) -> None:
        if loss is None:
            document.update(state=JOB_STATE_ERROR)
        else:
            document.update(state=JOB_STATE_DONE, result={"status": STATUS_OK, "loss": loss})

    def run(
        self,
        suggest: Callable[..., list[TrialDocument]],
        n: int,
        loss: Callable[..., float | None],
    ) -> None:
        for i in range(n):
            for document in self.ask(suggest, 1, seed=i):
                self.tell(document, loss(values(document)))


def values(document: TrialDocument) -> dict[str, Any]:
    return {label: entry[0] for label, entry in document["misc"]["vals"].items() if entry}


def any_loss(configuration: dict[str, Any]) -> float:
    """Some smooth loss for any space."""
    return float(sum(math.sin(i + np.tanh(v)) for i, v in enumerate(configuration.values())))
