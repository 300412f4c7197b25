"""Integers and indices of options, drawn with given probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sparktuner.errors import BadSearchSpace
from sparktuner.space._safe_math import (
    MANY_STEPS,
    check_listable,
    plain,
    round_to_step,
)
from sparktuner.space._standard_normal import FloatArray


@dataclass(frozen=True)
class RandInt:
    """An integer from ``low`` (included) to ``high`` (excluded), each equally probable."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise BadSearchSpace(
                f"low must be below high (which is excluded), got low={self.low}, high={self.high}"
            )
        if max(-self.low, self.high) > 2**64:
            raise BadSearchSpace(
                "low and high must lie between -2**64 and 2**64, "
                f"got low={self.low}, high={self.high}"
            )

    @property
    def bounds(self) -> tuple[float, float]:
        """Ends of the first and the last integer's cell."""
        return self.low - 0.5, self.high - 0.5

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest integer, as floats."""
        return float(self.low), float(self.high - 1)

    @property
    def is_fine(self) -> bool:
        """Whether a step can vanish in the rounding of a float."""
        return self.cardinality > MANY_STEPS or max(map(abs, self.limits)) > MANY_STEPS

    @property
    def cardinality(self) -> float:
        """Number of integers."""
        return float(self.high - self.low)

    def support(self) -> FloatArray:
        """All integers, ascending, as floats.

        Raises:
            ValueError: they are more than ten million.
        """
        check_listable(self.cardinality)
        return np.arange(self.low, self.high, dtype=np.float64)

    def quantile(self, u: FloatArray) -> FloatArray:
        """Values at the prior's quantiles ``u`` in [0, 1]."""
        low, high = self.bounds
        return self.from_latent(low + (high - low) * np.asarray(u))

    def from_latent(self, z: FloatArray) -> FloatArray:
        """The nearest integer inside the range."""
        return round_to_step(np.asarray(z, dtype=np.float64), 1.0, *self.limits)

    def to_latent(self, values: FloatArray) -> FloatArray:
        """The integers themselves, as floats; NaN stays NaN."""
        return self.from_latent(values)

    def cells(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Half a step to either side."""
        if self.is_fine:
            below, above = np.nextafter(values, -np.inf), np.nextafter(values, np.inf)
            return np.minimum(values - 0.5, below), np.maximum(values + 0.5, above)
        return values - 0.5, values + 0.5

    def log_density(self, values: FloatArray) -> FloatArray:
        """Log probability of each value."""
        first, last = self.limits
        inside = (values >= first) & (values <= last)
        return np.where(inside, -math.log(self.high - self.low), -np.inf)

    def native(self, value: float) -> int:
        """The value as a Python int."""
        # A float cannot hold every integer beyond 2**53 and may have rounded up to high.
        return min(round(value), self.high - 1)

    def code(self, label: str) -> str:
        """The ``hp`` call that makes this parameter."""
        bounds = f"{self.high}" if self.low == 0 else f"{self.low}, {self.high}"
        return f"hp.randint({label!r}, {bounds})"


@dataclass(frozen=True)
class Categorical:
    """An option's index, drawn with probabilities ``p`` that sum to one."""

    p: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.p:
            raise BadSearchSpace("needs at least one option, got none")
        bad = [p for p in self.p if not (math.isfinite(p) and p >= 0)]
        if bad:
            raise BadSearchSpace(f"probabilities must be finite and at least 0, got {bad[0]}")
        total = math.fsum(self.p)
        if abs(total - 1.0) > 1e-6:
            raise BadSearchSpace(
                f"probabilities must sum to 1, got {total:g}; divide each by that sum"
            )

    @classmethod
    def uniform(cls, n: int) -> Categorical:
        """All of ``n`` options equally probable."""
        return cls((1.0 / n,) * n if n else ())

    @property
    def bounds(self) -> tuple[float, float]:
        """First and last index."""
        return 0.0, float(len(self.p) - 1)

    @property
    def limits(self) -> tuple[float, float]:
        """First and last index."""
        return self.bounds

    @cached_property
    def is_uniform(self) -> bool:
        """Whether all options are equally probable."""
        return len(set(self.p)) == 1

    @property
    def cardinality(self) -> float:
        """Number of options that can be drawn."""
        return float(sum(p > 0 for p in self.p))

    def support(self) -> FloatArray:
        """Indices of the options that can be drawn."""
        return np.flatnonzero(np.array(self.p) > 0).astype(np.float64)

    @cached_property
    def _cumulative(self) -> FloatArray:
        # 1 from the last option that can be drawn on, whatever the rounding of the sums.
        cumulative = np.cumsum(self.p) / math.fsum(self.p)
        cumulative[int(self.support()[-1]) :] = np.inf
        return cumulative

    def quantile(self, u: FloatArray) -> FloatArray:
        """Indices at the cumulative probabilities ``u`` in [0, 1]."""
        # side="right" never lands on an option of probability 0.
        return self._cumulative.searchsorted(u, side="right").astype(np.float64)

    def from_latent(self, z: FloatArray) -> FloatArray:
        """The nearest index."""
        return round_to_step(np.asarray(z, dtype=np.float64), 1.0, *self.bounds)

    def to_latent(self, values: FloatArray) -> FloatArray:
        """The index itself, as a float; NaN where it points at no option."""
        index = np.asarray(values, dtype=np.float64)
        return np.where(self.from_latent(index) == index, index + 0.0, np.nan)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Log probability of each index; minus infinity where it points at no option."""
        index = self.to_latent(values)
        known = ~np.isnan(index)
        p = np.zeros(index.shape)
        p[known] = np.array(self.p)[index[known].astype(np.intp)]
        with np.errstate(divide="ignore"):
            return np.log(p)

    def native(self, value: float) -> int:
        """The index as a Python int."""
        return round(value)

    def code(self, label: str) -> str:
        """The ``hp`` call that draws this index alone."""
        n = len(self.p)
        if self.is_uniform:
            return f"hp.choice({label!r}, range({n}))"
        pairs = ", ".join(f"({plain(p)}, {i})" for i, p in enumerate(self.p))
        return f"hp.pchoice({label!r}, [{pairs}])"
