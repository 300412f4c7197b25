"""Which algorithms declare that they learn."""

from __future__ import annotations

import pickle
from functools import partial

import pytest

from sparktuner import anneal, atpe, grid, mix, qmc, rand, tpe
from sparktuner.suggest import is_learning, learns


@pytest.mark.parametrize("algorithm", [tpe, atpe, anneal], ids=["tpe", "atpe", "anneal"])
def test_an_algorithm_that_goes_by_results_says_so_in_partial_too(algorithm: object) -> None:
    suggest = algorithm.suggest  # type: ignore[attr-defined]
    assert is_learning(suggest)
    assert is_learning(partial(partial(suggest, seed=1), verbose=False))


@pytest.mark.parametrize("algorithm", [rand, qmc, grid], ids=["rand", "qmc", "grid"])
def test_an_algorithm_that_goes_by_no_result_does_not(algorithm: object) -> None:
    assert not is_learning(algorithm.suggest)  # type: ignore[attr-defined]


def test_a_mixture_learns_if_one_of_its_parts_does() -> None:
    greedy = partial(tpe.suggest, gamma=0.1)
    assert is_learning(partial(mix.suggest, p_suggest=[(0.5, rand.suggest), (0.5, greedy)]))
    assert not is_learning(
        partial(mix.suggest, p_suggest=[(0.5, rand.suggest), (0.5, qmc.suggest)])
    )
    inner = partial(mix.suggest, p_suggest=[(1.0, greedy)])
    assert is_learning(partial(mix.suggest, p_suggest=[(1.0, inner)]))


def test_what_declares_nothing_does_not_learn() -> None:
    def suggest() -> None: ...

    for algo in (suggest, partial(suggest), None, "tpe", mix.suggest):
        assert not is_learning(algo)


def test_an_algorithm_of_ones_own_can_declare_it() -> None:
    def suggest() -> None: ...

    assert learns(suggest) is suggest
    assert is_learning(suggest)


def test_a_declared_algorithm_is_pickled_as_the_function_that_it_is() -> None:
    assert pickle.loads(pickle.dumps(tpe.suggest)) is tpe.suggest
