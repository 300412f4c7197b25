"""The distributions of integers, and of the indices of options.

Neither has a logarithm or a step to choose: a value is its own latent, and only rounding is
left of the map between the two.
"""

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
    """A distribution of integers from ``low`` to ``high - 1``, each equally probable.

    As a float, which arrays hold, an integer is its distance from :attr:`origin`; that is the
    integer itself unless a bound is so large that floats skip integers there.

    Attributes:
        low: the least integer.
        high: one more than the greatest.

    Raises:
        BadSearchSpace: ``low`` is not below ``high``, or a bound lies beyond 2**64.

    Example:
        >>> RandInt(2, 5).quantile(np.array([0.0, 0.5, 1.0])).tolist()
        [2.0, 3.0, 4.0]
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise BadSearchSpace(
                f"low must be below high (which is excluded), got low={self.low}, high={self.high}"
            )
        # Enough for every seed; what lies beyond would lose too many digits as a float.
        if max(-self.low, self.high) > 2**64:
            raise BadSearchSpace(
                "low and high must lie between -2**64 and 2**64, "
                f"got low={self.low}, high={self.high}"
            )

    @property
    def origin(self) -> int:
        """Returns the integer whose float is 0: 0 itself, or ``low`` where a bound is large."""
        return self.low if max(-self.low, self.high) > MANY_STEPS else 0

    @property
    def bounds(self) -> tuple[float, float]:
        """Returns the lower end of the first integer's cell and the upper one of the last's."""
        # Half a step wider than the integers, so that each has a cell of the same width.
        first, last = self.limits
        return first - 0.5, last + 0.5

    @property
    def limits(self) -> tuple[float, float]:
        """Returns the least and the greatest integer, as floats."""
        return float(self.low - self.origin), float(self.high - 1 - self.origin)

    @property
    def is_fine(self) -> bool:
        """Returns whether a step can vanish in the rounding of a float."""
        return self.cardinality > MANY_STEPS

    @property
    def cardinality(self) -> float:
        """Returns the number of integers."""
        return float(self.high - self.low)

    def support(self) -> FloatArray:
        """Returns all integers in ascending order, as floats of shape (cardinality,).

        Raises:
            ValueError: they are more than ten million.
        """
        check_listable(self.cardinality)
        first, last = self.limits
        return np.arange(first, last + 1)

    def quantile(self, u: FloatArray) -> FloatArray:
        """Returns the integers at quantiles of the distribution.

        Args:
            u: (n,) probabilities in [0, 1].
        """
        low, high = self.bounds
        return self.from_latent(low + (high - low) * np.asarray(u))

    def from_latent(self, z: FloatArray) -> FloatArray:
        """Returns the integer inside the range that is nearest to each latent (n,)."""
        return round_to_step(np.asarray(z, dtype=np.float64), 1.0, *self.limits)

    def to_latent(self, values: FloatArray) -> FloatArray:
        """Returns the latent that stands for each value (n,): the nearest integer.

        NaN stays NaN.
        """
        return self.from_latent(values)

    def cells(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns the interval of latents that gives each integer.

        Args:
            values: (n,) integers, as floats.

        Returns:
            (n,) lower ends and (n,) upper ends, half a step to either side.
        """
        if self.is_fine:
            # Far from 0 half a step is rounded away, and the cell would be empty.
            below, above = np.nextafter(values, -np.inf), np.nextafter(values, np.inf)
            return np.minimum(values - 0.5, below), np.maximum(values + 0.5, above)
        return values - 0.5, values + 0.5

    def log_density(self, values: FloatArray) -> FloatArray:
        """Returns the logarithm of the probability of each value (n,).

        Minus infinity outside the range.
        """
        first, last = self.limits
        inside = (values >= first) & (values <= last)
        return np.where(inside, -math.log(self.high - self.low), -np.inf)

    def native(self, value: float) -> int:
        """Returns a value as a Python int."""
        # A float cannot hold every distance beyond 2**53 and may have rounded up to high.
        return min(round(value) + self.origin, self.high - 1)

    @property
    def call(self) -> tuple[str, tuple[int, ...]]:
        """Returns its name in ``hp`` and its bounds."""
        return "randint", (self.high,) if self.low == 0 else (self.low, self.high)

    def code(self, label: str) -> str:
        """Returns the call of ``hp`` that makes a parameter of this distribution."""
        bounds = f"{self.high}" if self.low == 0 else f"{self.low}, {self.high}"
        return f"hp.randint({label!r}, {bounds})"


@dataclass(frozen=True)
class Categorical:
    """A distribution of the indices of options, with given probabilities.

    Attributes:
        p: the probability of each index from 0 on; they sum to 1.

    Raises:
        BadSearchSpace: there is no probability, one is negative or not finite, or they do not
            sum to 1.

    Example:
        >>> Categorical((0.25, 0.75)).quantile(np.array([0.2, 0.3])).tolist()
        [0.0, 1.0]
    """

    p: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.p:
            raise BadSearchSpace("needs at least one option, got none")
        bad = [p for p in self.p if not (math.isfinite(p) and p >= 0)]
        if bad:
            raise BadSearchSpace(f"probabilities must be finite and at least 0, got {bad[0]}")
        # What was computed is off by rounding; hp has divided what was rounded by hand.
        total = math.fsum(self.p)
        if abs(total - 1.0) > 1e-6:
            raise BadSearchSpace(
                f"probabilities must sum to 1, got {total:g}; divide each by that sum"
            )

    @classmethod
    def uniform(cls, n: int) -> Categorical:
        """Returns the distribution in which all of ``n`` options are equally probable."""
        return cls((1.0 / n,) * n if n else ())

    @property
    def bounds(self) -> tuple[float, float]:
        """Returns the first and the last index."""
        return 0.0, float(len(self.p) - 1)

    @property
    def limits(self) -> tuple[float, float]:
        """Returns the first and the last index, as the other distributions' least and greatest."""
        return self.bounds

    @cached_property
    def is_uniform(self) -> bool:
        """Returns whether all options are equally probable."""
        return len(set(self.p)) == 1

    @property
    def cardinality(self) -> float:
        """Returns the number of options that can be drawn."""
        # A probability of 0 leaves an option to points_to_evaluate alone.
        return float(sum(p > 0 for p in self.p))

    def support(self) -> FloatArray:
        """Returns the indices of the options that can be drawn, as floats in order."""
        return np.flatnonzero(np.array(self.p) > 0).astype(np.float64)

    @cached_property
    def _cumulative(self) -> FloatArray:
        # 1 from the last option that can be drawn on, whatever the rounding of the sums.
        cumulative = np.cumsum(self.p) / math.fsum(self.p)
        cumulative[int(self.support()[-1]) :] = np.inf
        return cumulative

    def quantile(self, u: FloatArray) -> FloatArray:
        """Returns the indices at cumulative probabilities.

        Args:
            u: (n,) probabilities in [0, 1].
        """
        # side="right" never lands on an option of probability 0.
        return self._cumulative.searchsorted(u, side="right").astype(np.float64)

    def from_latent(self, z: FloatArray) -> FloatArray:
        """Returns the index that is nearest to each latent (n,)."""
        return round_to_step(np.asarray(z, dtype=np.float64), 1.0, *self.bounds)

    def to_latent(self, values: FloatArray) -> FloatArray:
        """Returns the latent of each value (n,): the index, or NaN if it points at no option."""
        # Nothing is near an option that is gone, so no neighbour takes its place.
        index = np.asarray(values, dtype=np.float64)
        return np.where(self.from_latent(index) == index, index + 0.0, np.nan)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Returns the logarithm of the probability of each index (n,).

        Minus infinity where an index points at no option.
        """
        index = self.to_latent(values)
        known = ~np.isnan(index)
        p = np.zeros(index.shape)
        p[known] = np.array(self.p)[index[known].astype(np.intp)]
        # log(0) is minus infinity, which is meant.
        with np.errstate(divide="ignore"):
            return np.log(p)

    def native(self, value: float) -> int:
        """Returns an index as a Python int."""
        return round(value)

    @property
    def call(self) -> tuple[str, tuple[object, ...]]:
        """Returns the draw of the index: its name in ``scope`` and its numbers."""
        return ("randint", (len(self.p),)) if self.is_uniform else ("categorical", (self.p,))

    def code(self, label: str) -> str:
        """Returns the call of ``hp`` whose options are the indices themselves."""
        n = len(self.p)
        if self.is_uniform:
            return f"hp.choice({label!r}, range({n}))"
        pairs = ", ".join(f"({plain(p)}, {i})" for i, p in enumerate(self.p))
        return f"hp.pchoice({label!r}, [{pairs}])"
