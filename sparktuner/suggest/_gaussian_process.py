"""A small Gaussian process with one length scale for each parameter.

Rasmussen and Williams (2006), "Gaussian processes for machine learning", chapters 2 and 5.
Matérn 5/2 kernel; the amplitude is profiled out; length scales and noise maximise the
posterior, with the prior of Hvarfner, Hellsten, Nardi (2024) that lengthens them in high
dimensions. A few steps of L-BFGS suffice for ranking candidates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from sparktuner.space import FloatArray
from sparktuner.suggest._groups import IndexArray

_JITTER = 1e-6
_ROOT5 = math.sqrt(5.0)


@dataclass(frozen=True)
class Prior:
    """Normal priors of log hyperparameters.

    Attributes:
        length: median length scale in one dimension; it grows as the root of the dimension.
        length_sd: standard deviation of the log length scale.
        noise: median ratio of noise variance to signal variance.
        noise_sd: standard deviation of its logarithm.
        steps: evaluations of the likelihood.
    """

    length: float = 0.6
    length_sd: float = 1.0
    noise: float = 0.01
    noise_sd: float = 2.0
    steps: int = 12


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """The posterior given n points.

    Attributes:
        x: (n, f) features.
        root: (f,) square roots of the inverse squared length scales.
        factor: (n, n) lower Cholesky factor of the kernel matrix, amplitude 1.
        alpha: (n,) kernel matrix inverse times the targets.
        amplitude: signal variance.
        noise: noise variance over signal variance.
        y: (n,) targets.
    """

    x: FloatArray
    root: FloatArray
    factor: FloatArray
    alpha: FloatArray
    amplitude: float
    noise: float
    y: FloatArray

    def predict(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the noise-free loss at features (k, f)."""
        k = matern(squared_distances(x * self.root, self.x * self.root))
        v = linalg.solve_triangular(self.factor, k.T, lower=True, check_finite=False)
        variance = np.maximum(1.0 - np.einsum("nk,nk->k", v, v), 1e-10)
        mean: FloatArray = k @ self.alpha
        return mean, np.sqrt(self.amplitude * variance)

    def with_fantasies(self, x: FloatArray) -> GaussianProcess:
        """Conditioned on what it predicts at pending points (k, f): only the variance falls.

        The kriging believer of Ginsbourger, Le Riche, Carraro (2010).
        """
        if not len(x):
            return self
        every = np.concatenate([self.x, x])
        y = np.concatenate([self.y, self.predict(x)[0]])
        return condition(every, y, self.root, self.noise, self.amplitude)

    def leave_one_out(self) -> FloatArray:
        """(n,) predictions of each target from the others (eq. 5.12)."""
        inverse = linalg.lapack.dpotri(self.factor, lower=1)[0]
        left_out: FloatArray = self.y - self.alpha / np.diag(inverse)
        return left_out


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Between rows of a (k, f) and b (n, f); (k, n)."""
    d = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * (a @ b.T)
    distances: FloatArray = np.maximum(d, 0.0, out=d)
    return distances


def matern(d: FloatArray) -> FloatArray:
    """Matérn 5/2 of squared distances (eq. 4.17)."""
    r = _ROOT5 * np.sqrt(d)
    kernel: FloatArray = (1.0 + r + r * r / 3.0) * np.exp(-r)
    return kernel


def condition(
    x: FloatArray, y: FloatArray, root: FloatArray, noise: float, amplitude: float | None = None
) -> GaussianProcess:
    """The posterior for given hyperparameters."""
    scaled = x * root
    k = matern(squared_distances(scaled, scaled))
    k[np.diag_indices_from(k)] = 1.0 + noise + _JITTER
    factor = linalg.cholesky(k, lower=True, overwrite_a=True, check_finite=False)
    alpha = linalg.cho_solve((factor, True), y, check_finite=False)
    if amplitude is None:
        amplitude = max(float(y @ alpha) / len(y), 1e-12)
    return GaussianProcess(x, root, factor, alpha, amplitude, noise, y)


def fit(x: FloatArray, owner: IndexArray, y: FloatArray, prior: Prior) -> GaussianProcess:
    """Hyperparameters by maximum a posteriori, then the posterior.

    Args:
        x: (n, f) features.
        owner: (f,) the parameter that each feature belongs to; one length scale for each.
        y: (n,) standardised targets.
        prior: of the hyperparameters.
    """
    from scipy import optimize  # slow to import, needed only here

    columns, place = np.unique(owner, return_inverse=True)
    d = len(columns)
    mean = np.full(d + 1, -2 * math.log(prior.length) - math.log(d))
    sd = np.full(d + 1, 2 * prior.length_sd)
    mean[-1], sd[-1] = math.log(prior.noise), prior.noise_sd

    def loss(t: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = _negative_log_posterior(mean + sd * t, x, place, y)
        return value + 0.5 * float(t @ t), gradient * sd + t

    start = np.zeros(d + 1)
    t, _, _ = optimize.fmin_l_bfgs_b(
        loss, start, maxfun=prior.steps, bounds=[(-3.0, 3.0)] * (d + 1)
    )
    # Three digits: the last bits of a sum depend on the machine and on the BLAS's threads.
    theta = np.round(mean + sd * t, 3)
    return condition(x, y, np.exp(theta[:-1] / 2)[place], math.exp(theta[-1]))


def _negative_log_posterior(
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
    k[np.diag_indices_from(k)] = 1.0 + noise + _JITTER
    factor, info = linalg.lapack.dpotrf(k, lower=1, clean=1)
    if info:
        return 1e10, np.zeros(d + 1)
    inverse = linalg.lapack.dpotri(factor, lower=1)[0]
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    alpha = inverse @ y
    fitted = max(float(y @ alpha), 1e-12)
    value = 0.5 * n * math.log(fitted / n) + float(np.log(np.diag(factor)).sum())
    # dL/dK = (K^-1 - alpha alpha' / amplitude) / 2, amplitude = y' K^-1 y / n.
    m = 0.5 * (inverse - np.outer(alpha, alpha) * (n / fitted))
    # dk/d(squared) = -5/6 (1 + r) exp(-r); squared is linear in exp(theta).
    w = m * (-5.0 / 6.0) * (1.0 + r) * e
    # sum_ij w_ij (s_id - s_jd)^2 = 2 (sum_i s_id^2 sum_j w_ij - s_d' w s_d)
    by_feature = 2 * (w.sum(axis=1) @ (scaled * scaled) - ((w @ scaled) * scaled).sum(axis=0))
    gradient = np.append(np.bincount(place, by_feature, d), noise * np.trace(m))
    return value, gradient
