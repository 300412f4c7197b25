"""Kernels and mixtures against a slow direct formula."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sparktuner.records import History
from sparktuner.space import Categorical, Numeric, flatten
from sparktuner.suggest import _densities
from sparktuner.suggest._densities import Estimator, TpeOptions, bandwidths, parzen
from sparktuner.suggest._explain import marginal
from sparktuner.suggest._groups import groups_of
from sparktuner.suggest._parzen import Mixture, log_prior
from tests.suggest.searches import DISTRIBUTIONS, conditional, everything, parameter


def mixture(space: object, m: int = 6) -> Mixture:
    flat = flatten(space)
    group = groups_of(flat)[0]
    observed = group.sample_prior(np.random.default_rng(1), m)
    return parzen(group, observed, np.linspace(1, 2, m), 1.0, TpeOptions())


def slow_kernel(distribution: object, x: float, mu: float, sigma: float, spread: float) -> float:
    """One kernel's density or mass at latent x, from scipy.stats."""
    if isinstance(distribution, Categorical):
        return spread * distribution.p[int(x)] + (1 - spread) * (x == mu)
    low, high = distribution.bounds  # type: ignore[attr-defined]
    normal = stats.norm(mu, sigma)
    inside = normal.cdf(high) - normal.cdf(low)
    if isinstance(distribution, Numeric) and distribution.q is None:
        return float(normal.pdf(x) / inside)
    lower, upper = distribution.cells(distribution.from_latent(np.array([x])))  # type: ignore
    return float((normal.cdf(upper[0]) - normal.cdf(lower[0])) / inside)


def test_a_mixture_agrees_with_the_direct_formula() -> None:
    model = mixture(everything())
    group = model.group
    x = group.sample_prior(np.random.default_rng(2), 5)
    weights = np.exp(model.log_weights)
    for row, found in zip(x, model.log_density(x), strict=True):
        expected = weights[-1] * math.exp(log_prior(group, row[None, :]).sum())
        for i in range(len(model.mu)):
            product = weights[i]
            for j, column in enumerate(group.columns):
                c = j - group.n_numeric
                mu = model.mu[i, j] if c < 0 else model.options[i, c]
                sigma = model.sigma[i, j] if c < 0 else math.nan
                spread = model.spread[c] if c >= 0 else math.nan
                product *= slow_kernel(column.distribution, row[j], mu, sigma, spread)
            expected += product
        assert found == pytest.approx(math.log(expected), rel=1e-9)


def test_the_marginals_agree_with_mixtures_of_one_column() -> None:
    model = mixture(everything())
    x = model.group.sample_prior(np.random.default_rng(2), 5)
    expected = sum(marginal(model, j).log_density(x[:, [j]]) for j in range(x.shape[1]))
    _, found = model.log_densities(x, log_prior(model.group, x))
    assert found == pytest.approx(expected, rel=1e-9)


def test_crossed_draws_take_each_column_from_a_component_of_its_own() -> None:
    space = {name: parameter(name, "uniform") for name in ("x", "y")}
    group = groups_of(flatten(space))[0]
    corners = np.array([[-1.9, -1.9], [2.9, 2.9]])
    model = Mixture(
        group, np.log([0.5, 0.5, 1e-9]), corners, np.full((2, 2), 0.01), np.empty((2, 0)),
        np.empty(0),
    )  # fmt: skip
    crossed = np.arange(4000) >= 2000
    high = model.sample(np.random.default_rng(5), 4000, crossed) > 0
    mixed = high[:, 0] != high[:, 1]
    assert not mixed[:2000].any()
    # Five standard deviations of a binomial: false alarm below 1e-6.
    assert abs(mixed[2000:].mean() - 0.5) < 5 * 0.5 / math.sqrt(2000)


def test_kernels_are_as_wide_as_the_larger_gap_to_a_neighbour() -> None:
    group = groups_of(flatten(parameter("x", "uniform")))[0]  # from -2 to 3, centre 0.5
    mu = np.array([[1.0], [-1.5], [-1.4], [2.9]])
    # In order: -1.5, -1.4, 0.5 (the prior), 1.0, 2.9; the outermost have one neighbour.
    found = bandwidths(group, mu, least=0.1)[:, 0]
    assert found == pytest.approx([1.9, 0.1, 1.9, 1.9])
    # The least width is that of the space by the number of kernels, the prior's and one more.
    assert bandwidths(group, mu, least=1.0)[:, 0] == pytest.approx([1.9, 5 / 6, 1.9, 1.9])
    # Alone: 0.5 to the centre, 2 to the bound above.
    assert bandwidths(group, mu[:1], least=0.1)[:, 0] == pytest.approx([2.0])


def test_thinning_the_bad_trials_errs_less_than_the_stated_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = flatten({name: parameter(name, "uniform") for name in "xyz"})
    rng = np.random.default_rng(6)
    values = space.sample(rng, 3000)
    history = History(np.arange(3000), rng.normal(size=3000), values, np.empty((0, 3)))
    x = space.sample(rng, 200)

    def g() -> Any:
        estimator = Estimator.of(space, history, TpeOptions(linear_forgetting=0))
        (bad,) = estimator.bad(history.pending)
        return bad, np.exp(bad.log_density(x))

    thinned, found = g()
    monkeypatch.setattr(_densities, "_MOST_BAD", 3000)
    whole, expected = g()
    kernels = np.exp(whole._log_kernels(x).sum(axis=0))
    bound = np.sqrt((kernels**2).mean(axis=1) / kernels.mean(axis=1) ** 2 / len(thinned.mu))
    error = found / expected - 1
    assert len(thinned.mu) == 256
    assert 0 < np.sqrt((error**2).mean()) < np.sqrt((bound**2).mean())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_from_a_mixture_follow_its_density(name: str) -> None:
    model = mixture(parameter("x", name))
    x = model.sample(np.random.default_rng(3), 20_000)[:, 0]
    distribution = DISTRIBUTIONS[name]
    # False alarm 1e-6 for each distribution.
    if isinstance(distribution, Numeric) and distribution.q is None:
        grid = np.linspace(x.min(), x.max(), 20_001)
        density = np.exp(model.log_density(grid[:, None]))
        cdf = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
        assert stats.kstest(x, lambda z: np.interp(z, grid, cdf / cdf[-1])).pvalue > 1e-6
        return
    support, counts = np.unique(x, return_counts=True)
    expected = np.exp(model.log_density(support[:, None])) * len(x)
    common = expected >= 5
    observed = np.append(counts[common], len(x) - counts[common].sum())
    expected = np.append(expected[common], len(x) - expected[common].sum())
    keep = expected > 1e-9 * len(x)
    chi2 = float(((observed - expected)[keep] ** 2 / expected[keep]).sum())
    assert stats.chi2.sf(chi2, max(keep.sum() - 1, 1)) > 1e-6


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_prior_of_a_group_is_the_distribution(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    group = groups_of(flatten(parameter("x", name)))[0]
    x = group.sample_prior(np.random.default_rng(4), 50)
    expected = distribution.log_density(distribution.from_latent(x[:, 0]))
    assert log_prior(group, x)[:, 0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_groups_hold_parameters_that_are_active_together() -> None:
    groups = groups_of(flatten(conditional()))
    labels = [{column.label for column in group.columns} for group in groups]
    assert labels == [{"always", "model"}, {"c", "q"}, {"k", "d"}, {"a"}, {"b"}]
