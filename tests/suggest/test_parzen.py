"""Kernels and mixtures against a slow direct formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sparktuner.records import History
from sparktuner.space import Categorical, FloatArray, Numeric, flatten
from sparktuner.suggest import _densities
from sparktuner.suggest._densities import ParzenEstimator, TpeOptions, bandwidths, parzen_mixture
from sparktuner.suggest._layout import Layout, layout_of
from sparktuner.suggest._parzen import Mixture, Points
from tests.suggest.searches import DISTRIBUTIONS, conditional, everything, parameter


def mixture(space: object, m: int = 6) -> Mixture:
    """Of ``m`` draws from the prior; a group that is inactive in one has fewer."""
    flat = flatten(space)
    layout = layout_of(flat)
    rows = flat.sample(np.random.default_rng(1), m)
    weights = np.where(np.isnan(rows[:, layout.group_heads].T), 0.0, np.linspace(1, 2, m))
    return parzen_mixture(layout, rows[:, layout.index].T, weights, least=1.0, prior_weight=1.0)


def points_of(layout: Layout, x: FloatArray) -> Points:
    return Points.of(layout, x, ~np.isnan(x))


def slow_kernel(
    distribution: object, x: float, mu: float, sigma: float, smoothing: float
) -> float:
    """One kernel's density or mass at latent x, from scipy.stats."""
    if isinstance(distribution, Categorical):
        return smoothing * distribution.p[int(x)] + (1 - smoothing) * (x == mu)
    low, high = distribution.bounds  # type: ignore[attr-defined]
    normal = stats.norm(mu, sigma)
    inside = normal.cdf(high) - normal.cdf(low)
    if isinstance(distribution, Numeric) and distribution.q is None:
        return float(normal.pdf(x) / inside)
    lower, upper = distribution.cells(distribution.from_latent(np.array([x])))  # type: ignore
    return float((normal.cdf(upper[0]) - normal.cdf(lower[0])) / inside)


def slow_density(model: Mixture, row: FloatArray, columns: list[int]) -> float:
    """The density of some columns of one group, component by component."""
    layout, n = model.layout, model.layout.n_numeric
    weights = np.exp(model.log_weights[layout.group[columns[0]]])
    prior = layout.table.log_density(np.array(columns), row[columns])
    density = weights[-1] * math.exp(sum(prior))
    for i in np.flatnonzero(weights[:-1]):
        product = weights[i]
        for j in columns:
            mu = model.mu[j, i] if j < n else model.options[j - n, i]
            sigma = model.sigma[j, i] if j < n else math.nan
            smoothing = model.smoothing[j - n] if j >= n else math.nan
            product *= slow_kernel(layout.columns[j].distribution, row[j], mu, sigma, smoothing)
        density += product
    return float(density)


@pytest.mark.parametrize("space", [everything(), conditional()], ids=["flat", "conditional"])
def test_a_mixture_agrees_with_the_direct_formula(space: object) -> None:
    model = mixture(space)
    layout = model.layout
    x = flatten(space).sample(np.random.default_rng(2), 8)[:, layout.index]
    joint, marginals = model.log_densities(points_of(layout, x))
    for row, found, alone in zip(x, joint, marginals, strict=True):
        active = np.flatnonzero(~np.isnan(row)).tolist()
        groups = [[j for j in active if layout.group[j] == g] for g in set(layout.group[active])]
        expected = sum(math.log(slow_density(model, row, group)) for group in groups)
        assert found == pytest.approx(expected, rel=1e-9)
        expected = sum(math.log(slow_density(model, row, [j])) for j in active)
        assert alone == pytest.approx(expected, rel=1e-9)


def test_crossed_draws_take_each_column_from_a_component_of_its_own() -> None:
    layout = layout_of(flatten({name: parameter(name, "uniform") for name in ("x", "y")}))
    model = Mixture(
        layout,
        np.log([[0.5, 0.5, 1e-9]]),
        np.array([[-1.9, 2.9], [-1.9, 2.9]]),
        np.full((2, 2), 0.01),
        np.empty((0, 2)),
        np.empty(0),
    )
    from_marginals = np.arange(4000) >= 2000
    high = model.sample(np.random.default_rng(5), 4000, from_marginals) > 0
    mixed = high[:, 0] != high[:, 1]
    assert not mixed[:2000].any()
    # Five standard deviations of a binomial: false alarm below 1e-6.
    assert abs(mixed[2000:].mean() - 0.5) < 5 * 0.5 / math.sqrt(2000)


def test_kernels_are_as_wide_as_the_larger_gap_to_a_neighbour() -> None:
    layout = layout_of(flatten(parameter("x", "uniform")))  # from -2 to 3, centre 0.5
    mu = np.array([[1.0, np.nan, -1.5, -1.4, 2.9]])
    # In order: -1.5, -1.4, 0.5 (the prior), 1.0, 2.9; the outermost have one neighbour.
    found = bandwidths(layout, mu, np.array([4]), least=0.1)[0, [0, 2, 3, 4]]
    assert found == pytest.approx([1.9, 0.1, 1.9, 1.9])
    # The least width is that of the space by the number of kernels, the prior's and one more.
    found = bandwidths(layout, mu, np.array([4]), least=1.0)[0, [0, 2, 3, 4]]
    assert found == pytest.approx([1.9, 5 / 6, 1.9, 1.9])
    # Alone: 0.5 to the centre, 2 to the bound above.
    assert bandwidths(layout, mu[:, :1], np.array([1]), least=0.1)[0] == pytest.approx([2.0])


@pytest.mark.parametrize(
    ("options", "number"),
    [(TpeOptions(softness=3), 10), (TpeOptions(softness=0), 10), (TpeOptions(gamma=0.3), 3)],
)
def test_weights_of_the_best_trials_add_up_to_about_the_number_of_good_ones(
    options: TpeOptions, number: int
) -> None:
    weights = options.good_weights(100)
    assert weights[0] == 1
    assert np.all(np.diff(weights) <= 0)
    assert weights.sum() == pytest.approx(number, abs=0.6)
    assert len(weights) == number * (1 + options.softness)
    assert options.good_weights(100_000).sum() == pytest.approx(25, abs=0.6)


def test_each_trial_is_shared_by_the_good_and_the_bad_ones() -> None:
    space = flatten(parameter("x", "uniform"))
    rng = np.random.default_rng(8)
    history = History(np.arange(50), rng.normal(size=50), space.sample(rng, 50), np.empty((0, 1)))
    estimator = ParzenEstimator.of(space, history, TpeOptions(linear_forgetting=0))
    centres, weights = estimator._bad_trials
    share = dict(zip(centres[0].tolist(), weights[0].tolist(), strict=True))
    for trial, weight in zip(estimator.good_trials[0], estimator.good_weights[0], strict=True):
        value = float(history.values[trial, 0])
        assert share.pop(value, 0.0) + weight == pytest.approx(1)
    assert set(share.values()) == {1.0}
    assert len(share) == 40


def test_thinning_the_bad_trials_errs_less_than_the_stated_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = flatten({name: parameter(name, "uniform") for name in "xyz"})
    rng = np.random.default_rng(6)
    values = space.sample(rng, 3000)
    history = History(np.arange(3000), rng.normal(size=3000), values, np.empty((0, 3)))
    points = points_of(layout_of(space), space.sample(rng, 200))

    def g() -> Mixture:
        estimator = ParzenEstimator.of(space, history, TpeOptions(linear_forgetting=0))
        return estimator.bad_density(history.pending)

    thinned = g()
    monkeypatch.setattr(_densities, "_MAX_BAD", 3000)
    whole = g()
    by_value = whole._log_kernels(points)[:, :-1].reshape(3, 200, -1)
    kernels = np.exp(by_value.sum(axis=0))
    n = thinned.mu.shape[1]
    bound = np.sqrt((kernels**2).mean(axis=1) / kernels.mean(axis=1) ** 2 / n)
    found, expected = thinned.log_densities(points)[0], whole.log_densities(points)[0]
    error = np.exp(found - expected) - 1
    assert n == 128
    assert 0 < np.sqrt((error**2).mean()) < np.sqrt((bound**2).mean())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_from_a_mixture_follow_its_density(name: str) -> None:
    model = mixture(parameter("x", name))
    x = model.sample(np.random.default_rng(3), 20_000)[:, 0]
    distribution = DISTRIBUTIONS[name]

    def density(latents: FloatArray) -> FloatArray:
        return np.exp(model.log_densities(points_of(model.layout, latents[:, None]))[0])

    # False alarm 1e-6 for each distribution.
    if isinstance(distribution, Numeric) and distribution.q is None:
        grid = np.linspace(x.min(), x.max(), 20_001)
        heights = density(grid)
        cdf = np.concatenate([[0], np.cumsum((heights[1:] + heights[:-1]) / 2 * np.diff(grid))])
        assert stats.kstest(x, lambda z: np.interp(z, grid, cdf / cdf[-1])).pvalue > 1e-6
        return
    support, counts = np.unique(x, return_counts=True)
    expected = density(support) * len(x)
    common = expected >= 5
    observed = np.append(counts[common], len(x) - counts[common].sum())
    expected = np.append(expected[common], len(x) - expected[common].sum())
    keep = expected > 1e-9 * len(x)
    chi2 = float(((observed - expected)[keep] ** 2 / expected[keep]).sum())
    assert stats.chi2.sf(chi2, max(keep.sum() - 1, 1)) > 1e-6


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_prior_of_a_column_is_the_distribution(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    layout = layout_of(flatten(parameter("x", name)))
    x = layout.sample_prior(np.random.default_rng(4), 50)[:, 0]
    expected = distribution.log_density(distribution.from_latent(x))
    found = layout.table.log_density(np.zeros(50, dtype=np.intp), x)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_groups_hold_parameters_that_are_active_together() -> None:
    layout = layout_of(flatten(conditional()))
    groups: dict[int, set[str]] = {}
    for column, group in zip(layout.columns, layout.group.tolist(), strict=True):
        groups.setdefault(group, set()).add(column.label)
    assert [groups[g] for g in sorted(groups)] == [
        {"always", "model"}, {"c", "q"}, {"k", "d"}, {"a"}, {"b"}
    ]  # fmt: skip
