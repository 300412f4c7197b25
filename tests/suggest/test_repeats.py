"""Once everything in a finite space was tried, what is good is tried again."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from sparktuner import anneal, atpe, mix, tpe
from sparktuner.records import TrialDocument
from sparktuner.space import Numeric, Parameter
from tests.suggest.searches import Search, choice, finite, values

Suggest = Callable[..., list[TrialDocument]]
Loss = Callable[[dict[str, Any]], float]

LEARNERS: dict[str, Suggest] = {
    "tpe": tpe.suggest,
    "atpe": atpe.suggest,
    "anneal": anneal.suggest,
    "mix": partial(mix.suggest, p_suggest=[(0.5, tpe.suggest), (0.5, anneal.suggest)]),
}
ARMS = choice("arm", "abc")


def arm_mean(v: dict[str, Any]) -> float:
    return 0.5 * float(v["arm"])


def conditional_mean(v: dict[str, Any]) -> float:
    """0 at n = 0, m = 1, s = 0; 0.25 or more at the other 11 points of ``finite``."""
    return 0.5 * float(v["n"]) + (0.25 if v["m"] == 0 else 0.5 * float(v["s"]))


@pytest.fixture(params=LEARNERS)
def suggest(request: pytest.FixtureRequest) -> Suggest:
    return LEARNERS[request.param]


def run(
    space: object, suggest: Suggest, loss: Loss, noise: float, seed: int, workers: int = 1
) -> list[dict[str, Any]]:
    """The configurations of 100 trials, of which up to ``workers`` run at a time."""
    rng, search = np.random.default_rng(seed), Search(space)
    running: list[TrialDocument] = []
    while len(search.documents) < 100:
        running += search.ask(suggest, 1, seed=int(rng.integers(2**31)))
        if len(running) == workers:
            ended = running.pop(int(rng.integers(workers)))
            search.tell(ended, loss(values(ended)) + noise * rng.normal())
    return [values(document) for document in search.documents]


def distinct(tried: list[dict[str, Any]]) -> int:
    return len({json.dumps(v) for v in tried})


def mean_count(name: str, space: object, loss: Loss, noise: float, workers: int) -> float:
    """In how many of 100 trials the best configuration is tried, on average of some searches."""
    seeds = range(24 if name == "anneal" else 8)
    searches = [run(space, LEARNERS[name], loss, noise, seed, workers) for seed in seeds]
    return float(np.mean([[loss(v) == 0.0 for v in tried] for tried in searches])) * 100


# A mean below its threshold has a probability of less than 1e-6: Chernoff's bound on the counts
# of 400 searches of each algorithm among the three arms, and of 100 in the other cases. All of
# their means are above 79, or 61 in the conditional space. Annealing takes more seeds, because
# one of its 400 searches went on from a lucky result of the wrong arm to the end.
@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", ["tpe", "atpe", "anneal"])
def test_the_best_of_three_noisy_arms_is_tried_most(name: str, workers: int) -> None:
    assert mean_count(name, ARMS, arm_mean, 0.3, workers) >= 60


@pytest.mark.parametrize("name", ["tpe", "atpe", "anneal"])
def test_the_best_of_a_conditional_space_is_tried_most(name: str) -> None:
    assert mean_count(name, finite(), conditional_mean, 0.1, 1) >= 35


@pytest.mark.parametrize("workers", [1, 3])
def test_nothing_is_repeated_while_there_is_anything_new(suggest: Suggest, workers: int) -> None:
    assert distinct(run(ARMS, suggest, arm_mean, 0.3, 0, workers)[:3]) == 3
    if suggest is not LEARNERS["mix"]:
        assert distinct(run(finite(), suggest, conditional_mean, 0.1, 0, workers)[:12]) == 12


def test_a_loss_without_noise_is_asked_for_again_where_it_is_least(suggest: Suggest) -> None:
    tried = run(ARMS, suggest, arm_mean, 0.0, seed=0)
    assert sum(v["arm"] == 0 for v in tried) >= 50


def test_steps_that_the_prior_hardly_reaches_do_not_count_as_new(suggest: Suggest) -> None:
    # 0 and 10 have probabilities of 0.84 and 0.16, all others together 1e-19.
    space = Parameter("x", Numeric("normal", 4.0, 1.0, q=10.0))
    tried = run(space, suggest, lambda v: abs(v["x"] - 10.0) / 10, 0.1, seed=0)
    assert sum(v["x"] == 10.0 for v in tried) >= 50


def test_a_batch_of_repeats_is_as_long_as_was_asked(suggest: Suggest) -> None:
    search = Search(ARMS)
    search.run(suggest, 20, arm_mean)
    documents = search.ask(suggest, 7, seed=1)
    assert [document["tid"] for document in documents] == list(range(20, 27))


def test_a_space_that_always_fails_is_searched_on(suggest: Suggest) -> None:
    search = Search(ARMS)
    search.run(suggest, 20, lambda v: None)
    assert {values(document)["arm"] for document in search.documents} == {0, 1, 2}
