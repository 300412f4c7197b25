"""The arithmetic of all columns of a space at once, one NumPy call where a loop made p.

It gives what the columns' distributions give one by one, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.space._arithmetic import MAX_LOG, FloatArray, round_to_step, standard_normal
from sparktuner.space._distributions import Categorical, Distribution, Numeric, RandInt

_Index: TypeAlias = npt.NDArray[np.intp]


class Table:
    """The distributions of p columns, stacked."""

    def __init__(self, distributions: Sequence[Distribution]) -> None:
        numeric = [d if isinstance(d, Numeric) else None for d in distributions]
        self._categorical = [
            (j, d) for j, d in enumerate(distributions) if isinstance(d, Categorical)
        ]
        self._choices = _where([isinstance(d, Categorical) for d in distributions])
        self._normal = _where([d is not None and d.base == "normal" for d in numeric])
        self._log = _where([d is not None and d.log for d in numeric])
        self._stepped = _where([d is None or d.q is not None for d in numeric])
        # Which of the stepped columns are logarithmic, as positions among the stepped ones.
        self._stepped_log = np.flatnonzero(np.isin(self._stepped, self._log))
        self._continuous_log = np.setdiff1d(self._log, self._stepped)
        self._a, self._b = _columns([_base(d) for d in distributions])
        self._low, self._high = _columns([d.bounds for d in distributions])
        stepped = [distributions[j] for j in self._stepped]
        self._q = np.array([d.q if isinstance(d, Numeric) else 1.0 for d in stepped], dtype=float)
        self._first, self._last = _columns([d.limits for d in stepped])
        self._stepped_low, self._stepped_high = _columns([d.bounds for d in stepped])
        self._floor = np.array(
            [d.floor for d in stepped if isinstance(d, Numeric) and d.log], dtype=float
        )

    def quantile(self, u: FloatArray) -> FloatArray:
        """Latents of the values at the priors' quantiles ``u``, both of shape (n, p)."""
        z = self._a + (self._b - self._a) * u
        if len(self._normal):
            scores = standard_normal(u[:, self._normal])
            z[:, self._normal] = self._a[self._normal] + self._b[self._normal] * scores
        z = np.clip(z, self._low, self._high)
        for j, distribution in self._categorical:
            z[:, j] = distribution.quantile(u[:, j])
        return self.snap(z)

    def snap(self, latents: FloatArray) -> FloatArray:
        """Latents (n, p), in stepped columns moved to the one that stands for their value."""
        if len(self._stepped):
            latents = latents.copy()
            latents[:, self._stepped] = self._stand(self._step(latents[:, self._stepped]))
        return latents

    def from_latent(self, latents: FloatArray) -> FloatArray:
        """Values of the latents, both of shape (n, p)."""
        values = np.array(latents, dtype=np.float64)
        if len(self._continuous_log):
            exponents = np.minimum(values[:, self._continuous_log], MAX_LOG)
            values[:, self._continuous_log] = np.exp(exponents)
        if len(self._stepped):
            values[:, self._stepped] = self._step(values[:, self._stepped])
        return values

    def to_latent(self, values: FloatArray) -> FloatArray:
        """Latents that stand for the values, both of shape (n, p); NaN stays NaN.

        A category's index that points at no option becomes NaN.
        """
        latents = np.array(values, dtype=np.float64)
        if len(self._stepped):
            steps = latents[:, self._stepped]
            rounded = round_to_step(steps, self._q, self._first, self._last)
            latents[:, self._stepped] = self._stand(rounded)
        if len(self._choices):
            known = latents[:, self._choices] == values[:, self._choices]
            latents[:, self._choices] = np.where(known, latents[:, self._choices], np.nan)
        if len(self._continuous_log):
            floored = np.maximum(latents[:, self._continuous_log], np.finfo(np.float64).tiny)
            latents[:, self._continuous_log] = np.log(floored)
        return np.clip(latents, self._low, self._high)

    def _step(self, z: FloatArray) -> FloatArray:
        """Values of the stepped columns' latents, in place."""
        if len(self._stepped_log):
            z[:, self._stepped_log] = np.exp(np.minimum(z[:, self._stepped_log], MAX_LOG))
        return round_to_step(z, self._q, self._first, self._last)

    def _stand(self, values: FloatArray) -> FloatArray:
        """Latents that stand for the stepped columns' values, in place."""
        if len(self._stepped_log):
            floored = np.maximum(values[:, self._stepped_log], self._floor)
            values[:, self._stepped_log] = np.log(floored)
        return np.clip(values, self._stepped_low, self._stepped_high)


def _base(distribution: Distribution) -> tuple[float, float]:
    if isinstance(distribution, Numeric):
        return distribution.a, distribution.b
    return distribution.bounds if isinstance(distribution, RandInt) else (0.0, 0.0)


def _where(flags: list[bool]) -> _Index:
    return np.flatnonzero(np.array(flags, dtype=np.bool_))


def _columns(pairs: list[tuple[float, float]]) -> Any:
    return np.array(pairs, dtype=np.float64).reshape(-1, 2).T.copy()
