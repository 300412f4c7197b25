"""The distribution of real and quantised parameters: ten of the twelve ``hp`` functions.

A quantised value stands for a *cell*, the interval of latents that are rounded to it. What a
model needs of such a value is the probability mass of the cell, not a density.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

import numpy as np

from sparktuner.errors import BadSearchSpace
from sparktuner.space._safe_math import (
    MANY_STEPS,
    MAX_LOG,
    REACH,
    check_listable,
    clip,
    exp,
    log_normal_mass,
    plain,
    round_to_step,
    standard_normal,
)
from sparktuner.space._standard_normal import FloatArray

# Latents lie within this, and are not narrower than its inverse: moves and densities multiply
# and square them, and eight decades are left for that. No step is so fine that more of them
# lie between 0 and the farthest value.
_MOST = 1e300
_MAX = float(np.finfo(np.float64).max)
# A step whose share of its cell inside the bounds is below this is rounding, not a value.
_SLIVER = 1e-9


@dataclass(frozen=True)
class Numeric:
    """A distribution of real values, or of multiples of a step.

    The value is ``round(g(z) / q) * q``, or ``g(z)`` without ``q``. The latent ``z`` is uniform
    on [a, b], or normal with mean a and standard deviation b; ``g`` is the exponential function
    where ``log`` is set, else the identity. Values of a uniform latent may lie past its bounds
    by up to q / 2, as in Hyperopt.

    Attributes:
        base: the distribution of the latent ``z``.
        a: the low bound, or the mean, of ``z``.
        b: the high bound, or the standard deviation, of ``z``.
        log: whether ``z`` is the natural logarithm of the value.
        q: the step of the values, or None; where it is integral the values are native ints.
        integer: whether the values are meant as integers, which needs an integral ``q``.

    Raises:
        BadSearchSpace: the numbers make no distribution, or one whose values overflow.

    Example:
        >>> Numeric("uniform", 0, 10, q=5).support().tolist()
        [0.0, 5.0, 10.0]
    """

    base: Literal["uniform", "normal"]
    a: float
    b: float
    log: bool = False
    q: float | None = None
    integer: bool = False

    def __post_init__(self) -> None:
        # Messages call the numbers what hp calls them.
        names = ("low", "high") if self.base == "uniform" else ("mu", "sigma")
        for name, bound in zip(names, (self.a, self.b), strict=True):
            if not math.isfinite(bound):
                raise BadSearchSpace(f"{name} must be finite, got {bound}")
        if self.base == "uniform":
            self._check_uniform()
        else:
            self._check_normal()
        self._check_step()

    def _check_uniform(self) -> None:
        if not self.a < self.b:
            raise BadSearchSpace(
                f"low must be below high, got low={plain(self.a)}, high={plain(self.b)} "
                "(for a constant, write the value itself)"
            )
        if not 1 / _MOST <= self.b - self.a <= _MOST:
            raise BadSearchSpace(
                f"high - low must be from {1 / _MOST:g} to {_MOST:g}, "
                f"got low={plain(self.a)}, high={plain(self.b)}"
            )
        if self.log and self.b > MAX_LOG:
            raise BadSearchSpace(
                f"high is a natural logarithm and exp({plain(self.b)}) overflows; "
                f"did you mean np.log({plain(self.b)})?"
            )

    def _check_normal(self) -> None:
        if not self.b > 0:
            raise BadSearchSpace(
                f"sigma must be above 0, got {plain(self.b)} "
                "(for a constant, write the value itself)"
            )
        if self.log and self.a > MAX_LOG:
            raise BadSearchSpace(
                f"mu is the mean of the natural logarithm and exp({plain(self.a)}) overflows; "
                f"did you mean np.log({plain(self.a)})?"
            )
        if self.b < 1 / _MOST or abs(self.a) + REACH * self.b > _MOST:
            raise BadSearchSpace(
                f"sigma must be at least {1 / _MOST:g}, and mu and sigma must give finite values, "
                f"{REACH:.3g} sigmas from mu at most {_MOST:g}, "
                f"got mu={plain(self.a)}, sigma={plain(self.b)}"
            )

    def _check_step(self) -> None:
        if self.q is not None and not (self.q > 0 and math.isfinite(self.q)):
            raise BadSearchSpace(f"q must be above 0 and finite, got {plain(self.q)}")
        # A quarter of a step, where the logarithm of 0 is taken, must be a number.
        if self.q is not None and (self.q < 1 / _MOST or self._extent / self.q > _MOST):
            raise BadSearchSpace(
                f"q must not be so small that the number of steps overflows, got {self.q!r}"
            )
        if self.integer and not self.is_whole:
            raise BadSearchSpace(f"an integer parameter needs an integral q, got {self.q}")

    @property
    def _ends(self) -> tuple[float, float]:
        """Returns the least and the greatest value that can be drawn, before rounding."""
        low, high = self.a, self.b
        if self.base == "normal":
            # No draw lies farther out: the generator's numbers are multiples of 2**-53.
            low, high = self.a - REACH * self.b, self.a + REACH * self.b
        return (exp(low), exp(high)) if self.log else (low, high)

    @property
    def _extent(self) -> float:
        # The rounding of floats grows with their size, so the larger end decides.
        return max(abs(end) for end in self._ends)

    @property
    def is_fine(self) -> bool:
        """Returns whether a step can vanish in the rounding of a latent."""
        return self.q is not None and self._extent / self.q > MANY_STEPS

    @property
    def bounds(self) -> tuple[float, float]:
        """Returns the bounds of the latent, infinite where the base is normal."""
        return (self.a, self.b) if self.base == "uniform" else (-math.inf, math.inf)

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Returns the least and the greatest value, infinite where there is none.

        With a step they are finite: models may ask for more steps than a float can count.
        """
        if self.base == "normal":
            last = math.inf if self.q is None else min(_MOST * self.q, _MAX)
            return (0.0 if self.log else -last), last
        low, high = self._ends
        if self.q is None:
            return low, high
        # The steps whose cells share more than their edge with [low, high]: step k has the
        # cell from (k - 1/2) q to (k + 1/2) q.
        first = math.floor(low / self.q - 0.5 + _SLIVER) + 1
        last = math.ceil(high / self.q + 0.5 - _SLIVER) - 1
        if first > last:
            # The whole range is narrower than a sliver: it is one value.
            first = last = round(low / self.q)
        return float(first) * self.q + 0.0, float(last) * self.q + 0.0

    @property
    def cardinality(self) -> float:
        """Returns the number of distinct values, ``inf`` where they are not finitely many."""
        if self.q is None or self.base == "normal":
            return math.inf
        first, last = self.limits
        return float(round((last - first) / self.q) + 1)

    def support(self) -> FloatArray:
        """Returns all values in ascending order, an array of shape (cardinality,).

        Raises:
            ValueError: they are not finitely many, or more than ten million.
        """
        check_listable(self.cardinality)
        q = self.q or 1.0
        # Multiples of q, not sums of it: 0.1 added up ten times is not 1.0.
        first, last = (round(end / q) for end in self.limits)
        return np.arange(first, last + 1, dtype=np.float64) * q + 0.0

    def quantile(self, u: FloatArray) -> FloatArray:
        """Returns the values at quantiles of the distribution.

        Args:
            u: (n,) probabilities in [0, 1].

        Returns:
            (n,) values, finite for every ``u``.
        """
        if self.base == "uniform":
            # Rounding can carry a + (b - a) u past b.
            return self.from_latent(clip(self.a + (self.b - self.a) * u, *self.bounds))
        return self.from_latent(self.a + self.b * standard_normal(u))

    def from_latent(self, z: FloatArray) -> FloatArray:
        """Returns the values of latents: ``g(z)``, rounded to the step.

        Args:
            z: (n,) latents, within :attr:`bounds` or not; NaN stays NaN.
        """
        # A model's latent may lie far out, where exp overflows.
        x = np.exp(np.minimum(z, MAX_LOG)) if self.log else np.asarray(z, dtype=np.float64)
        return x if self.q is None else round_to_step(x, self.q, *self.limits)

    def to_latent(self, values: FloatArray) -> FloatArray:
        """Returns the latent that stands for each value, inside :attr:`bounds`.

        Values between two steps count as the nearer one, so equal values have equal latents
        however they were rounded on their way through JSON.

        Args:
            values: (n,) values; NaN stays NaN.
        """
        x = np.asarray(values, dtype=np.float64)
        if self.q is not None:
            x = round_to_step(x, self.q, *self.limits)
        if self.log:
            x = np.log(np.maximum(x, self.floor))
        return clip(x, *self.bounds)

    @property
    def floor(self) -> float:
        """Returns the value whose logarithm stands for 0.

        The cell of a quantised 0 goes from minus infinity to log(q / 2); the latent of 0 is
        log(q / 4), inside of it and not infinite.
        """
        return self.q / 4 if self.q is not None else float(np.finfo(np.float64).tiny)

    def cells(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns the interval of latents that gives each value, clipped to the bounds.

        Both ends are the value's latent where the parameter is continuous; else the lower
        end is below the upper one, for every value that can be drawn.

        Args:
            values: (n,) values.

        Returns:
            (n,) lower ends and (n,) upper ends.
        """
        if self.q is None:
            z = self.to_latent(values)
            return z, z
        lower, upper = values - self.q / 2, values + self.q / 2
        if self.log:
            with np.errstate(divide="ignore"):
                lower, upper = np.log(np.maximum(lower, 0.0)), np.log(np.maximum(upper, 0.0))
        if self.is_fine:
            # values - q / 2 may have been rounded to the value itself: an empty cell.
            z = self.to_latent(values)
            lower = np.minimum(lower, np.nextafter(z, -np.inf))
            upper = np.maximum(upper, np.nextafter(z, np.inf))
        return clip(lower, *self.bounds), clip(upper, *self.bounds)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Returns the logarithm of the density of each value's latent.

        Where values are quantised it is the logarithm of the probability of the cell. Minus
        infinity for a value that cannot be drawn.

        Args:
            values: (n,) values.
        """
        if self.q is not None:
            return self._log_mass(np.asarray(values, dtype=np.float64), self.q / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.log(values) if self.log else np.asarray(values, dtype=np.float64)
        if self.base == "uniform":
            # exp and log do not quite undo each other: a bound itself must count as inside.
            slack = 1e-12 * max(1.0, abs(self.a), abs(self.b)) if self.log else 0.0
            inside = (z >= self.a - slack) & (z <= self.b + slack)
            return np.where(inside, -math.log(self.b - self.a), -np.inf)
        # log N(z; a, b) = -((z - a) / b)**2 / 2 - log(b sqrt(2 pi))
        return -0.5 * ((z - self.a) / self.b) ** 2 - math.log(self.b * math.sqrt(2 * math.pi))

    def _log_mass(self, values: FloatArray, half: float) -> FloatArray:
        # The probability of a cell [l, u]: (u - l) / (b - a) if z is uniform, and if normal
        # Phi((u - a) / b) - Phi((l - a) / b).
        lower, upper = self.cells(values)
        with np.errstate(divide="ignore"):
            if self.base == "uniform":
                mass = np.log(upper - lower) - math.log(self.b - self.a)
            else:
                mass = log_normal_mass((lower - self.a) / self.b, (upper - self.a) / self.b)
        # A value need not lie on its step to the last bit, but in the cell of one.
        first, last = self.limits
        return np.where((values > first - half) & (values < last + half), mass, -np.inf)

    def native(self, value: float) -> int | float:
        """Returns a value as a Python int where the step is integral, else as a float."""
        digits = self._digits
        if digits is None:
            return float(value) + 0.0
        # 6 * 0.1 is 0.6000000000000001; people mean 0.6.
        return round(value) if digits == 0 else round(float(value), digits) + 0.0

    @cached_property
    def is_whole(self) -> bool:
        """Returns whether all values are integers."""
        return self.q is not None and float(self.q).is_integer()

    @cached_property
    def _digits(self) -> int | None:
        """Returns the decimals of the step as people write it; None without a step."""
        if self.q is None:
            return None
        # repr is the shortest text that is this float: 0.1 has one decimal, not fifty-five.
        exponent = Decimal(repr(float(self.q))).normalize().as_tuple().exponent
        return max(0, -int(exponent))

    @property
    def call(self) -> tuple[str, tuple[float, ...]]:
        """Returns its name in ``hp`` and its numbers."""
        name = ("log" if self.log else "") + self.base
        numbers = [self.a, self.b]
        if self.integer and (name, self.q) == ("uniform", 1):
            name = "uniformint"
        elif self.q is not None:
            name = f"q{name}"
            numbers.append(self.q)
        return name, tuple(numbers)

    def code(self, label: str) -> str:
        """Returns the call of ``hp`` that makes a parameter of this distribution."""
        name, numbers = self.call
        return f"hp.{name}({label!r}, {', '.join(map(plain, numbers))})"
