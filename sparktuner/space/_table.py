"""The arithmetic of all columns of a space at once, one NumPy call where a loop made p.

It gives what the columns' distributions give one by one, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.space._arithmetic import MAX_LOG, clip, round_to_step, standard_normal
from sparktuner.space._distributions import Categorical, Distribution, Numeric, RandInt
from sparktuner.space._normal import FloatArray

_Index: TypeAlias = npt.NDArray[np.intp]


class Table:
    """The distributions of p columns, stacked; arrays over columns have shape (p,)."""

    def __init__(self, distributions: Sequence[Distribution]) -> None:
        numeric = [d if isinstance(d, Numeric) else None for d in distributions]
        self._categorical = [
            (j, d) for j, d in enumerate(distributions) if isinstance(d, Categorical)
        ]
        self._is_choice = np.array([isinstance(d, Categorical) for d in distributions], dtype=bool)
        self._is_stepped = np.array([d is None or d.q is not None for d in numeric], dtype=bool)
        self._normal = _where([d is not None and d.base == "normal" for d in numeric])
        self._log = _where([d is not None and d.log for d in numeric])
        self._a, self._b = _columns([_base(d) for d in distributions])
        self._low, self._high = _columns([d.bounds for d in distributions])
        # A continuous column has no step: what rounding makes of it is thrown away.
        self._q = np.array([1.0 if d is None else d.q or 1.0 for d in numeric], dtype=np.float64)
        self._first, self._last = _columns([d.limits for d in distributions])
        self._floor = np.array([d.floor for d in numeric if d is not None and d.log])

    def quantile(self, u: FloatArray) -> FloatArray:
        """Latents of the values at the priors' quantiles ``u``, both of shape (n, p)."""
        z = self._a + (self._b - self._a) * u
        if len(self._normal):
            scores = standard_normal(u[:, self._normal])
            z[:, self._normal] = self._a[self._normal] + self._b[self._normal] * scores
        z = clip(z, self._low, self._high)
        for j, distribution in self._categorical:
            z[:, j] = distribution.quantile(u[:, j])
        return self.snap(z)

    def snap(self, latents: FloatArray) -> FloatArray:
        """Latents (n, p), in stepped columns moved to the one that stands for their value."""
        standing = self._logarithms(self.from_latent(latents))
        return np.where(self._is_stepped, standing, latents)

    def from_latent(self, latents: FloatArray) -> FloatArray:
        """Values of the latents, both of shape (n, p)."""
        values = np.array(latents, dtype=np.float64)
        if len(self._log):
            values[:, self._log] = np.exp(np.minimum(values[:, self._log], MAX_LOG))
        return np.where(self._is_stepped, self._rounded(values), values)

    def to_latent(self, values: FloatArray) -> FloatArray:
        """Latents that stand for the values, both of shape (n, p); NaN stays NaN.

        A category's index that points at no option becomes NaN.
        """
        rounded = self._rounded(values)
        latents = np.where(self._is_stepped, rounded, values)
        latents[self._is_choice & (rounded != values)] = np.nan
        return self._logarithms(latents)

    def _logarithms(self, values: FloatArray) -> FloatArray:
        """Latents of values that stand on their steps, in place."""
        if len(self._log):
            values[:, self._log] = np.log(np.maximum(values[:, self._log], self._floor))
        return clip(values, self._low, self._high)

    def _rounded(self, values: FloatArray) -> FloatArray:
        return round_to_step(values, self._q, self._first, self._last)


def _base(distribution: Distribution) -> tuple[float, float]:
    if isinstance(distribution, Numeric):
        return distribution.a, distribution.b
    return distribution.bounds if isinstance(distribution, RandInt) else (0.0, 0.0)


def _where(flags: list[bool]) -> _Index:
    return np.flatnonzero(np.array(flags, dtype=np.bool_))


def _columns(pairs: list[tuple[float, float]]) -> Any:
    return np.array(pairs, dtype=np.float64).reshape(-1, 2).T.copy()
