"""Options of algorithms: an unknown one is told by name, when called and before."""

from __future__ import annotations

import inspect
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sparktuner import anneal, atpe, grid, mix, qmc, rand, tpe
from sparktuner.suggest import AtpeOptions, TpeOptions, check_options, is_learning
from tests.suggest.searches import Search, parameter

MISSPELT: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (tpe.suggest, {"gama": 0.25}, "tpe.suggest has no option 'gama'; did you mean 'gamma'?"),
    (tpe.suggest, {"n_startup": 5}, "did you mean 'n_startup_jobs'?"),
    (tpe.suggest, {"n_ei_candidates": 5}, "did you mean 'n_EI_candidates'?"),
    (tpe.suggest, {"bandwith": 5}, "Its options are bad_bandwidth, gamma, good_bandwidth,"),
    (atpe.suggest, {"n_startup": 5}, "atpe.suggest has no option 'n_startup'; did you mean"),
    (anneal.suggest, {"shrink": 0.2}, "did you mean 'shrink_coef'?"),
    (anneal.suggest_batch, {"shrink": 0.2}, "anneal.suggest_batch has no option 'shrink'"),
    (rand.suggest, {"zzz": 1}, "rand.suggest has no option 'zzz'. Its options are none"),
    (qmc.suggest, {"seqence": "halton"}, "did you mean 'sequence'?"),
    (grid.suggest, {"resolutions": 3}, "did you mean 'resolution'? Its only option is resolution"),
    (mix.suggest, {"suggest": []}, "did you mean 'p_suggest'?"),
]


@pytest.mark.parametrize(("suggest", "options", "words"), MISSPELT)
def test_an_unknown_option_is_told(
    suggest: Callable[..., Any], options: dict[str, Any], words: str
) -> None:
    search = Search(parameter("x", "uniform"))
    with pytest.raises(TypeError, match=re.escape(words)):
        suggest([0], search.domain, search, 0, **options)
    with pytest.raises(TypeError, match=re.escape(words)):
        check_options(partial(suggest, **options))


@pytest.mark.parametrize(
    "algo",
    [
        tpe.suggest,
        partial(tpe.suggest, gamma=0.25, good_bandwidth=2.0, verbose=False),
        partial(atpe.suggest, tpe_share=0.5),
        partial(mix.suggest, p_suggest=[(1.0, partial(anneal.suggest, shrink_coef=0.2))]),
        partial(mix.suggest, p_suggest="what mix refuses itself"),
        partial(lambda new_ids, domain, trials, seed, mine: [], mine=1),
        "no algorithm",
    ],
)
def test_what_exists_or_is_not_ours_passes(algo: object) -> None:
    check_options(algo)


def test_the_algorithms_of_a_mixture_are_looked_into() -> None:
    parts = [(0.5, rand.suggest), (0.5, partial(tpe.suggest, gama=1))]
    with pytest.raises(TypeError, match="did you mean 'gamma'"):
        check_options(partial(mix.suggest, p_suggest=parts))


def test_what_the_search_passes_cannot_be_set() -> None:
    with pytest.raises(TypeError, match="seed is passed by the search; set rstate of fmin"):
        check_options(partial(tpe.suggest, seed=1))


def test_a_checked_algorithm_is_still_itself() -> None:
    search = Search(parameter("x", "uniform"))
    assert len(tpe.suggest(new_ids=[0], domain=search.domain, trials=search, seed=0)) == 1
    assert pickle.loads(pickle.dumps(tpe.suggest)) is tpe.suggest
    assert is_learning(tpe.suggest)
    assert not is_learning(rand.suggest)
    assert list(inspect.signature(anneal.suggest).parameters)[-1] == "shrink_coef"


def test_a_count_may_be_a_float_that_is_whole() -> None:
    assert TpeOptions(n_EI_candidates=12.0) == TpeOptions(n_EI_candidates=12)
    assert isinstance(AtpeOptions(n_candidates=50.0).n_candidates, int)
