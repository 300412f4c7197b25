"""Names of Hyperopt's, used as the libraries and scripts do that build on it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp, rand, space_eval, tpe

# --- scripts that read list(best.values())[i]


@pytest.mark.parametrize("algo", [rand.suggest, tpe.suggest, None])
def test_labels_and_keys_come_in_alphabetical_order(algo: Any) -> None:
    space = {
        "q": hp.uniform("q", 0, 1),
        "B": hp.uniform("B", 0, 1),
        "a": hp.choice("a", [{"z": 1, "c": 2}, {"z": hp.uniform("A1", 0, 1), "c": 3}]),
    }
    received: list[dict[str, Any]] = []
    trials = Trials()
    best = fmin(
        lambda p: received.append(p) or p["q"],  # type: ignore[func-returns-value]
        space,
        algo=algo,
        max_evals=6,
        trials=trials,
        rstate=0,
        verbose=False,
    )
    assert list(best) == sorted(best)
    assert list(trials.argmin) == sorted(best)
    for columns in (trials.vals, trials.idxs, trials.trials[0]["misc"]["vals"]):
        assert list(columns) == ["A1", "B", "a", "q"]
    for configuration in (*received, trials.best_params, space_eval(space, best)):
        assert list(configuration) == ["B", "a", "q"]
        assert list(configuration["a"]) == ["c", "z"]


def test_only_keys_that_have_an_order_are_put_in_it() -> None:
    assert list(space_eval(OrderedDict(b=1, a=2), {})) == ["a", "b"]
    assert list(space_eval({3: 1, 1: 2}, {})) == [1, 3]
    assert list(space_eval({3: 1, "a": 2}, {})) == [3, "a"]


def test_columns_of_documents_made_elsewhere_are_put_in_order() -> None:
    point = {"q": 0.5, "b": 0.25}
    trials = Trials()
    space = {"b": hp.uniform("b", 0, 1), "q": hp.uniform("q", 0, 1)}
    best = fmin(
        lambda p: 0.0, space, max_evals=1, points_to_evaluate=[point], trials=trials, verbose=False
    )
    trials.trials[0]["misc"]["vals"] = {"q": [0.5], "b": [0.25]}
    assert list(best) == list(trials.argmin) == list(trials.vals) == ["b", "q"]
