"""Parzen mixtures over a whole space: exact truncated and discretised kernels.

Each group of columns that are active together has a mixture of its own: one component for
each observation and a last one that is the prior itself. Components are products over the
group's columns:

- continuous: a normal kernel truncated to the bounds;
- stepped (q, integers): the mass that this truncated normal puts into the value's cell;
- categorical: (1 - c) on the observed option, c spread as the prior (after Aitchison and
  Aitken, 1976, who spread it evenly).

All groups are evaluated at once, value by value: a row at which a group is inactive costs
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktuner.space import BoolArray, FloatArray, normal_cdf, normal_quantile
from sparktuner.suggest._layout import IndexArray, Layout

_LOG_2PI = float(np.log(2 * np.pi))
# Below this, logarithms of masses are cut off: exp(-690) is about the smallest normal float.
_FLOOR = 1e-300
# Once an array of this size was freed, glibc keeps the memory of smaller ones for the next, see
# M_MMAP_THRESHOLD in mallopt(3). Before, a fifth of a suggestion was page faults.
np.empty(2**22, dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Points:
    """The active values of k rows, column by column; n of them.

    Attributes:
        layout: the columns.
        k: number of rows.
        row: (n,) the row of each value.
        column: (n,) its column in the layout, ascending.
        value: (n,) latents.
        ends: (2, c) ends of the different cells of the stepped columns.
        cell: (n_s,) which of them a stepped value is in.
        cell_column: (c,) the column of each cell.
        log_prior: (n,) logarithm of the prior density (mass, in stepped columns).
        by_group: (n,) the values ordered by group, then by row.
        starts: (s,) where in that order another group or row begins.
    """

    layout: Layout
    k: int
    row: IndexArray
    column: IndexArray
    value: FloatArray
    ends: FloatArray
    cell: IndexArray
    cell_column: IndexArray
    log_prior: FloatArray
    by_group: IndexArray
    starts: IndexArray

    @classmethod
    def of(cls, layout: Layout, x: FloatArray, active: BoolArray) -> Points:
        """From latents ``x`` (k, d) in the layout's order, those that are ``active`` (k, d)."""
        column, row = np.nonzero(active.T)
        value = x[row, column]
        cut = np.searchsorted(column, [layout.n_continuous, layout.n_numeric])
        stepped = slice(cut[0], cut[1])
        # Each cell once: many rows have the same integer.
        different, cell = np.unique(column[stepped] + 1j * value[stepped], return_inverse=True)
        cell_column = different.real.astype(np.intp)
        ends = layout.table.cells(cell_column, different.imag)
        place = layout.group[column] * len(x) + row
        by_group = np.argsort(place, kind="stable")
        starts = np.flatnonzero(np.diff(place[by_group], prepend=-1))
        prior = np.maximum(layout.table.log_density(column, value), np.log(_FLOOR))
        return cls(
            layout, len(x), row, column, value, ends, cell, cell_column, prior, by_group, starts
        )


@dataclass(frozen=True, eq=False)
class Mixture:
    """A density over each of G groups; up to m observations in each.

    Attributes:
        layout: the columns.
        log_weights: (G, m + 1) logarithms of the components' weights, the prior's last; -inf
            where a group has fewer observations.
        mu: (d_n, m) centres of the numeric kernels.
        sigma: (d_n, m) their bandwidths.
        options: (d_c, m) observed options of the categorical columns.
        smoothing: (d_c,) the share ``c`` of each categorical kernel.
    """

    layout: Layout
    log_weights: FloatArray
    mu: FloatArray
    sigma: FloatArray
    options: FloatArray
    smoothing: FloatArray

    def sample(
        self, rng: np.random.Generator, k: int, from_marginals: BoolArray | None = None
    ) -> FloatArray:
        """``k`` draws, latents of shape (k, d), of all columns whether active or not.

        ``from_marginals`` (k,) tells which draws take each column from a component of its own:
        those are drawn from the product of the marginal densities.
        """
        layout, m, n = self.layout, self.mu.shape[1], self.layout.n_numeric
        component = self._components(rng, k, from_marginals)
        latents = layout.sample_prior(rng, k)
        u = rng.random(latents.shape)
        if not m:
            return latents
        observed = component < m
        component = np.minimum(component, m - 1)
        place = np.arange(n), component[:, :n]
        z = truncated_normal(self.mu[place], self.sigma[place], layout.low, layout.high, u[:, :n])
        latents[:, :n] = np.where(observed[:, :n], z, latents[:, :n])
        stays = observed[:, n:] & (u[:, n:] >= self.smoothing)
        options = self.options[np.arange(len(self.options)), component[:, n:]]
        # A trial from before a parameter was added has no option; the prior's draw stays.
        latents[:, n:] = np.where(stays & ~np.isnan(options), options, latents[:, n:])
        return layout.table.snap(latents)

    def _components(
        self, rng: np.random.Generator, k: int, from_marginals: BoolArray | None
    ) -> IndexArray:
        """The component that each value (k, d) of ``k`` draws comes from."""
        group = self.layout.group
        u = rng.random((k, len(self.log_weights)))[:, group]
        own = rng.random(u.shape)
        if from_marginals is not None:
            u = np.where(from_marginals[:, None], own, u)
        weights = np.cumsum(np.exp(self.log_weights), axis=1)
        weights /= weights[:, -1:]
        below: IndexArray = (weights[group] <= u[:, :, None]).sum(axis=2)
        return np.minimum(below, self.mu.shape[1])

    def log_densities(self, points: Points) -> tuple[FloatArray, FloatArray]:
        """For each row, (k,): log joint density of its groups, and of their columns' marginals.

        Both are sums of logarithms; stepped columns count with masses.
        """
        layout, k = self.layout, points.k
        group = layout.group[points.column]
        kernels = self._log_kernels(points)
        joint = np.add.reduceat(kernels[points.by_group], points.starts, axis=0)
        first = points.by_group[points.starts]
        joint += self.log_weights[group[first]]
        # A single column's densities are neither so large nor, for the prior's floor, so small
        # that their sum would have to be scaled.
        np.exp(kernels, out=kernels)
        marginal = np.einsum("ij,ij->i", kernels, np.exp(self.log_weights)[group])
        return (
            _sum_by_row(_log_sum_exp(joint), points.row[first], k),
            _sum_by_row(np.log(marginal), points.row, k),
        )

    def _log_kernels(self, points: Points) -> FloatArray:
        """(n, m + 1): for each value the kernels' logarithms, the prior's last."""
        layout, column = self.layout, points.column
        cut, end = np.searchsorted(column, [layout.n_continuous, layout.n_numeric])
        low, high = layout.low[:, None], layout.high[:, None]
        log_mass = np.log(truncation_mass(self.mu, self.sigma, low, high))
        kernels = np.empty((len(column), self.mu.shape[1] + 1))
        # -(x - mu)^2 / (2 sigma^2) - log(sigma sqrt(2 pi) mass), in few passes.
        j, c = column[:cut], layout.n_continuous
        root = np.sqrt(0.5) / self.sigma[:c]
        deviation = points.value[:cut, None] - self.mu[j]
        deviation *= root[j]
        deviation *= deviation
        top = -(log_mass[:c] + np.log(self.sigma[:c]) + 0.5 * _LOG_2PI)
        np.subtract(top[j], deviation, out=kernels[:cut, :-1])
        j, (lower, upper) = points.cell_column, points.ends
        cells = log_cell_mass(lower, upper, self.mu[j], self.sigma[j]) - log_mass[j]
        kernels[cut:end, :-1] = cells[points.cell]
        kernels[end:, :-1] = self._log_options(points, int(end))
        kernels[:, -1] = points.log_prior
        return kernels

    def _log_options(self, points: Points, start: int) -> FloatArray:
        """(n_c, m) of the categorical values, which begin at ``start``."""
        c = points.column[start:] - self.layout.n_numeric
        smoothing = self.smoothing[c]
        miss = smoothing * np.exp(points.log_prior[start:])
        log_miss, log_hit = np.log(np.maximum([miss, miss + 1 - smoothing], _FLOOR))
        is_hit = points.value[start:, None] == self.options[c]
        log_share: FloatArray = np.where(is_hit, log_hit[:, None], log_miss[:, None])
        return log_share


def _log_sum_exp(terms: FloatArray) -> FloatArray:
    """Over the last axis, in place."""
    top = terms.max(axis=1)
    terms -= top[:, None]
    np.exp(terms, out=terms)
    total: FloatArray = top + np.log(terms.sum(axis=1))
    return total


def _sum_by_row(terms: FloatArray, row: IndexArray, k: int) -> FloatArray:
    return np.bincount(row, terms, k).astype(np.float64)


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
    """(c, m) log masses that N(mu, sigma), (c, m), not truncated, puts in cells with ends (c,)."""
    z = (np.array([lower, upper])[:, :, None] - mu) / sigma
    # By symmetry the tail on the near side is used, which does not lose digits.
    z *= np.copysign(1.0, -z[0])
    below = normal_cdf(z)
    mass = np.abs(below[1] - below[0])
    log_mass: FloatArray = np.log(np.maximum(mass, _FLOOR))
    return log_mass
