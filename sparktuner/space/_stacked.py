"""The arithmetic of all columns of a space at once: one NumPy call where a loop made p.

It gives what the columns' distributions give one by one; values and latents to the last bit.
The formulas, and the reasons for them, are in ``_numeric`` and ``_discrete``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.space._distributions import Categorical, Distribution, Numeric, RandInt
from sparktuner.space._safe_math import (
    MAX_LOG,
    clip,
    log_normal_mass,
    round_to_step,
    standard_normal,
)
from sparktuner.space._standard_normal import FloatArray

_Index: TypeAlias = npt.NDArray[np.intp]
_LOG_2PI = math.log(2 * math.pi)


class StackedDistributions:
    """The distributions of the p columns of a space, side by side.

    A method of arrays (n, p) treats n configurations; one of ``columns`` (n,) and ``latents``
    (n,) treats n single latents, each of the column that is named beside it.

    Example:
        >>> stacked = StackedDistributions([Numeric("uniform", 0, 8), RandInt(0, 4)])
        >>> stacked.quantile(np.array([[0.5, 0.5]])).tolist()
        [[4.0, 2.0]]
    """

    def __init__(self, distributions: Sequence[Distribution]) -> None:
        """Collects the numbers of the distributions into arrays of shape (p,).

        Args:
            distributions: one for each column.
        """
        # What a distribution has no use for is set so that the common formula does no harm.
        numeric = [d if isinstance(d, Numeric) else None for d in distributions]
        self._categorical = [
            (j, d) for j, d in enumerate(distributions) if isinstance(d, Categorical)
        ]
        self._is_choice = _flags(isinstance(d, Categorical) for d in distributions)
        # Integers and indices have the step 1, whatever it is called.
        self._is_stepped = _flags(d is None or d.q is not None for d in numeric)
        self._is_fine = _flags(not isinstance(d, Categorical) and d.is_fine for d in distributions)
        self._is_normal = _flags(d is not None and d.base == "normal" for d in numeric)
        self._is_log = _flags(d is not None and d.log for d in numeric)
        self._normal, self._log = np.flatnonzero(self._is_normal), np.flatnonzero(self._is_log)
        self._a, self._b = _columns([_base(d) for d in distributions])
        self._low, self._high = _columns([d.bounds for d in distributions])
        # The cells of integers end at the bounds, but for rounding: clipping could empty one.
        wide = (-np.inf, np.inf)
        self._cell_low, self._cell_high = _columns([d.bounds if d else wide for d in numeric])
        # A continuous column has no step: what rounding makes of it is thrown away.
        self._q = np.array([1.0 if d is None else d.q or 1.0 for d in numeric], dtype=np.float64)
        self._first, self._last = _columns([d.limits for d in distributions])
        self._floor = np.array([d.floor for d in numeric if d is not None and d.log])
        # The options of all categorical columns in a row, and where each column's begin.
        p = [d.p if isinstance(d, Categorical) else () for d in distributions]
        self._option = np.cumsum([0, *map(len, p)])[:-1]
        # log(0) is minus infinity: an option that is never drawn.
        with np.errstate(divide="ignore"):
            self._log_p = np.log([share for shares in p for share in shares])

    def quantile(self, u: FloatArray) -> FloatArray:
        """Returns the latents of the values at quantiles of the distributions.

        Args:
            u: (n, p) probabilities in [0, 1].

        Returns:
            (n, p) latents, each one that stands for its value.
        """
        # Uniform ones first, in all columns; the others are written over.
        z = self._a + (self._b - self._a) * u
        if len(self._normal):
            scores = standard_normal(u[:, self._normal])
            z[:, self._normal] = self._a[self._normal] + self._b[self._normal] * scores
        z = clip(z, self._low, self._high)
        for j, distribution in self._categorical:
            z[:, j] = distribution.quantile(u[:, j])
        return self.snap(z)

    def snap(self, latents: FloatArray) -> FloatArray:
        """Returns latents, in stepped columns moved to the ones that stand for their values.

        Args:
            latents: (n, p)
        """
        standing = self._logarithms(self.from_latent(latents))
        return np.where(self._is_stepped, standing, latents)

    def from_latent(self, latents: FloatArray) -> FloatArray:
        """Returns the values of latents.

        Args:
            latents: (n, p)

        Returns:
            (n, p)
        """
        values = np.array(latents, dtype=np.float64)
        if len(self._log):
            values[:, self._log] = np.exp(np.minimum(values[:, self._log], MAX_LOG))
        return np.where(self._is_stepped, self._rounded(values), values)

    def to_latent(self, values: FloatArray) -> FloatArray:
        """Returns the latents that stand for values.

        Args:
            values: (n, p); NaN stays NaN.

        Returns:
            (n, p), NaN too where the index of a category points at no option.
        """
        rounded = self._rounded(values)
        latents = np.where(self._is_stepped, rounded, values)
        latents[self._is_choice & (rounded != values)] = np.nan
        return self._logarithms(latents)

    def cells(self, columns: _Index, latents: FloatArray) -> FloatArray:
        """Returns the intervals of latents that give the same values as the given ones.

        Args:
            columns: (n,) indices of columns, all of them stepped.
            latents: (n,) a latent of each.

        Returns:
            (2, n) lower and upper ends.
        """
        q, log = self._q[columns], np.flatnonzero(self._is_log[columns])
        values = np.array(latents, dtype=np.float64)
        values[log] = np.exp(np.minimum(values[log], MAX_LOG))
        values = round_to_step(values, q, self._first[columns], self._last[columns])
        ends = np.array([values - q / 2, values + q / 2])
        with np.errstate(divide="ignore"):
            ends[:, log] = np.log(np.maximum(ends[:, log], 0.0))
        # A cell is never empty, though values - q / 2 may have been rounded to the value.
        fine = np.flatnonzero(self._is_fine[columns])
        if len(fine):
            ends[:, fine] = [
                np.minimum(ends[0, fine], np.nextafter(latents[fine], -np.inf)),
                np.maximum(ends[1, fine], np.nextafter(latents[fine], np.inf)),
            ]
        return clip(ends, self._cell_low[columns], self._cell_high[columns])

    def log_density(self, columns: _Index, latents: FloatArray) -> FloatArray:
        """Returns the logarithms of the distributions' densities at latents.

        Where a column is stepped it is the probability of the latent's cell.

        Args:
            columns: (n,) indices of columns.
            latents: (n,) a latent of each.

        Returns:
            (n,)
        """
        a, b, is_normal = self._a[columns], self._b[columns], self._is_normal[columns]
        is_choice = self._is_choice[columns]
        choice = np.flatnonzero(is_choice)
        stepped = np.flatnonzero(self._is_stepped[columns] & ~is_choice)
        lower, upper = self.cells(columns[stepped], latents[stepped])
        # Each of two formulas is worked out for all, and means nothing for some; far out a
        # density is 0, the square infinite.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            z = (latents - a) / b
            density: FloatArray = np.where(
                is_normal, -0.5 * (z * z + _LOG_2PI) - np.log(b), -np.log(b - a)
            )
            start, end = (lower - a[stepped]) / b[stepped], (upper - a[stepped]) / b[stepped]
            # The mass of a uniform cell is its width times the density.
            normal = log_normal_mass(start, end)
            uniform = np.log(upper - lower) + density[stepped]
        density[stepped] = np.where(is_normal[stepped], normal, uniform)
        option = self._option[columns[choice]] + latents[choice].astype(np.intp)
        density[choice] = self._log_p[option]
        return density

    def _logarithms(self, values: FloatArray) -> FloatArray:
        """Returns the latents of values that stand on their steps; changes the values."""
        if len(self._log):
            values[:, self._log] = np.log(np.maximum(values[:, self._log], self._floor))
        return clip(values, self._low, self._high)

    def _rounded(self, values: FloatArray) -> FloatArray:
        return round_to_step(values, self._q, self._first, self._last)


def _base(distribution: Distribution) -> tuple[float, float]:
    # A category has quantiles of its own; its zeros are written over.
    if isinstance(distribution, Numeric):
        return distribution.a, distribution.b
    return distribution.bounds if isinstance(distribution, RandInt) else (0.0, 0.0)


def _flags(flags: Iterable[bool]) -> npt.NDArray[np.bool_]:
    return np.array(list(flags), dtype=np.bool_)


def _columns(pairs: list[tuple[float, float]]) -> FloatArray:
    # A copy, so that each of the two is contiguous.
    both: FloatArray = np.array(pairs, dtype=np.float64).reshape(-1, 2).T.copy()
    return both
