"""A small Gaussian process with one length scale for each parameter.

Rasmussen and Williams (2006), "Gaussian processes for machine learning", chapters 2 and 5.
Matérn 5/2 kernel; the amplitude is profiled out; length scales and noise maximise the
posterior, with the prior of Hvarfner, Hellsten, Nardi (2024) that lengthens them in high
dimensions. A few steps of L-BFGS suffice for ranking candidates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from sparktuner.space import FloatArray
from sparktuner.suggest._layout import IndexArray
from sparktuner.suggest._lbfgs import lbfgs
from sparktuner.suggest._linear_algebra import MAX_ROWS, inverse, product

_JITTER = 1e-6
_ROOT5 = math.sqrt(5.0)


@dataclass(frozen=True)
class HyperPrior:
    """Normal priors of log hyperparameters.

    Attributes:
        length_scale: median length scale in one dimension; it grows as the root of the dimension.
        length_scale_sd: standard deviation of the log length scale.
        noise: median ratio of noise variance to signal variance.
        noise_sd: standard deviation of its logarithm.
        fit_evaluations: evaluations of the likelihood.
    """

    length_scale: float = 0.35
    length_scale_sd: float = 1.0
    noise: float = 0.001
    noise_sd: float = 2.0
    fit_evaluations: int = 10


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """The posterior given n points, the variance also given m pending ones.

    Attributes:
        x: (n, f) scaled features.
        y: (n,) targets.
        inverse_length_scales: (f,) square roots of the inverse squared length scales.
        kernel_inverse: (n, n) inverse of the kernel matrix, amplitude 1.
        alpha: (n,) that times the targets.
        amplitude: signal variance.
        noise: noise variance over signal variance.
        pending: (m, f) scaled features of pending points.
        pending_precision: (m, m) inverse of their posterior covariance.
    """

    x: FloatArray
    y: FloatArray
    inverse_length_scales: FloatArray
    kernel_inverse: FloatArray
    alpha: FloatArray
    amplitude: float
    noise: float
    pending: FloatArray
    pending_precision: FloatArray

    def predict(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the noise-free loss at features (k, f)."""
        scaled = x * self.inverse_length_scales
        k = matern52(squared_distances(scaled, self.x))
        weights = product(k, self.kernel_inverse)
        variance = 1.0 - (weights * k).sum(axis=1)
        if len(self.pending):
            c = self._covariance(scaled, weights)
            variance = variance - (product(c, self.pending_precision) * c).sum(axis=1)
        mean: FloatArray = (k * self.alpha).sum(axis=1)
        return mean, np.sqrt(self.amplitude * np.maximum(variance, 1e-8))

    def fitted_values(self) -> FloatArray:
        """Means (n,) at the points themselves: the targets without their noise."""
        means: FloatArray = self.y - (self.noise + _JITTER) * self.alpha
        return means

    def _covariance(self, scaled: FloatArray, weights: FloatArray) -> FloatArray:
        """Posterior covariance (k, m) of points and pending ones (eq. 2.24)."""
        across = matern52(squared_distances(self.pending, self.x))
        return matern52(squared_distances(scaled, self.pending)) - product(weights, across.T)

    def with_fantasies(self, x: FloatArray) -> GaussianProcess:
        """Conditioned on what it predicts at pending points (m, f): only the variance falls.

        The kriging believer of Ginsbourger, Le Riche, Carraro (2010).
        """
        if not len(x):
            return self
        scaled = x[-MAX_ROWS:] * self.inverse_length_scales
        k = matern52(squared_distances(scaled, self.x))
        believer = replace(self, pending=scaled)
        covariance = believer._covariance(scaled, product(k, self.kernel_inverse))
        covariance.flat[:: len(covariance) + 1] += self.noise + 1e-4
        return replace(believer, pending_precision=inverse(covariance)[0])

    def leave_one_out(self) -> FloatArray:
        """(n,) predictions of each target from the others (eq. 5.12)."""
        left_out: FloatArray = self.y - self.alpha / np.diag(self.kernel_inverse)
        return left_out

    def is_predictive(self, share: float = 1.0) -> bool:
        """Whether left-out targets are told with less than this share of their squared size."""
        error = self.y - self.leave_one_out()
        return float(error @ error) < share * float(self.y @ self.y)


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Between rows of a (k, f) and b (n, f); (k, n)."""
    d = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * product(a, b.T)
    distances: FloatArray = np.maximum(d, 0.0, out=d)
    return distances


def matern52(d: FloatArray) -> FloatArray:
    """Matérn 5/2 of squared distances (eq. 4.17)."""
    r = _ROOT5 * np.sqrt(d)
    kernel: FloatArray = (1.0 + r + r * r / 3.0) * np.exp(-r)
    return kernel


def condition(x: FloatArray, y: FloatArray, root: FloatArray, noise: float) -> GaussianProcess:
    """The posterior for given hyperparameters; the amplitude is the most probable one."""
    scaled = x * root
    k = matern52(squared_distances(scaled, scaled))
    k.flat[:: len(k) + 1] = 1.0 + noise + _JITTER
    k_inverse, _ = inverse(k)
    alpha = (k_inverse * y).sum(axis=1)
    amplitude = max(float((y * alpha).sum()) / len(y), 1e-12)
    none = np.empty((0, x.shape[1]))
    return GaussianProcess(
        scaled, y, root, k_inverse, alpha, amplitude, noise, none, np.empty((0, 0))
    )


def fit(
    x: FloatArray, column_of: IndexArray, y: FloatArray, prior: HyperPrior, learn: IndexArray
) -> GaussianProcess:
    """Hyperparameters by maximum a posteriori, then the posterior.

    Args:
        x: (n, f) features, n at most ``MAX_ROWS``.
        column_of: (f,) the parameter that each feature belongs to; one length scale for each.
        y: (n,) standardised targets.
        prior: of the hyperparameters.
        learn: the points that the hyperparameters are learnt from.
    """
    columns, place = np.unique(column_of, return_inverse=True)
    d = len(columns)
    mean = np.full(d + 1, -2 * math.log(prior.length_scale) - math.log(d))
    sd = np.full(d + 1, 2 * prior.length_scale_sd)
    mean[-1], sd[-1] = math.log(prior.noise), prior.noise_sd

    def loss(t: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = negative_log_likelihood(mean + sd * t, x[learn], place, y[learn])
        return value + 0.5 * float(t @ t), gradient * sd + t

    t = lbfgs(loss, np.zeros(d + 1), prior.fit_evaluations)
    # Three digits: the last bits of a sum depend on the machine and on the BLAS's threads.
    theta = np.round(mean + sd * t, 3)
    return condition(x, y, np.exp(theta[:-1] / 2)[place], math.exp(theta[-1]))


def negative_log_likelihood(
    theta: FloatArray, x: FloatArray, place: IndexArray, y: FloatArray
) -> tuple[float, FloatArray]:
    """Profiled negative log likelihood (eq. 5.8) and its gradient (eq. 5.9)."""
    n, d = len(y), len(theta) - 1
    root, noise = np.exp(theta[:-1] / 2)[place], math.exp(theta[-1])
    scaled = x * root
    squared = squared_distances(scaled, scaled)
    r = _ROOT5 * np.sqrt(squared)
    e = np.exp(-r)
    k = (1.0 + r + r * r / 3.0) * e
    k.flat[:: len(k) + 1] = 1.0 + noise + _JITTER
    try:
        k_inverse, log_determinant = inverse(k)
    except ValueError:
        return 1e10, np.zeros(d + 1)
    alpha = (k_inverse * y).sum(axis=1)
    fitted = max(float((y * alpha).sum()), 1e-12)
    value = 0.5 * n * math.log(fitted / n) + 0.5 * log_determinant
    # dL/dK = (K^-1 - alpha alpha' / amplitude) / 2, amplitude = y' K^-1 y / n.
    m = 0.5 * (k_inverse - np.outer(alpha, alpha) * (n / fitted))
    # dk/d(squared) = -5/6 (1 + r) exp(-r); squared is linear in exp(theta).
    w = m * (-5.0 / 6.0) * (1.0 + r) * e
    # sum_ij w_ij (s_id - s_jd)^2 = 2 (sum_i s_id^2 sum_j w_ij - s_d' w s_d)
    squares = (w.sum(axis=1)[:, None] * scaled * scaled).sum(axis=0)
    by_feature = 2 * (squares - (product(w, scaled) * scaled).sum(axis=0))
    gradient = np.append(np.bincount(place, by_feature, d), noise * np.trace(m))
    return value, gradient
