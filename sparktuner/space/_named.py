"""The distributions by the names that ``hp`` and ``scope`` give them.

Each function checks the numbers that a user wrote. Messages begin with the name of the
argument; the caller knows how the whole call reads and puts that before them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from sparktuner.errors import BadSearchSpace
from sparktuner.space._arguments import described, integer, number
from sparktuner.space._distributions import Categorical, Distribution, Numeric, RandInt

# How far from 1 the sum of probabilities may be that somebody rounded to two digits.
_ROUNDED = 0.02


# The letters are those of Numeric: uniform on [a, b], or mean a and standard deviation b.
def _between(
    low: object, high: object, q: float | None = None, *, log: bool = False, whole: bool = False
) -> Numeric:
    return Numeric("uniform", number("low", low), number("high", high), log, q, whole)


def _around(mu: object, sigma: object, q: float | None = None, *, log: bool = False) -> Numeric:
    return Numeric("normal", number("mu", mu), number("sigma", sigma), log, q)


def _uniform(low: object, high: object) -> Numeric:
    return _between(low, high)


def _quniform(low: object, high: object, q: object) -> Numeric:
    return _between(low, high, number("q", q))


def _loguniform(low: object, high: object) -> Numeric:
    return _between(low, high, log=True)


def _qloguniform(low: object, high: object, q: object) -> Numeric:
    return _between(low, high, number("q", q), log=True)


def _uniformint(low: object, high: object, q: object = 1.0) -> Numeric:
    if number("q", q) != 1:
        raise BadSearchSpace(f"q must be 1, got {q!r}; use hp.quniform for other steps")
    return _between(low, high, 1.0, whole=True)


def _normal(mu: object, sigma: object) -> Numeric:
    return _around(mu, sigma)


def _qnormal(mu: object, sigma: object, q: object) -> Numeric:
    return _around(mu, sigma, number("q", q))


def _lognormal(mu: object, sigma: object) -> Numeric:
    return _around(mu, sigma, log=True)


def _qlognormal(mu: object, sigma: object, q: object) -> Numeric:
    return _around(mu, sigma, number("q", q), log=True)


def _randint(*bounds: object, **named: object) -> RandInt:
    lowest, highest = _bounds(bounds, named)
    return RandInt(integer("low", lowest), integer("high", highest))


def _bounds(bounds: tuple[object, ...], named: Mapping[str, object]) -> tuple[object, object]:
    given = [*zip(("low", "high", "a third bound"), bounds, strict=False), *named.items()]
    by_name = {"high" if name == "upper" else name: bound for name, bound in given}
    if not given or len(by_name) < len(given) or not by_name.keys() <= {"low", "high"}:
        came = ", ".join(f"{name}={bound!r}" for name, bound in given) or "none"
        raise BadSearchSpace(
            f"needs one bound (upper) or two (low and high), each once, got {came}; "
            "write hp.randint('x', 10) or hp.randint('x', 2, 10)"
        )
    if len(given) == 1:
        # As in NumPy, a single bound is the upper one, whatever its name.
        return 0, given[0][1]
    return by_name["low"], by_name["high"]


def _categorical(p: object) -> Categorical:
    if isinstance(p, str | bytes) or not isinstance(p, Iterable):
        raise BadSearchSpace(f"p must be a list of probabilities, got {described(p)}")
    shares = tuple(number(f"the probability at position {i}", each) for i, each in enumerate(p))
    # Left to itself, 0.33, 0.33, 0.33 would be refused: nobody writes sixteen digits.
    total = math.fsum(shares)
    if abs(total - 1) <= _ROUNDED:
        shares = tuple(each / total for each in shares)
    return Categorical(shares)


DISTRIBUTIONS: Mapping[str, Callable[..., Distribution]] = MappingProxyType(
    {
        "uniform": _uniform,
        "quniform": _quniform,
        "uniformint": _uniformint,
        "loguniform": _loguniform,
        "qloguniform": _qloguniform,
        "normal": _normal,
        "qnormal": _qnormal,
        "lognormal": _lognormal,
        "qlognormal": _qlognormal,
        "randint": _randint,
        "categorical": _categorical,
    }
)
"""From a distribution's name to the function that makes it of the user's numbers.

Each raises ``BadSearchSpace`` where a number makes no sense, and ``TypeError`` where there
are too few or too many of them.
"""
