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

from sparktuner.space import FloatArray, normal_cdf, normal_quantile
from sparktuner.suggest._groups import Group

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
        sigma: (d_n,) their bandwidths.
        options: (m, d_c) observed options of the categorical columns.
        spread: (d_c,) the share ``c`` of each categorical kernel.
    """

    group: Group
    log_weights: FloatArray
    mu: FloatArray
    sigma: FloatArray
    options: FloatArray
    spread: FloatArray

    def sample(self, rng: np.random.Generator, k: int) -> FloatArray:
        """``k`` draws, latents of shape (k, d)."""
        group = self.group
        weights = np.cumsum(np.exp(self.log_weights))
        component = np.searchsorted(weights / weights[-1], rng.random(k), side="right")
        component = np.minimum(component, len(self.mu))
        latents = group.sample_prior(rng, k)
        u = rng.random((k, len(group.columns)))
        rows = np.flatnonzero(component < len(self.mu))
        if not len(rows):
            return latents
        i, u = component[rows], u[rows]
        n = group.n_numeric
        z = truncated_normal(self.mu[i], self.sigma, group.low, group.high, u[:, :n])
        latents[rows, :n] = group.snap(z)
        for c in range(n, len(group.columns)):
            stays = u[:, c] >= self.spread[c - n]
            latents[rows, c] = np.where(stays, self.options[i, c - n], latents[rows, c])
        return latents

    def log_density(self, x: FloatArray, prior: FloatArray | None = None) -> FloatArray:
        """Logarithm of the density (mass, in stepped columns) at latents ``x`` (k, d); (k,).

        ``prior`` is the prior's, if it is known already.
        """
        joint = np.empty((len(x), len(self.mu) + 1))
        joint[:, :-1] = self._log_kernels(x)
        joint[:, -1] = log_prior(self.group, x).sum(axis=1) if prior is None else prior
        joint += self.log_weights
        top = joint.max(axis=1)
        total: FloatArray = top + np.log(np.exp(joint - top[:, None]).sum(axis=1))
        return total

    def _log_kernels(self, x: FloatArray) -> FloatArray:
        group = self.group
        cut, n = group.n_continuous, group.n_numeric
        mass = truncation_mass(self.mu, self.sigma, group.low, group.high)
        constant = -np.log(mass).sum(axis=1)
        constant -= np.log(self.sigma[:cut]).sum() + 0.5 * cut * _LOG_2PI
        scale = 1 / self.sigma[:cut]
        deviation = (x[:, :cut] * scale)[:, None, :] - self.mu[:, :cut] * scale
        log_kernels: FloatArray = constant - 0.5 * np.einsum("kmd,kmd->km", deviation, deviation)
        for j in range(cut, n):
            values, cell = np.unique(x[:, j], return_inverse=True)
            lower, upper = group.cells(j, values)
            log_kernels += log_cell_mass(lower, upper, self.mu[:, j], self.sigma[j])[cell]
        for c in range(n, len(group.columns)):
            log_kernels += self._log_option(c - n, x[:, c])
        return log_kernels

    def _log_option(self, c: int, x: FloatArray) -> FloatArray:
        spread = self.spread[c] * self.group.p[c][x.astype(np.intp)]
        same = x[:, None] == self.options[:, c]
        share = spread[:, None] + (1 - self.spread[c]) * same
        log_share: FloatArray = np.log(np.maximum(share, _FLOOR))
        return log_share


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
    lower: FloatArray, upper: FloatArray, mu: FloatArray, sigma: float
) -> FloatArray:
    """Log mass of N(mu, sigma), (m,), in cells with ends (k,); (k, m), not truncated.

    Equal kernels are computed once.
    """
    centres, kernel = np.unique(mu, return_inverse=True)
    start = (lower[:, None] - centres) / sigma
    end = (upper[:, None] - centres) / sigma
    # By symmetry the tail on the near side is used, which does not lose digits.
    flip = start > 0
    mass = normal_cdf(np.where(flip, -start, end)) - normal_cdf(np.where(flip, -end, start))
    table: FloatArray = np.log(np.maximum(mass, _FLOOR))
    return table[:, kernel]


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
