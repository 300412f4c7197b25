"""The Gaussian process against direct formulas, and its parts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats

from sparktuner.space import flatten
from sparktuner.suggest._adaptive import log_expected_improvement, targets, with_failures
from sparktuner.suggest._features import features_of
from sparktuner.suggest._gaussian_process import (
    HyperPrior,
    condition,
    fit,
    matern52,
    negative_log_likelihood,
    squared_distances,
)
from sparktuner.suggest._lbfgs import lbfgs
from sparktuner.suggest._linear_algebra import MAX_ROWS, cholesky, inverse, product
from tests.suggest.searches import choice, conditional, parameter


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((40, 3))
    y = np.sin(5 * x[:, 0]) + x[:, 1] ** 2 + 0.05 * rng.normal(size=40)
    return x, (y - y.mean()) / y.std()


def test_predictions_agree_with_the_textbook(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data
    root, noise = np.array([2.0, 1.0, 0.5]), 0.05
    process = condition(x, y, root, noise)
    new = np.random.default_rng(1).random((7, 3))
    k = matern52(squared_distances(x * root, x * root)) + (noise + 1e-6) * np.eye(len(x))
    across = matern52(squared_distances(new * root, x * root))
    mean, sd = process.predict(new)
    amplitude = y @ np.linalg.solve(k, y) / len(y)
    variance = 1 - (across * np.linalg.solve(k, across.T).T).sum(axis=1)
    assert mean == pytest.approx(across @ np.linalg.solve(k, y))
    assert sd == pytest.approx(np.sqrt(amplitude * variance))
    assert process.fitted_values() == pytest.approx(process.predict(x)[0], abs=1e-5)


def test_pending_points_lower_the_variance_and_leave_the_mean(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = data
    process = condition(x, y, np.array([2.0, 1.0, 0.5]), 0.05)
    new, pending = np.random.default_rng(1).random((2, 7, 3))
    believer = process.with_fantasies(pending)
    assert believer.predict(new)[0] == pytest.approx(process.predict(new)[0])
    assert (believer.predict(new)[1] <= process.predict(new)[1] + 1e-9).all()
    assert (believer.predict(pending)[1] < 0.9 * process.predict(pending)[1]).all()


def test_functions_are_drawn_from_the_posterior(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data
    root, noise, k = np.array([2.0, 1.0, 0.5]), 0.05, 4000
    process = condition(x, y, root, noise)
    new = np.random.default_rng(1).random((5, 3))
    mean, sd = process.predict(new)
    values = process.draws(new, np.random.default_rng(2), k)
    assert values.shape == (k, 5)
    # Six standard errors of means, and of variances: one of these ten is beyond by chance with
    # a probability below 1e-6.
    assert (np.abs(values.mean(axis=0) - mean) < 6 * sd / math.sqrt(k)).all()
    assert (np.abs(values.var(axis=0) / sd**2 - 1) < 6 * math.sqrt(2 / k)).all()


def test_functions_are_drawn_as_a_whole(data: tuple[np.ndarray, np.ndarray]) -> None:
    # Equal points have equal values, also where hundreds of them make the covariance singular.
    process = condition(*data, np.array([2.0, 1.0, 0.5]), 0.05)
    twice = np.concatenate([np.random.default_rng(1).random((150, 3))] * 2)
    values = process.draws(twice, np.random.default_rng(2), 8)
    assert values[:, :150] == pytest.approx(values[:, 150:], abs=0.01)
    assert values[:, :150].std(axis=0).max() > 0.1


def test_the_gradient_is_that_of_the_likelihood(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data
    theta = np.array([1.0, 0.3, -2.0])
    place = np.array([0, 1, 1])
    _, gradient = negative_log_likelihood(theta, x, place, y)
    numeric = optimize.approx_fprime(
        theta, lambda t: negative_log_likelihood(t, x, place, y)[0], 1e-6
    )
    assert gradient == pytest.approx(numeric, rel=1e-3, abs=1e-4)


def test_what_does_not_matter_gets_a_long_length_scale(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = data
    process = fit(x, np.arange(3), y, HyperPrior(fit_evaluations=30), np.arange(len(x)))
    assert process.inverse_length_scales[2] < 0.5 * process.inverse_length_scales[0]


def test_leaving_one_out_agrees_with_doing_so(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data
    root = np.array([2.0, 1.0, 0.5])
    left_out = condition(x, y, root, 0.05).leave_one_out()
    others = condition(x[1:], y[1:], root, 0.05)
    assert left_out[0] == pytest.approx(others.predict(x[:1])[0][0])


def test_expected_improvement_agrees_with_an_integral(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = data
    process = condition(x, y, np.array([2.0, 1.0, 0.5]), 0.05)
    new = np.random.default_rng(3).random((4, 3))
    for incumbent in (float(y.min()), float(y.min()) - 3):
        found = log_expected_improvement(process, new, incumbent)
        for mean, sd, log_ei in zip(*process.predict(new), found, strict=True):
            z = (incumbent - mean) / sd
            if z < -30:
                continue
            u = np.linspace(0, 12 / max(1, -z), 20_001)
            integral = np.trapezoid(u * stats.norm.pdf(u - z), u) * sd
            assert log_ei == pytest.approx(math.log(integral), abs=0.1)


@pytest.mark.parametrize("n", [1, 5, 33, 64, 96, 130])
def test_an_inverse_by_blocks_is_the_inverse(n: int) -> None:
    x = np.random.default_rng(n).random((n, n + 3))
    k = x @ x.T + np.eye(n)
    whole, log_determinant = inverse(k)
    assert np.abs(whole @ k - np.eye(n)).max() < 1e-9
    assert log_determinant == pytest.approx(np.linalg.slogdet(k)[1])


@pytest.mark.parametrize("n", [1, 32, 33, 64, 130])
def test_a_root_by_blocks_is_choleskys(n: int) -> None:
    x = np.random.default_rng(n).random((n, n + 3))
    k = x @ x.T + np.eye(n)
    assert np.abs(cholesky(k) - np.linalg.cholesky(k)).max() < 1e-9


@pytest.mark.parametrize("take", [inverse, cholesky])
def test_a_matrix_that_is_not_positive_definite_is_refused(take: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="positive definite"):
        take(-np.eye(3))


def test_a_product_in_pieces_is_the_product() -> None:
    a, b = np.random.default_rng(0).random((2, 150, 150))
    assert product(a, b) == pytest.approx(a @ b)


def test_few_evaluations_come_near_the_minimum() -> None:
    scales = np.array([1.0, 10.0, 100.0])

    def bowl(t: np.ndarray) -> tuple[float, np.ndarray]:
        d = t - np.array([1.0, -1.0, 0.5])
        return float((scales * d * d).sum()), 2 * scales * d

    assert lbfgs(bowl, np.zeros(3), 30) == pytest.approx([1.0, -1.0, 0.5], abs=1e-2)


def test_distances_of_features_follow_the_space() -> None:
    space = flatten({"m": choice("m", ["a", parameter("x", "uniform")]), "k": choice("k", "ab")})
    features = features_of(space)
    rows = space.encode([{"m": 0, "k": 0}, {"m": 0, "k": 1}, {"m": 1, "x": 3.0, "k": 0}])
    d = squared_distances(features.of(rows), features.of(rows))
    assert d[0, 1] == pytest.approx(1.0)
    assert d[0, 2] == pytest.approx(1.25)


def test_features_are_finite_in_a_conditional_space() -> None:
    space = flatten(conditional())
    x = features_of(space).of(space.sample(np.random.default_rng(0), 100))
    assert np.isfinite(x).all()


def test_a_normal_base_is_as_wide_as_a_uniform_one_and_goes_on() -> None:
    x = features_of(flatten(parameter("x", "normal"))).of(np.array([[-9.0], [1.0], [21.0]]))
    # Mean 1, standard deviation 2, so 0.5 and steps of 5 deviations.
    assert x[:, 0] == pytest.approx([0.5 - 5 / 12**0.5, 0.5, 0.5 + 10 / 12**0.5])


def test_failed_trials_join_as_the_worst_and_the_best_half_stays() -> None:
    x = np.arange(MAX_ROWS)[:, None].astype(float)
    y = np.linspace(-2, 2, MAX_ROWS)
    rows, worse = with_failures(x, y, np.full((40, 1), -1.0))
    assert len(rows) == len(worse) == MAX_ROWS
    assert rows[: MAX_ROWS // 2, 0].tolist() == list(range(MAX_ROWS // 2))
    rest = rows[MAX_ROWS // 2 : -40, 0]
    assert np.ptp(rest) > 0.8 * (MAX_ROWS // 2)
    assert (worse[-40:] == worse.max()).all()
    assert abs(worse.mean()) < 1e-12


def test_targets_keep_the_order_of_losses() -> None:
    losses = np.array([3.0, 1.0, 1e300, 2.0, 1.0])
    y = targets(losses)
    assert (np.argsort(y, kind="stable") == [1, 4, 3, 0, 2]).all()
    assert y[1] == y[4]
    assert targets(np.ones(4)).tolist() == [0.0] * 4
