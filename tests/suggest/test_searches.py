"""What is special about each algorithm."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pytest

from sparktuner import anneal, atpe, grid, mix, qmc, rand, tpe
from sparktuner.errors import BadSearchSpace
from sparktuner.records import History
from sparktuner.space import Numeric, Parameter, RandInt
from sparktuner.status import JOB_STATE_CANCEL
from sparktuner.suggest._ranked import RankedTrials
from tests.suggest.searches import (
    Search,
    any_loss,
    choice,
    conditional,
    finite,
    parameter,
    values,
)


def distinct(search: Search) -> int:
    return len({json.dumps(values(document)) for document in search.documents})


def test_a_grid_ends_when_it_is_exhausted() -> None:
    search = Search(finite())
    assert len(search.ask(grid.suggest, 8)) == 8
    assert len(search.ask(grid.suggest, 8, seed=1)) == 4
    assert search.ask(grid.suggest, 1, seed=2) == []
    assert distinct(search) == 12


def test_a_grid_gives_continuous_parameters_as_many_values_as_asked() -> None:
    space = {"x": parameter("x", "loguniform"), "m": choice("m", [1, parameter("y", "normal")])}
    search = Search(space)
    search.ask(partial(grid.suggest, resolution=4), 1000)
    assert len(search.documents) == 4 * (1 + 4)
    # Values come back from documents a little changed by logarithms; none is offered again.
    assert search.ask(partial(grid.suggest, resolution=4), 1, seed=5) == []


def test_a_grid_that_is_too_large_says_what_to_do() -> None:
    space = [parameter(f"x{i}", "uniform") for i in range(12)]
    with pytest.raises(BadSearchSpace, match="lower resolution=5"):
        Search(space).ask(grid.suggest, 1)


def test_a_grid_of_too_many_integers_says_the_same() -> None:
    search = Search(Parameter("seed", RandInt(0, 2**31)))
    with pytest.raises(BadSearchSpace, match="more than 1,000,000 points"):
        search.ask(grid.suggest, 1)


@pytest.mark.parametrize("width", [1e-12, 1e300])
def test_a_grid_ends_whatever_its_scale(width: float) -> None:
    search = Search(Parameter("x", Numeric("uniform", 0.0, width)))
    search.run(grid.suggest, 10, lambda v: v["x"] / width)
    assert len(search.documents) == distinct(search) == 5


@pytest.mark.parametrize(("algorithm", "far", "near"), [(atpe, 5, 0.1), (tpe, 4, 0.5),
                                                       (anneal, 3, 0.5)])  # fmt: skip
def test_a_minimum_may_lie_far_from_the_mean_of_a_prior(
    algorithm: Any, far: float, near: float
) -> None:
    search = Search({k: Parameter(k, Numeric("normal", 0.0, 1.0)) for k in "ab"})
    search.run(algorithm.suggest, 80, lambda v: float((v["a"] - far) ** 2 + (v["b"] + 2) ** 2))
    assert min(abs(values(d)["a"] - far) for d in search.documents) < near


@pytest.mark.parametrize("algorithm", [tpe, atpe], ids=["tpe", "atpe"])
def test_a_step_wider_than_its_prior_hides_no_value(algorithm: Any) -> None:
    search = Search(Parameter("x", Numeric("normal", 4.0, 1.0, q=10.0)))
    search.run(algorithm.suggest, 40, lambda v: abs(v["x"] - 10.0))
    assert sum(values(document)["x"] == 10 for document in search.documents) > 2


def test_the_seed_shuffles_a_grid() -> None:
    orders = [[values(d) for d in Search(finite()).ask(grid.suggest, 12, seed=s)] for s in (1, 2)]
    assert orders[0] != orders[1]


@pytest.mark.parametrize("sequence", ["sobol", "halton"])
def test_a_sequence_is_the_same_in_one_batch_and_one_by_one(sequence: Any) -> None:
    suggest = partial(qmc.suggest, sequence=sequence)
    batch, single = Search(conditional()), Search(conditional())
    batch.ask(suggest, 16)
    for seed in range(16):
        single.ask(suggest, 1, seed=seed)
    assert [values(d) for d in batch.documents] == [values(d) for d in single.documents]


def test_sobol_points_fill_every_stratum() -> None:
    search = Search(parameter("x", "uniform"))
    x = np.array([values(d)["x"] for d in search.ask(qmc.suggest, 64)])
    assert sorted(np.floor((x + 2) / 5 * 64)) == list(range(64))


def test_an_unknown_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="sobol"):
        Search(finite()).ask(partial(qmc.suggest, sequence="hammersley"), 1)  # type: ignore[arg-type]


def test_a_mixture_draws_algorithms_with_their_probabilities() -> None:
    search = Search(finite())
    calls: list[str] = []

    def named(name: str) -> Any:
        def suggest(*args: Any) -> Any:
            calls.append(name)
            return rand.suggest(*args)

        return suggest

    p = [(0.25, named("a")), (0.75, named("b"))]
    for seed in range(2000):
        search.ask(partial(mix.suggest, p_suggest=p), 0, seed=seed)
    # Five standard deviations: false alarm below 1e-6.
    assert abs(calls.count("a") - 500) < 97


@pytest.mark.parametrize("p", [[0.5, 0.6], [1.5, -0.5], []])
def test_a_mixture_needs_probabilities(p: list[float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        mix.suggest([0], None, None, 0, p_suggest=[(x, rand.suggest) for x in p])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prior_weight": 0}, "prior_weight"),
        ({"n_EI_candidates": 0}, "n_EI_candidates"),
        ({"gamma": -1.0}, "gamma"),
        ({"n_startup_jobs": -1}, "n_startup_jobs"),
    ],
)
def test_tpe_names_the_option_that_is_wrong(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Search(finite()).ask(partial(tpe.suggest, **options), 1)


@pytest.mark.parametrize("option", ["avg_best_idx", "shrink_coef"])
def test_anneal_names_the_option_that_is_wrong(option: str) -> None:
    with pytest.raises(ValueError, match=option):
        Search(finite()).ask(partial(anneal.suggest, **{option: -1.0}), 1)


@pytest.mark.parametrize("algorithm", [tpe, atpe, anneal], ids=["tpe", "atpe", "anneal"])
def test_a_search_comes_near_the_minimum_of_a_bowl(algorithm: Any) -> None:
    space = {"x": Parameter("x", Numeric("uniform", -10, 10)), "y": parameter("y", "normal")}
    search = Search(space)
    search.run(algorithm.suggest, 60, lambda v: (v["x"] - 3) ** 2 + v["y"] ** 2)
    losses = [document["result"]["loss"] for document in search.documents]
    # Of 60 random draws, the best one is below this in fewer than 3 of 10 cases.
    assert min(losses) < 0.15


def is_random(algorithm: Any, finished: int, pending: int) -> bool:
    """Whether what is drawn next depends on the seed alone."""
    search = Search(parameter("x", "uniform"))
    suggest = partial(algorithm.suggest, n_startup_jobs=10)
    for document in search.ask(suggest, finished):
        search.tell(document, any_loss(values(document)))
    search.ask(suggest, pending, seed=1)
    other = Search(parameter("x", "uniform"))
    return values(search.ask(suggest, 1, 7)[0]) == values(other.ask(suggest, 1, 7)[0])


def test_start_up_of_tpe_counts_finished_trials_only() -> None:
    assert is_random(tpe, finished=9, pending=30)
    assert not is_random(tpe, finished=10, pending=0)


@pytest.mark.parametrize(("finished", "pending", "expected"), [
    (9, 0, True), (10, 0, False), (3, 30, True), (4, 5, True), (4, 6, False),
])  # fmt: skip
def test_start_up_of_atpe_counts_pending_trials_once_a_few_have_finished(
    finished: int, pending: int, expected: bool
) -> None:
    assert is_random(atpe, finished, pending) == expected


@pytest.mark.parametrize("algorithm", [tpe, atpe], ids=["tpe", "atpe"])
def test_pending_trials_keep_others_away(algorithm: Any) -> None:
    search = Search(parameter("x", "uniform"))
    search.run(algorithm.suggest, 15, lambda v: float((v["x"] - 1) ** 2))
    first = values(search.ask(algorithm.suggest, 1, seed=3)[0])["x"]
    others = [values(d)["x"] for d in search.ask(algorithm.suggest, 8, seed=3)]
    assert len({first, *others}) == 9


def test_the_trials_looked_at_do_not_depend_on_the_order_of_equal_results() -> None:
    tids = np.arange(1000)
    losses = np.where(tids < 100, 0.0, 1.0)
    values = np.zeros((1000, 1))

    def best(order: np.ndarray) -> list[int]:
        history = History(tids[order], losses[order], values, values[:0])
        return [int(i) for i in history.tids[RankedTrials.of(history).best]]

    shuffled = np.random.default_rng(0).permutation(1000)
    assert best(tids) == best(shuffled) == list(range(512))


def test_suggest_batch_of_anneal_takes_any_number_of_ids() -> None:
    search = Search(conditional())
    search.run(anneal.suggest, 10, any_loss)
    idxs, vals = anneal.suggest_batch([20, 21, 22], search.domain, search, 0)
    assert idxs["always"] == [20, 21, 22]
    assert len(vals["always"]) == 3


@pytest.mark.parametrize("sequence", ["sobol", "halton"])
def test_a_low_discrepancy_point_is_taken_once_whichever_trial_is_cancelled(sequence: str) -> None:
    search = Search(parameter("x", "uniform"))
    suggest: Any = partial(qmc.suggest, sequence=sequence)
    first = search.ask(suggest, 6)
    first[2].update(state=JOB_STATE_CANCEL)
    search.tell(first[4], 0.5)
    search.ask(suggest, 3)
    search.documents[7].update(state=JOB_STATE_CANCEL)
    search.ask(suggest, 1)
    tried = [values(document)["x"] for document in search.documents]
    assert len(set(tried)) == 10
    # One call for all ids, in any order, gives the same points as one call for each.
    ids = [3, 0, 9, 1]
    again = suggest(ids, search.domain, search, 0)
    assert [values(document)["x"] for document in again] == [tried[i] for i in ids]
