"""Searches to draw: ordinary ones and odd ones, made without running anything for long."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from sparktuner import Trials, fmin, hp, tpe
from sparktuner.records import MemoryStore, describe_space, new_document
from sparktuner.space import flatten
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
)

SPACE = {
    "lr": hp.loguniform("lr", np.log(1e-4), np.log(1e-1)),
    "model": hp.choice(
        "model",
        [
            {
                "kind": "svm",
                "C": hp.lognormal("C", 0, 1),
                "kernel": hp.choice("kernel", ["rbf", "poly"]),
            },
            {"kind": "forest", "depth": hp.randint("depth", 2, 9)},
        ],
    ),
    "seed": hp.uniform("seed", 0, 1),
}
START = datetime(2026, 1, 1)


def objective(params: Any) -> float:
    loss = (np.log10(params["lr"]) + 2.5) ** 2
    model = params["model"]
    if model["kind"] == "svm":
        return float(loss + 0.3 * np.log(model["C"]) ** 2 + (model["kernel"] == "poly"))
    return float(loss + 0.5 + 0.2 * abs(model["depth"] - 5))


def searched(n: int = 60, **arguments: Any) -> Trials:
    """Trials of a real search in this process."""
    trials = Trials()
    fmin(
        objective,
        SPACE,
        max_evals=n,
        trials=trials,
        rstate=0,
        verbose=False,
        **{"algo": tpe.suggest, **arguments},
    )
    return trials


def made(
    n: int,
    space: object = SPACE,
    loss: Callable[[int, Any], object] = lambda i, u: float(i % 7),
    state: Callable[[int], int] = lambda i: JOB_STATE_DONE,
    slots: int = 4,
) -> Trials:
    """Trials whose documents are written by hand, ten seconds each, on two hosts."""
    flat = flatten(space)
    configurations = flat.decode(flat.sample(np.random.default_rng(0), n))
    record = describe_space(flat)
    store = MemoryStore()
    store.attachments[f"SPACE::{record.digest}"] = record.dumps()
    trials = Trials(store=store)
    documents = []
    for i, configuration in enumerate(configurations):
        document = new_document(i, configuration, flat.labels)
        document["state"] = state(i)
        document["misc"]["space"] = record.digest
        begun = START + timedelta(seconds=10.0 * (i // slots) + i % slots)
        if document["state"] != JOB_STATE_NEW:
            document["book_time"] = begun
        if document["state"] == JOB_STATE_DONE:
            document["result"] = {"status": "ok", "loss": loss(i, configuration)}
        if document["state"] in (JOB_STATE_DONE, JOB_STATE_ERROR):
            document["misc"]["execution"] = {
                "host": f"worker-{i % 2}",
                "started": begun,
                "duration": 7.0 + i % 3,
                "attempt": 0,
            }
        document["refresh_time"] = begun + timedelta(seconds=9)
        documents.append(document)
    trials.insert_trial_docs(documents)
    trials.refresh()
    return trials


def mixed(n: int = 80) -> Trials:
    """Some that failed, were cancelled, run and wait; one attempt that was tried again."""
    states = {3: JOB_STATE_ERROR, 7: JOB_STATE_CANCEL, 20: JOB_STATE_ERROR}
    states |= {n - 2: JOB_STATE_RUNNING, n - 1: JOB_STATE_NEW}
    rng = np.random.default_rng(1)
    trials = made(
        n,
        loss=lambda i, u: float(rng.gamma(2) + 5 * 0.97**i),
        state=lambda i: states.get(i, JOB_STATE_DONE),
    )
    for i in (12, 33):
        trials.all_trials[i]["misc"]["execution"] |= {
            "attempt": 1,
            "earlier": [{"host": "worker-1", "duration": 4.0, "reason": "died"}],
        }
    return trials


def without_space(n: int = 30, of: Sequence[str] = ("a", "b", "never")) -> Trials:
    """Documents of some other program: nobody knows their space."""
    trials = Trials()
    rng = np.random.default_rng(2)
    documents = []
    for i in range(n):
        values = {"a": rng.random(), "b": i % 3}
        document = new_document(i, {k: v for k, v in values.items() if k in of}, of)
        document["state"] = JOB_STATE_DONE
        document["result"] = {"status": "ok", "loss": rng.random()}
        documents.append(document)
    trials.insert_trial_docs(documents)
    trials.refresh()
    return trials


def foreign() -> Trials:
    """Documents of some other program whose values are of all kinds."""
    odd: list[Any] = [
        "text",
        3.5,
        None,
        True,
        float("nan"),
        float("inf"),
        10**400,
        -1.7e308,
        1.7e308,
    ]
    trials = Trials()
    documents = []
    for i in range(36):
        values = {"odd": odd[i % len(odd)], "wide": odd[7 + i % 2], f"some {i % 3}": i}
        document = new_document(f"id {i}", values)  # type: ignore[arg-type]
        document["state"] = JOB_STATE_DONE
        document["result"] = {"status": "ok", "loss": np.float32(i)}
        documents.append(document)
    trials.insert_trial_docs(documents)
    trials.refresh()
    return trials


LONG = "an/exceedingly:long label, with $math$ and <script> and \n more of it " * 3
ODD_LOSSES = (float("nan"), float("inf"), -float("inf"), None, "text", 1e300, -1e300, 0.0, 5)

HISTORIES: Mapping[str, Callable[[], Trials]] = MappingProxyType(
    {
        "none": Trials,
        "one": lambda: made(1),
        "two equal": lambda: made(2, loss=lambda i, u: 1.0),
        "mixed": mixed,
        "all failed": lambda: made(12, state=lambda i: JOB_STATE_ERROR),
        "all running": lambda: made(5, state=lambda i: JOB_STATE_RUNNING),
        "all waiting": lambda: made(5, state=lambda i: JOB_STATE_NEW),
        "odd losses": lambda: made(27, loss=lambda i, u: ODD_LOSSES[i % len(ODD_LOSSES)]),
        "constant": lambda: made(40, loss=lambda i, u: 1.0),
        "long labels": lambda: made(
            40, {"x": hp.uniform(LONG, 0, 1), "c": hp.choice(f"c{LONG}", [LONG, f"{LONG}b", 3])}
        ),
        "one option": lambda: made(30, {"c": hp.choice("c", ["only"]), "n": hp.randint("n", 1)}),
        "many options": lambda: made(100, {"c": hp.choice("c", list(range(60)))}),
        "large integers": lambda: made(30, {"n": hp.randint("n", 2**60, 2**60 + 9)}),
        "zero on a logarithm": lambda: made(40, {"q": hp.qloguniform("q", -3, 3, 1)}),
        "the largest floats": lambda: made(
            30, loss=lambda i, u: 1.7e308 * (-1) ** i, space={"x": hp.normal("x", 0, 1)}
        ),
        "without parameters": lambda: without_space(of=()),
        "ninety parameters": lambda: made(
            20, {f"x{i}": hp.uniform(f"x{i}", 0, 1) for i in range(90)}
        ),
        "without its space": without_space,
        "values of other programs": foreign,
    }
)


@functools.cache
def many() -> Trials:
    """10,000 trials, made once; only to be looked at."""
    rng = np.random.default_rng(3)
    losses = rng.gamma(2, size=10_000) + 1
    return made(10_000, loss=lambda i, u: float(losses[i]), slots=32)
