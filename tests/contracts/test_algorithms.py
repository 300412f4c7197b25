"""What every algorithm promises, on every distribution and kind of space."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from sparktuner import anneal, atpe, grid, mix, qmc, rand, tpe
from sparktuner.records import TrialDocument
from sparktuner.space import (
    Categorical,
    Numeric,
    Parameter,
    RandInt,
    Switch,
    as_node,
    evaluate,
)
from tests.suggest.searches import (
    DISTRIBUTIONS,
    Search,
    any_loss,
    choice,
    conditional,
    everything,
    finite,
    parameter,
    values,
)

Suggest = Callable[..., list[TrialDocument]]

ALGORITHMS: dict[str, Suggest] = {
    "rand": rand.suggest,
    "tpe": partial(tpe.suggest, n_startup_jobs=5),
    "atpe": partial(atpe.suggest, n_startup_jobs=5),
    "anneal": anneal.suggest,
    "qmc": qmc.suggest,
    "halton": partial(qmc.suggest, sequence="halton"),
    "grid": partial(grid.suggest, resolution=2),
    "mix": partial(mix.suggest, p_suggest=[(0.3, rand.suggest), (0.7, tpe.suggest)]),
}
# What their seed decides: nothing for a sequence that must go on where it was.
SEEDED = [name for name in ALGORITHMS if name not in ("qmc", "halton")]
# Those that never repeat a configuration of a finite space.
DISTINCT = [name for name in ALGORITHMS if name not in ("rand", "mix", "qmc", "halton")]
SPACES = {"everything": everything, "conditional": conditional, "finite": finite}


@pytest.fixture(params=ALGORITHMS)
def suggest(request: pytest.FixtureRequest) -> Suggest:
    return ALGORITHMS[request.param]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_every_distribution_gives_values_of_its_support(suggest: Suggest, name: str) -> None:
    search = Search(parameter("x", name))
    search.run(suggest, 9, any_loss)
    distribution = DISTRIBUTIONS[name]
    for document in search.documents:
        value = values(document)["x"]
        assert type(value) in (int, float)
        assert np.isfinite(value)
        assert np.isfinite(distribution.log_density(np.array([value], dtype=float)))[0]


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_documents_hold_json_values_of_exactly_the_active_labels(
    suggest: Suggest, space: Callable[[], Any]
) -> None:
    search = Search(space())
    search.run(suggest, 12, any_loss)
    for tid, document in enumerate(search.documents):
        vals, idxs = document["misc"]["vals"], document["misc"]["idxs"]
        assert json.loads(json.dumps(vals)) == vals
        assert list(vals) == sorted(search.domain.space.labels)
        assert idxs == {label: [tid] * len(entry) for label, entry in vals.items()}
        row = search.domain.space.encode([values(document)])
        active = search.domain.space.decode(row)[0]
        # A logarithm and its exponential may differ in the last bit.
        assert active == pytest.approx(values(document), rel=1e-12)
        evaluate(search.domain.expr, values(document))


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_equal_seeds_give_equal_suggestions(suggest: Suggest, space: Callable[[], Any]) -> None:
    searches = [Search(space()) for _ in range(2)]
    for search in searches:
        search.run(suggest, 10, any_loss)
    first, second = ([values(d) for d in search.documents] for search in searches)
    assert first == second


@pytest.mark.parametrize("name", SEEDED)
def test_other_seeds_give_other_suggestions(name: str) -> None:
    suggest = ALGORITHMS[name]
    search = Search(everything())
    search.run(suggest, 10, any_loss)
    first, second = (suggest([10], search.domain, search, seed)[0] for seed in (1, 2))
    assert values(first) != values(second)


def test_each_of_many_ids_gets_a_configuration_of_its_own(suggest: Suggest) -> None:
    search = Search(conditional())
    search.run(suggest, 8, any_loss)
    documents = search.ask(suggest, 6, seed=5)
    assert [document["tid"] for document in documents] == list(range(8, 14))
    assert len({json.dumps(values(document)) for document in documents}) == 6


def test_no_ids_give_no_documents(suggest: Suggest) -> None:
    assert Search(finite()).ask(suggest, 0) == []


@pytest.mark.parametrize("name", DISTINCT)
def test_a_finite_space_is_done_before_anything_repeats(name: str) -> None:
    search = Search(finite())
    for i in range(12):
        for document in search.ask(ALGORITHMS[name], 1, seed=i):
            # Failed and pending trials count as tried too.
            if i % 3:
                search.tell(document, any_loss(values(document)) if i % 3 == 1 else None)
    assert len({json.dumps(values(document)) for document in search.documents}) == 12


@pytest.mark.parametrize("name", DISTINCT)
def test_one_batch_covers_a_finite_space(name: str) -> None:
    documents = Search(finite()).ask(ALGORITHMS[name], 12)
    assert len({json.dumps(values(document)) for document in documents}) == 12


def test_a_resumed_search_goes_on_as_if_never_stopped(suggest: Suggest) -> None:
    search = Search(conditional())
    search.run(suggest, 12, any_loss)
    pending = search.ask(suggest, 2, seed=50)
    resumed = Search(conditional())
    resumed.documents = json.loads(json.dumps(search.documents))
    assert len(pending) == 2
    again, first = (s.ask(suggest, 3, seed=99) for s in (resumed, search))
    assert [values(d) for d in again] == [values(d) for d in first]


def test_the_order_in_which_results_arrived_does_not_matter(suggest: Suggest) -> None:
    searches = [Search(conditional()) for _ in range(2)]
    for search, order in zip(searches, (1, -1), strict=True):
        documents = search.ask(rand.suggest, 15, seed=3)
        for document in documents[::order]:
            search.tell(document, any_loss(values(document)))
            search.history(search.domain.space)
    first, second = (values(search.ask(suggest, 1, seed=4)[0]) for search in searches)
    assert first == second


def test_a_space_without_parameters_is_searched_or_done(suggest: Suggest) -> None:
    search = Search({"a": 1})
    search.run(suggest, 12, any_loss)
    assert 1 <= len(search.documents) <= 12
    assert [values(document) for document in search.documents] == [{}] * len(search.documents)


def test_a_search_goes_on_when_its_space_has_grown(suggest: Suggest) -> None:
    space = {"x": parameter("x", "uniform")}
    old = Search(space)
    old.run(suggest, 12, any_loss)
    search = Search({**space, "a": parameter("a", "normal"), "m": choice("m", ["p", "q"])})
    search.documents = list(old.documents)
    search.run(suggest, 20, any_loss)
    new = search.documents[len(old.documents) :]
    assert new
    for document in new:
        assert set(evaluate(search.domain.expr, values(document))) == {"x", "a", "m"}


def test_few_of_many_integers_in_a_rare_branch_do_no_harm(suggest: Suggest) -> None:
    seed = Parameter("seed", RandInt(0, 900))
    space = Switch(Parameter("m", Categorical((0.99, 0.01))), (as_node("off"), seed))
    search = Search(space)
    search.run(suggest, 25, any_loss)
    for document in search.documents:
        assert ("seed" in values(document)) == (values(document)["m"] == 1)


@pytest.mark.parametrize("name", ["tpe", "atpe", "anneal"])
def test_integers_too_many_to_list_do_no_harm(name: str) -> None:
    seed = Parameter("seed", RandInt(0, 2**31))
    space = Switch(Parameter("m", Categorical((0.99, 0.01))), (as_node("off"), seed))
    search = Search(space)
    search.run(ALGORITHMS[name], 25, any_loss)
    assert {values(document)["m"] for document in search.documents} == {0, 1}


@pytest.mark.parametrize(
    ("low", "high"),
    [(2**60 + 1, 2**60 + 3), (-(2**60) - 3, -(2**60)), (2**53 - 1, 2**53 + 2), (2**64 - 5, 2**64)],
)
@pytest.mark.parametrize("name", [*DISTINCT, "qmc"])
def test_integers_that_floats_skip_stay_in_their_range(name: str, low: int, high: int) -> None:
    search = Search(Parameter("x", RandInt(low, high)))
    search.run(ALGORITHMS[name], 12, lambda configuration: configuration["x"] - low)
    tried = [values(document)["x"] for document in search.documents]
    assert all(type(x) is int for x in tried)
    assert set(tried) == set(range(low, high))


def test_values_that_mostly_round_to_zero_stay_where_the_prior_is(suggest: Suggest) -> None:
    search = Search(Parameter("x", Numeric("normal", 2.3, 1.0, log=True, q=32.0)))
    search.run(suggest, 25, lambda v: abs(v["x"] - 64))
    assert max(values(document)["x"] for document in search.documents) < math.exp(2.3 + 6)


@pytest.mark.parametrize("name", ["tpe", "atpe", "anneal"])
def test_an_unbounded_parameter_that_does_not_matter_stays_near_its_prior(name: str) -> None:
    search = Search({"x": parameter("x", "uniform"), "y": parameter("y", "lognormal")})
    search.run(ALGORITHMS[name], 80, lambda v: abs(v["x"] - 1))
    z = np.abs([math.log(values(document)["y"]) for document in search.documents])
    assert z.max() < 7
    assert (z > 4.5).mean() < 0.05


@pytest.mark.parametrize(
    ("low", "width"), [(0.0, 1e-8), (1e6, 0.01), (0.0, 1.0)], ids=["small", "offset", "plain"]
)
def test_the_scale_of_a_parameter_changes_nothing(low: float, width: float) -> None:
    search = Search(Parameter("x", Numeric("uniform", low, low + width)))
    search.run(ALGORITHMS["atpe"], 30, lambda v: ((v["x"] - low) / width - 0.3) ** 2)
    x = np.array([values(document)["x"] for document in search.documents])
    assert np.abs((x - low) / width - 0.3).min() < 1e-3


def test_equal_losses_everywhere_do_no_harm(suggest: Suggest) -> None:
    search = Search(everything())
    search.run(suggest, 25, lambda v: 1.0)
    assert len(search.documents) == 25


def test_losses_of_any_size_do_no_harm(suggest: Suggest) -> None:
    search = Search(conditional())
    sizes = np.random.default_rng(0).permutation(np.logspace(-300, 300, 30))
    losses = iter(np.where(np.arange(30) % 2, sizes, -sizes))
    search.run(suggest, 30, lambda v: float(next(losses)))
    assert len(search.documents) == 30
