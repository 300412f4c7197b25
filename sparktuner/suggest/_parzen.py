"""Parzen mixtures over a whole space, with exact truncated and discretised kernels.

Bergstra, Bardenet, Bengio, Kégl (2011), section 4, build such a mixture for each parameter;
Falkner, Klein, Hutter (2018), section 3.2, a joint one. Here each group of columns that are
active together has a joint mixture: one component for each observation, and a last one that is
the prior itself. Components are products over the group's columns:

- continuous: a normal kernel truncated to the bounds;
- stepped (q, integers): the mass that this truncated normal puts into the value's cell;
- categorical: (1 - c) on the observed option, c spread as the prior (after Aitchison and
  Aitken, 1976, who spread it evenly).

All groups are evaluated at once, value by value, so that a row in which a group is inactive
costs nothing. Arrays have rows for columns (d, d_n numeric and d_c categorical ones) or for
values (n), and columns for observations (m).
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
    """The n active values of k rows of latents, column by column, prepared for mixtures.

    Two densities are evaluated at the same points, and share what does not depend on them.

    Attributes:
        layout: The columns.
        k: The number of rows.
        row: (n,) the row of each value.
        column: (n,) the column of each value in the layout, ascending.
        value: (n,) the values themselves, latents.
        ends: (2, c) lower and upper ends of the c different cells of stepped values.
        cell: (n_s,) the cell of each of the n_s stepped values.
        cell_column: (c,) the column of each cell.
        log_prior: (n,) log density of each value under the prior; log mass where a column is
            stepped or categorical.
        by_group: (n,) positions of the values, ordered by group and then by row.
        starts: (s,) where in that order the values of another group or row begin.
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
        """Takes the active values of rows of latents.

        Args:
            layout: The columns.
            x: (k, d) latents in the order of the layout.
            active: (k, d) which of them count.
        """
        column, row = np.nonzero(active.T)
        value = x[row, column]
        cut = np.searchsorted(column, [layout.n_continuous, layout.n_numeric])
        stepped = slice(cut[0], cut[1])
        # Each cell once: many rows have the same integer.
        # Pairs of column and value, as complex numbers, which NumPy sorts fastest.
        different, cell = np.unique(column[stepped] + 1j * value[stepped], return_inverse=True)
        cell_column = different.real.astype(np.intp)
        ends = layout.table.cells(cell_column, different.imag)
        place = layout.group[column] * len(x) + row
        by_group = np.argsort(place, kind="stable")
        starts = np.flatnonzero(np.diff(place[by_group], prepend=-1))
        # The prior, a component of every mixture, keeps all densities above the floor, and so all
        # their logarithms finite.
        prior = np.maximum(layout.table.log_density(column, value), np.log(_FLOOR))
        return cls(
            layout, len(x), row, column, value, ends, cell, cell_column, prior, by_group, starts
        )


@dataclass(frozen=True, eq=False)
class Mixture:
    """A density over each of G groups of columns, made of up to m observations in each.

    Attributes:
        layout: The columns.
        log_weights: (G, m + 1) logarithms of the components' weights, which add up to 1, the
            prior's last; -inf where a group has fewer observations.
        mu: (d_n, m) centres of the kernels in numeric columns.
        sigma: (d_n, m) bandwidths of these kernels.
        options: (d_c, m) observed options in categorical columns; NaN where there is none.
        smoothing: (d_c,) the share c of a categorical kernel that is spread as the prior.
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
        """Returns ``k`` draws, latents (k, d), with a value in inactive columns too.

        Args:
            rng: The source of randomness.
            k: The number of draws.
            from_marginals: (k,) which draws take each column from a component of its own, and
                so come from the product of the marginal densities; None means none of them.
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
        # With probability 1 - c the observed option, else the prior's draw, which is there.
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
        # One number for all columns of a group gives a joint draw, one for each column the
        # product of marginals.
        own = rng.random(u.shape)
        if from_marginals is not None:
            u = np.where(from_marginals[:, None], own, u)
        weights = np.cumsum(np.exp(self.log_weights), axis=1)
        weights /= weights[:, -1:]
        # The first component whose cumulative weight exceeds u.
        below: IndexArray = (weights[group] <= u[:, :, None]).sum(axis=2)
        return np.minimum(below, self.mu.shape[1])

    def log_densities(self, points: Points) -> tuple[FloatArray, FloatArray]:
        """Returns the log densities (k,) of rows of latents, joint ones and marginal ones.

        The first is the sum of the log joint densities of the groups that are active in a row,
        the second that of the log marginal densities of its columns. Stepped and categorical
        columns count with masses.
        """
        layout, k = self.layout, points.k
        group = layout.group[points.column]
        kernels = self._log_kernels(points)
        # Kernels are products over columns: sums of logarithms over each group's values in a row.
        joint = np.add.reduceat(kernels[points.by_group], points.starts, axis=0)
        first = points.by_group[points.starts]
        joint += self.log_weights[group[first]]
        # A single column's densities are neither so large nor, for the prior's floor, so small
        # that their sum would have to be scaled.
        np.exp(kernels, out=kernels)
        # The marginal density of one column is the mixture of its own kernels.
        marginal = np.einsum("ij,ij->i", kernels, np.exp(self.log_weights)[group])
        return (
            _sum_by_row(_log_sum_exp(joint), points.row[first], k),
            _sum_by_row(np.log(marginal), points.row, k),
        )

    def _log_kernels(self, points: Points) -> FloatArray:
        """Logarithms (n, m + 1) of the kernels at each value, the prior's last."""
        layout, column = self.layout, points.column
        cut, end = np.searchsorted(column, [layout.n_continuous, layout.n_numeric])
        low, high = layout.low[:, None], layout.high[:, None]
        log_mass = np.log(truncation_mass(self.mu, self.sigma, low, high))
        kernels = np.empty((len(column), self.mu.shape[1] + 1))
        # -(x - mu)^2 / (2 sigma^2) - log(sigma sqrt(2 pi) mass), in few passes.
        j, c = column[:cut], layout.n_continuous
        root = np.sqrt(0.5) / self.sigma[:c]
        deviation = points.value[:cut, None] - self.mu[j]
        with np.errstate(over="ignore"):  # far out, where the density is 0
            deviation *= root[j]
            deviation *= deviation
        top = -(log_mass[:c] + np.log(self.sigma[:c]) + 0.5 * _LOG_2PI)
        np.subtract(top[j], deviation, out=kernels[:cut, :-1])
        # The mass in a cell, of a kernel truncated to the bounds.
        j, (lower, upper) = points.cell_column, points.ends
        cells = log_cell_mass(lower, upper, self.mu[j], self.sigma[j]) - log_mass[j]
        kernels[cut:end, :-1] = cells[points.cell]
        kernels[end:, :-1] = self._log_options(points, int(end))
        kernels[:, -1] = points.log_prior
        return kernels

    def _log_options(self, points: Points, start: int) -> FloatArray:
        """Logarithms (n_c, m) of the kernels at categorical values, which begin at ``start``."""
        # c p(x) where another option was observed, and 1 - c + c p(x) where it was x.
        c = points.column[start:] - self.layout.n_numeric
        smoothing = self.smoothing[c]
        miss = smoothing * np.exp(points.log_prior[start:])
        log_miss, log_hit = np.log(np.maximum([miss, miss + 1 - smoothing], _FLOOR))
        is_hit = points.value[start:, None] == self.options[c]
        log_share: FloatArray = np.where(is_hit, log_hit[:, None], log_miss[:, None])
        return log_share


def _log_sum_exp(terms: FloatArray) -> FloatArray:
    """Logarithms (s,) of the sums of exponentials of ``terms`` (s, m), which are overwritten."""
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
    """Returns the mass that N(mu, sigma) has between two bounds; shapes broadcast."""
    mass = normal_cdf((high - mu) / sigma) - normal_cdf((low - mu) / sigma)
    return np.maximum(mass, _FLOOR)


def truncated_normal(
    mu: FloatArray, sigma: FloatArray, low: FloatArray, high: FloatArray, u: FloatArray
) -> FloatArray:
    """Returns the quantiles ``u`` of N(mu, sigma) truncated to two bounds; shapes broadcast."""
    start = normal_cdf((low - mu) / sigma)
    end = normal_cdf((high - mu) / sigma)
    # Kept off 0 and 1 where the quantile of an unbounded normal is infinite.
    level = np.clip(start + u * (end - start), 2.0**-54, 1 - 2.0**-53)
    return np.clip(mu + sigma * normal_quantile(level), low, high)


def log_cell_mass(
    lower: FloatArray, upper: FloatArray, mu: FloatArray, sigma: FloatArray
) -> FloatArray:
    """Returns the log masses (c, m) that normal distributions have in cells.

    Args:
        lower: (c,) lower ends of the cells.
        upper: (c,) upper ends of the cells.
        mu: (c, m) means; the distributions are not truncated.
        sigma: (c, m) standard deviations.
    """
    with np.errstate(over="ignore"):  # infinitely far out, where no mass is
        z = (np.array([lower, upper])[:, :, None] - mu) / sigma
    # By symmetry the tail on the near side is used, which does not lose digits.
    z *= np.copysign(1.0, -z[0])
    below = normal_cdf(z)
    mass = np.abs(below[1] - below[0])
    log_mass: FloatArray = np.log(np.maximum(mass, _FLOOR))
    return log_mass
