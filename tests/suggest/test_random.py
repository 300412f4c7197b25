"""Random search draws from exactly the distributions that were asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sparktuner import rand
from sparktuner.space import Numeric
from tests.suggest.searches import DISTRIBUTIONS, Search, parameter, values

N = 20_000


def draws(name: str) -> np.ndarray:
    documents = Search(parameter("x", name)).ask(rand.suggest, N, seed=11)
    return np.array([values(document)["x"] for document in documents], dtype=float)


# Each test's false alarm is at most 1e-6.
@pytest.mark.parametrize("name", ["uniform", "loguniform", "normal", "lognormal"])
def test_continuous_draws_pass_kolmogorov_smirnov(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    assert isinstance(distribution, Numeric)
    a, b = distribution.a, distribution.b
    exact = stats.uniform(a, b - a) if distribution.base == "uniform" else stats.norm(a, b)
    x = draws(name)
    assert stats.kstest(np.log(x) if distribution.log else x, exact.cdf).pvalue > 1e-6


@pytest.mark.parametrize(
    "name", [n for n, d in DISTRIBUTIONS.items() if getattr(d, "q", 1) is not None]
)
def test_discrete_draws_pass_chi_square(name: str) -> None:
    support, counts = np.unique(draws(name), return_counts=True)
    expected = N * np.exp(DISTRIBUTIONS[name].log_density(support))
    common = expected >= 5
    chi2 = float(((counts - expected)[common] ** 2 / expected[common]).sum())
    assert stats.chi2.sf(chi2, common.sum()) > 1e-6
    assert math.isclose(counts.sum(), N)


def test_an_option_of_probability_zero_is_never_drawn() -> None:
    assert set(draws("pchoice")) == {0.0, 2.0}


def test_a_batch_lists_ids_and_values_by_label() -> None:
    search = Search(parameter("x", "uniform"))
    idxs, vals = rand.suggest_batch([4, 7], search.domain, search, 0)
    assert idxs == {"x": [4, 7]}
    assert [len(vals["x"]), type(vals["x"][0])] == [2, float]
