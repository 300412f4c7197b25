"""Where trials fail, other ones are made elsewhere."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from sparktuner import atpe, tpe
from sparktuner.space import Numeric, Parameter
from sparktuner.suggest._feasibility import Feasibility
from tests.suggest.searches import Search, choice, values

MODELS = [tpe.suggest, atpe.suggest]
BRANCHES = {"m": choice("m", [Parameter(k, Numeric("uniform", 0, 1)) for k in "abc"])}
SQUARE = {k: Parameter(k, Numeric("uniform", 0, 1)) for k in "xy"}


def run(space: Any, suggest: Any, loss: Any, n: int = 60) -> list[dict[str, Any]]:
    search = Search(space)
    search.run(suggest, n, loss)
    return [values(document) for document in search.documents]


@pytest.mark.parametrize("suggest", MODELS, ids=["tpe", "atpe"])
def test_a_branch_that_always_fails_is_left(suggest: Any) -> None:
    tried = run(BRANCHES, suggest, lambda v: None if v["m"] == 2 else v.get("a", 1.0))
    assert sum(v["m"] == 2 for v in tried[:20]) > 1
    assert sum(v["m"] == 2 for v in tried[30:]) <= 3


@pytest.mark.parametrize("suggest", MODELS, ids=["tpe", "atpe"])
def test_a_cliff_beside_the_minimum_costs_few_trials(suggest: Any) -> None:
    def loss(v: dict[str, Any]) -> float | None:
        return None if v["x"] > 0.7 else -v["x"] + (v["y"] - 0.4) ** 2

    tried = run(SQUARE, suggest, loss)
    assert np.mean([v["x"] > 0.7 for v in tried[30:]]) < 0.5
    assert min(x for v in tried if (x := loss(v)) is not None) < -0.6


@pytest.mark.parametrize("suggest", MODELS, ids=["tpe", "atpe"])
def test_trials_that_fail_by_chance_spoil_no_region(suggest: Any) -> None:
    chance = np.random.default_rng(1)

    def loss(v: dict[str, Any]) -> float | None:
        return None if chance.random() < 0.2 else (v["x"] - 0.3) ** 2 + (v["y"] - 0.4) ** 2

    tried = run(SQUARE, suggest, loss)
    near = [abs(v["x"] - 0.3) + abs(v["y"] - 0.4) < 0.3 for v in tried[30:]]
    assert np.mean(near) > 0.5


@pytest.mark.parametrize("suggest", MODELS, ids=["tpe", "atpe"])
def test_failures_count_as_start_up_once_there_is_a_loss_to_learn_from(suggest: Any) -> None:
    def next_x(loss: Any, suggest: Any) -> float:
        search = Search(Parameter("x", Numeric("uniform", 0, 1)))
        search.run(suggest, 12, loss)
        return float(values(search.ask(suggest, 1, seed=5)[0])["x"])

    random = partial(suggest, n_startup_jobs=1000)
    assert next_x(lambda v: None, suggest) == next_x(lambda v: None, random)
    few = iter([1.0, 2.0, 3.0, 4.0])
    assert next_x(lambda v: next(few, None), suggest) != next_x(lambda v: None, random)


def test_failures_that_outnumber_the_rest_by_chance_are_not_predictable() -> None:
    rng = np.random.default_rng(0)
    feasibility = Feasibility.of(
        rng.random((15, 2)), rng.random((35, 2)), np.array([0, 1]), 0.35, 10
    )
    assert not feasibility.is_predictive


def test_only_failures_among_failures_are_predictable() -> None:
    x = np.linspace(0, 1, 21)[:, None]
    by_chance = np.array([[0.21]])
    regular = np.linspace(0.72, 1, 8)[:, None]
    failed = np.concatenate([by_chance, regular])
    feasibility = Feasibility.of(
        x[x[:, 0] < 0.7], failed, np.array([0]), length_scale=0.35, fit_evaluations=10
    )
    assert feasibility.is_predictive
    predictable = feasibility.predictable_failures()
    assert by_chance[0, 0] not in predictable
    assert len(predictable) >= 6
    inside, outside = np.exp(feasibility.log_probability(np.array([[0.4], [0.95]])))
    assert inside > 0.8
    assert outside < 0.2
