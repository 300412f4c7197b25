"""Parzen mixtures over one group of parameters: exact truncated and discretised kernels.

A mixture has one component for each observation and a last one that is the prior itself.
Components are products over the columns:

- continuous: a normal kernel truncated to the bounds;
- stepped (q, integers): the mass that this truncated normal puts into the value's cell;
- categorical: (1 - c) on the observed option, c spread as the prior (after Aitchison and
  Aitken, 1976, who spread it evenly).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktuner.space import BoolArray, FloatArray, normal_cdf, normal_quantile
from sparktuner.suggest._groups import Group, IndexArray

_LOG_2PI = float(np.log(2 * np.pi))
# Below this, logarithms of masses are cut off: exp(-690) is about the smallest normal float.
_FLOOR = 1e-300


@dataclass(frozen=True, eq=False)
class Mixture:
    """A density over one group; m observations.

    Attributes:
        group: the columns.
        log_weights: (m + 1,) logarithms of the components' weights, the prior's last.
        mu: (m, d_n) centres of the numeric kernels.
        sigma: (m, d_n) their bandwidths.
        options: (m, d_c) observed options of the categorical columns.
        spread: (d_c,) the share ``c`` of each categorical kernel.
    """

    group: Group
    log_weights: FloatArray
    mu: FloatArray
    sigma: FloatArray
    options: FloatArray
    spread: FloatArray

    def sample(
        self, rng: np.random.Generator, k: int, crossed: BoolArray | None = None
    ) -> FloatArray:
        """``k`` draws, latents of shape (k, d).

        ``crossed`` (k,) tells which draws take each column from a component of its own: those
        are drawn from the product of the marginal densities.
        """
        group, m, n = self.group, len(self.mu), self.group.n_numeric
        component = self._components(rng, k, crossed)
        latents = group.sample_prior(rng, k)
        u = rng.random((k, len(group.columns)))
        observed = component < m
        if not observed.any():
            return latents
        i = np.minimum(component, m - 1)
        place = i[:, :n], np.arange(n)
        z = truncated_normal(self.mu[place], self.sigma[place], group.low, group.high, u[:, :n])
        latents[:, :n] = np.where(observed[:, :n], group.snap(z), latents[:, :n])
        for c in range(n, len(group.columns)):
            stays = observed[:, c] & (u[:, c] >= self.spread[c - n])
            latents[:, c] = np.where(stays, self.options[i[:, c], c - n], latents[:, c])
        return latents

    def _components(
        self, rng: np.random.Generator, k: int, crossed: BoolArray | None
    ) -> IndexArray:
        """The component that each value (k, d) of ``k`` draws comes from."""
        u = rng.random((k, len(self.group.columns)))
        if crossed is None:
            u = np.broadcast_to(u[:, :1], u.shape)
        else:
            u = np.where(crossed[:, None], u, u[:, :1])
        weights = np.cumsum(np.exp(self.log_weights))
        component = np.searchsorted(weights / weights[-1], u, side="right")
        return np.minimum(component, len(self.mu))

    def log_density(self, x: FloatArray) -> FloatArray:
        """Logarithm of the density (mass, in stepped columns) at latents ``x`` (k, d); (k,)."""
        return self.log_densities(x, log_prior(self.group, x))[0]

    def log_densities(self, x: FloatArray, prior: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The same, (k,), and the logarithm of the product of the marginal densities, (k,).

        ``prior`` (k, d) is :func:`log_prior` of ``x``.
        """
        kernels = self._log_kernels(x)
        joint = np.concatenate([kernels.sum(axis=0), prior.sum(axis=1)[:, None]], axis=1)
        joint += self.log_weights
        density = _log_sum_exp(joint)
        if len(kernels) == 1:
            return density, density
        marginals = np.concatenate([kernels, prior.T[:, :, None]], axis=2)
        marginals += self.log_weights
        return density, _log_sum_exp(marginals).sum(axis=0)

    def _log_kernels(self, x: FloatArray) -> FloatArray:
        """(d, k, m): for each column the kernels' logarithms."""
        group = self.group
        cut, n = group.n_continuous, group.n_numeric
        kernels = np.empty((len(group.columns), len(x), len(self.mu)))
        scale, mu = 1 / self.sigma[:, :cut].T[:, None, :], self.mu[:, :cut].T[:, None, :]
        deviation = np.subtract(x[:, :cut].T[:, :, None], mu, out=kernels[:cut])
        deviation *= scale
        deviation *= deviation
        deviation *= -0.5
        deviation += np.log(scale) - 0.5 * _LOG_2PI
        for j in range(cut, n):
            values, cell = np.unique(x[:, j], return_inverse=True)
            lower, upper = group.cells(j, values)
            kernels[j] = log_cell_mass(lower, upper, self.mu[:, j], self.sigma[:, j])[cell]
        mass = truncation_mass(self.mu, self.sigma, group.low, group.high)
        kernels[:n] -= np.log(mass).T[:, None, :]
        for c in range(n, len(group.columns)):
            kernels[c] = self._log_option(c - n, x[:, c])
        return kernels

    def _log_option(self, c: int, x: FloatArray) -> FloatArray:
        spread = self.spread[c] * self.group.p[c][x.astype(np.intp)]
        same = x[:, None] == self.options[:, c]
        share = spread[:, None] + (1 - self.spread[c]) * same
        log_share: FloatArray = np.log(np.maximum(share, _FLOOR))
        return log_share


def _log_sum_exp(terms: FloatArray) -> FloatArray:
    """Over the last axis."""
    top = terms.max(axis=-1, keepdims=True)
    total: FloatArray = top[..., 0] + np.log(np.exp(terms - top).sum(axis=-1))
    return total


def truncation_mass(
    mu: FloatArray, sigma: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Mass that N(mu, sigma) has between the bounds; shapes broadcast."""
    mass = normal_cdf((high - mu) / sigma) - normal_cdf((low - mu) / sigma)
    return np.maximum(mass, _FLOOR)


def truncated_normal(
    mu: FloatArray, sigma: FloatArray, low: FloatArray, high: FloatArray, u: FloatArray
) -> FloatArray:
    """Quantiles ``u`` of N(mu, sigma) truncated to the bounds; shapes broadcast."""
    start = normal_cdf((low - mu) / sigma)
    end = normal_cdf((high - mu) / sigma)
    # Kept off 0 and 1 where the quantile of an unbounded normal is infinite.
    level = np.clip(start + u * (end - start), 2.0**-54, 1 - 2.0**-53)
    return np.clip(mu + sigma * normal_quantile(level), low, high)


def log_cell_mass(
    lower: FloatArray, upper: FloatArray, mu: FloatArray, sigma: FloatArray
) -> FloatArray:
    """Log mass of N(mu, sigma), (m,), in cells with ends (k,); (k, m), not truncated.

    Equal kernels are computed once.
    """
    kernels, place = np.unique(mu + 1j * sigma, return_inverse=True)
    start = (lower[:, None] - kernels.real) / kernels.imag
    end = (upper[:, None] - kernels.real) / kernels.imag
    # By symmetry the tail on the near side is used, which does not lose digits.
    flip = start > 0
    mass = normal_cdf(np.where(flip, -start, end)) - normal_cdf(np.where(flip, -end, start))
    log_mass: FloatArray = np.log(np.maximum(mass, _FLOOR))
    return log_mass[:, place]


def log_prior(group: Group, x: FloatArray) -> FloatArray:
    """Logarithm of the prior of each column at latents ``x`` (k, d); (k, d)."""
    cut = group.n_continuous
    result = np.empty(x.shape)
    normal, a, b = group.normal[:cut], group.a[:cut], group.b[:cut]
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (x[:, :cut] - a) / b
        result[:, :cut] = np.where(
            normal, -0.5 * (z * z + _LOG_2PI) - np.log(b), -np.log(np.where(normal, 1, b - a))
        )
    for j in range(cut, len(group.columns)):
        distribution = group.columns[j].distribution
        result[:, j] = distribution.log_density(distribution.from_latent(x[:, j]))
    return np.maximum(result, np.log(_FLOOR))
