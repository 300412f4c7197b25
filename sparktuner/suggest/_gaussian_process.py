"""A Gaussian process for at most a hundred points, with one length scale for each parameter.

Rasmussen and Williams (2006), "Gaussian processes for machine learning", chapters 2, 4 and 5,
whose equation numbers the comments give. The kernel is Matérn 5/2. The amplitude is the most
likely one for given length scales and noise, and those maximise the posterior density, under
the prior of Hvarfner, Hellsten, Nardi (2024, "Vanilla Bayesian optimization performs great in
high dimensions"), which lengthens the scales in high dimensions. A few steps of L-BFGS
suffice, because candidates are only ranked.

In comments K is the kernel matrix of amplitude 1, noise included, and alpha = K^-1 y.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from sparktuner.space import FloatArray
from sparktuner.suggest._layout import IndexArray
from sparktuner.suggest._lbfgs import lbfgs
from sparktuner.suggest._linear_algebra import MAX_ROWS, cholesky, inverse, product

# Added to the diagonal with the noise: equal points would make the matrix singular.
_JITTER = 1e-6
_ROOT5 = math.sqrt(5.0)


@dataclass(frozen=True)
class HyperPrior:
    """Normal priors of the logarithms of a Gaussian process's hyperparameters.

    Attributes:
        length_scale: Median length scale in one dimension; in d dimensions the median is
            sqrt(d) times as long.
        length_scale_sd: Standard deviation of the logarithm of a length scale.
        noise: Median ratio of the noise variance to the signal variance.
        noise_sd: Standard deviation of the logarithm of that ratio.
        fit_evaluations: How often the likelihood is evaluated to fit the hyperparameters.
    """

    length_scale: float = 0.35
    length_scale_sd: float = 1.0
    noise: float = 0.001
    noise_sd: float = 2.0
    fit_evaluations: int = 10


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """The posterior of a function given its values at n points.

    Of m pending points, whose values are not known yet, the variance is conditioned on the
    positions alone.

    Attributes:
        x: (n, f) features of the points, divided by the length scales.
        y: (n,) targets: the values, noise included.
        inverse_length_scales: (f,) reciprocal length scales of the features.
        kernel_inverse: (n, n) inverse of the kernel matrix K of amplitude 1, noise included.
        alpha: (n,) the product of ``kernel_inverse`` and ``y``.
        amplitude: Signal variance.
        noise: Ratio of the noise variance to the signal variance.
        pending: (m, f) features of the pending points, divided by the length scales.
        pending_precision: (m, m) inverse of the pending points' posterior covariance, of
            amplitude 1.
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
        """Returns the means (k,) and standard deviations (k,) of values at features (k, f).

        The values are those of the function itself, without noise.
        """
        scaled = x * self.inverse_length_scales
        k = matern52(squared_distances(scaled, self.x))
        weights = product(k, self.kernel_inverse)
        variance = 1.0 - (weights * k).sum(axis=1)  # eq. (2.26)
        if len(self.pending):
            # The same equation once more, on top of the posterior.
            c = self._covariance(scaled, weights)
            variance = variance - (product(c, self.pending_precision) * c).sum(axis=1)
        mean: FloatArray = (k * self.alpha).sum(axis=1)  # eq. (2.25)
        return mean, np.sqrt(self.amplitude * np.maximum(variance, 1e-8))

    def draws(self, x: FloatArray, rng: np.random.Generator, k: int) -> FloatArray:
        """Returns ``k`` functions drawn from the posterior, as their values (k, m) at features.

        Pending points do not count.

        Args:
            x: (m, f) features.
            rng: The source of randomness.
            k: How many.
        """
        scaled = x * self.inverse_length_scales
        across = matern52(squared_distances(scaled, self.x))
        weights = product(across, self.kernel_inverse)
        among = matern52(squared_distances(scaled, scaled))
        covariance = among - product(weights, across.T)  # eq. (2.24)
        root = _root(self.amplitude * (covariance + covariance.T) / 2)
        mean = (across * self.alpha).sum(axis=1)
        values: FloatArray = mean + product(rng.normal(size=(k, len(x))), root.T)
        return values

    def fitted_values(self) -> FloatArray:
        """Returns the means (n,) at the process's own points: targets freed from their noise."""
        # eq. (2.25) with k = K - (noise + jitter) I.
        means: FloatArray = self.y - (self.noise + _JITTER) * self.alpha
        return means

    def _covariance(self, scaled: FloatArray, weights: FloatArray) -> FloatArray:
        """Posterior covariance (k, m) of new points and pending ones, eq. (2.24)."""
        across = matern52(squared_distances(self.pending, self.x))
        return matern52(squared_distances(scaled, self.pending)) - product(weights, across.T)

    def with_fantasies(self, x: FloatArray) -> GaussianProcess:
        """Returns the process conditioned on its own predictions at pending points (m, f).

        Means stay what they are, and variances fall where a result is under way: the kriging
        believer of Ginsbourger, Le Riche, Carraro (2010). Of more than ``MAX_ROWS`` points the
        last ones count.
        """
        if not len(x):
            return self
        scaled = x[-MAX_ROWS:] * self.inverse_length_scales
        k = matern52(squared_distances(scaled, self.x))
        believer = replace(self, pending=scaled)
        covariance = believer._covariance(scaled, product(k, self.kernel_inverse))
        # Results to come are noisy too; a larger jitter, for pending points may be neighbours.
        covariance.flat[:: len(covariance) + 1] += self.noise + 1e-4
        return replace(believer, pending_precision=inverse(covariance)[0])

    def leave_one_out(self) -> FloatArray:
        """Returns the prediction (n,) of each target from all the others, eq. (5.12)."""
        left_out: FloatArray = self.y - self.alpha / np.diag(self.kernel_inverse)
        return left_out

    def is_predictive(self, share: float = 1.0) -> bool:
        """Tells whether predictions of left-out targets are better than their mean, which is 0.

        Args:
            share: The sum of the squared errors must be below this share of the sum of the
                squared targets.
        """
        error = self.y - self.leave_one_out()
        return float(error @ error) < share * float(self.y @ self.y)


def _root(covariance: FloatArray) -> FloatArray:
    """A lower triangle whose product with its transpose is nearly the covariance."""
    # Neighbours make it singular but for rounding. What is added to the diagonal is noise that
    # each value has alone, so as little as serves.
    scale = float(np.diag(covariance).max())
    for power in range(-10, 0):
        padded = covariance.copy()
        padded.flat[:: len(padded) + 1] += scale * 10.0**power
        try:
            return cholesky(padded)
        except ValueError:
            continue
    root: FloatArray = np.diag(np.sqrt(np.maximum(np.diag(covariance), 0.0)))
    return root


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Returns the squared Euclidean distances (k, n) between the rows of a (k, f) and b (n, f)."""
    # |a - b|^2 = |a|^2 + |b|^2 - 2 a b: one product of matrices; rounding may make it negative.
    d = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * product(a, b.T)
    distances: FloatArray = np.maximum(d, 0.0, out=d)
    return distances


def matern52(d: FloatArray) -> FloatArray:
    """Returns the Matérn 5/2 kernel of squared distances ``d``, eq. (4.17), elementwise."""
    r = _ROOT5 * np.sqrt(d)
    kernel: FloatArray = (1.0 + r + r * r / 3.0) * np.exp(-r)
    return kernel


def condition(x: FloatArray, y: FloatArray, root: FloatArray, noise: float) -> GaussianProcess:
    """Returns the posterior for given length scales and noise, and the most likely amplitude.

    Args:
        x: (n, f) features.
        y: (n,) targets of mean 0.
        root: (f,) reciprocal length scales.
        noise: Ratio of the noise variance to the signal variance.

    Raises:
        ValueError: The kernel matrix is not positive definite.
    """
    scaled = x * root
    k = matern52(squared_distances(scaled, scaled))
    k.flat[:: len(k) + 1] = 1.0 + noise + _JITTER
    k_inverse, _ = inverse(k)
    alpha = (k_inverse * y).sum(axis=1)
    # Where the derivative of eq. (5.8) by the amplitude is 0: y' K^-1 y / n.
    amplitude = max(float((y * alpha).sum()) / len(y), 1e-12)
    none = np.empty((0, x.shape[1]))
    return GaussianProcess(
        scaled, y, root, k_inverse, alpha, amplitude, noise, none, np.empty((0, 0))
    )


def fit(
    x: FloatArray, column_of: IndexArray, y: FloatArray, prior: HyperPrior, learn: IndexArray
) -> GaussianProcess:
    """Returns the posterior for the most probable hyperparameters.

    Args:
        x: (n, f) features, n at most ``MAX_ROWS``.
        column_of: (f,) the column that each feature belongs to; each column has one length
            scale.
        y: (n,) targets of mean 0 and variance 1.
        prior: The prior of the hyperparameters.
        learn: (l,) positions of the points that the hyperparameters are learnt from.
    """
    columns, place = np.unique(column_of, return_inverse=True)
    # theta: logarithms of the d inverse squared length scales, and of the noise; t is theta in
    # standard deviations of its prior, so that L-BFGS meets equal scales.
    d = len(columns)
    mean = np.full(d + 1, -2 * math.log(prior.length_scale) - math.log(d))
    sd = np.full(d + 1, 2 * prior.length_scale_sd)
    mean[-1], sd[-1] = math.log(prior.noise), prior.noise_sd

    def loss(t: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = negative_log_likelihood(mean + sd * t, x[learn], place, y[learn])
        # Minus the logarithm of the posterior density.
        return value + 0.5 * float(t @ t), gradient * sd + t

    t = lbfgs(loss, np.zeros(d + 1), prior.fit_evaluations)
    # Three digits: the last bits of a sum depend on the machine and on the BLAS's threads.
    theta = np.round(mean + sd * t, 3)
    return condition(x, y, np.exp(theta[:-1] / 2)[place], math.exp(theta[-1]))


def negative_log_likelihood(
    theta: FloatArray, x: FloatArray, place: IndexArray, y: FloatArray
) -> tuple[float, FloatArray]:
    """Returns the negative log marginal likelihood and its gradient (d + 1,).

    The amplitude is the most likely one for ``theta``, and a constant is left out.

    Args:
        theta: (d + 1,) logarithms of the inverse squared length scales, and of the noise.
        x: (n, f) features.
        place: (f,) the number of the length scale of each feature.
        y: (n,) targets.

    Returns:
        The value, 1e10 with gradient 0 where the kernel matrix is not positive definite.
    """
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
        # So bad that the line search turns back.
        return 1e10, np.zeros(d + 1)
    alpha = (k_inverse * y).sum(axis=1)
    fitted = max(float((y * alpha).sum()), 1e-12)
    # eq. (5.8) with K times the amplitude y' K^-1 y / n: its first term is a constant n / 2.
    value = 0.5 * n * math.log(fitted / n) + 0.5 * log_determinant
    # eq. (5.9) as dL/dK = (K^-1 - alpha alpha' / amplitude) / 2, of which the trace with dK/dtheta
    # is the gradient. As the amplitude is the most likely one, it adds nothing.
    m = 0.5 * (k_inverse - np.outer(alpha, alpha) * (n / fitted))
    # dk/d(squared) = -5/6 (1 + r) exp(-r); squared is linear in exp(theta).
    w = m * (-5.0 / 6.0) * (1.0 + r) * e
    # sum_ij w_ij (s_id - s_jd)^2 = 2 (sum_i s_id^2 sum_j w_ij - s_d' w s_d)
    squares = (w.sum(axis=1)[:, None] * scaled * scaled).sum(axis=0)
    by_feature = 2 * (squares - (product(w, scaled) * scaled).sum(axis=0))
    gradient = np.append(np.bincount(place, by_feature, d), noise * np.trace(m))
    return value, gradient
