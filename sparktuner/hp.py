"""The twelve functions that a search space is written with.

Each takes a label, by which the parameter is known in results, and the numbers of its
distribution. They are checked here: an ill-formed parameter is ``BadSearchSpace`` at once.

One of several things: :func:`choice`, :func:`pchoice`. Integers: :func:`randint`,
:func:`uniformint`. Between bounds: :func:`uniform`, :func:`loguniform`. Without bounds:
:func:`normal`, :func:`lognormal`. In steps of ``q``: :func:`quniform`, :func:`qloguniform`,
:func:`qnormal`, :func:`qlognormal`; where ``q`` is integral their values are ints.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator, Mapping, Sized
from typing import Any, Literal, TypeVar

import numpy as np

from sparktuner.errors import BadSearchSpace
from sparktuner.space import (
    Categorical,
    Distribution,
    Node,
    Numeric,
    Parameter,
    RandInt,
    Switch,
    as_node,
)

_T = TypeVar("_T")

# How far from 1 the sum of probabilities may be that somebody rounded to two digits.
_ROUNDED = 0.02


def choice(label: str, options: Any) -> Switch:
    """One of the options, each equally probable.

    Args:
        label: the name under which the option's index is recorded.
        options: a list, tuple, range or array. Each may hold further parameters; those are
            drawn only where their option is chosen.
    """
    where = _where("choice", label, "hp.choice('x', ['a', 'b'])")
    listed = _options(where, options)
    index = _parameter(where, label, lambda: Categorical.uniform(len(listed)))
    return Switch(index, _nodes(where, listed))


def pchoice(label: str, p_options: Any) -> Switch:
    """One of the options, with given probabilities.

    Args:
        label: the name under which the option's index is recorded.
        p_options: pairs of (probability, option); the probabilities sum to 1, or nearly so,
            as 0.33, 0.33, 0.33 do.
    """
    where = _where("pchoice", label, "hp.pchoice('x', [(0.2, 'a'), (0.8, 'b')])")
    pairs = [_pair(where, i, pair) for i, pair in enumerate(_options(where, p_options))]
    p = tuple(_probability(where, i, *pair) for i, pair in enumerate(pairs))
    total = math.fsum(p)
    if abs(total - 1) <= _ROUNDED:
        p = tuple(each / total for each in p)
    index = _parameter(where, label, lambda: Categorical(p))
    return Switch(index, _nodes(where, [option for _, option in pairs]))


def randint(label: str, *bounds: Any, **named: Any) -> Parameter:
    """An integer from ``low`` to ``high - 1``, each equally probable.

    ``randint(label, high)``, or ``randint(label, low, high)``; by keyword ``low`` and
    ``high``, or ``upper``.
    """
    where = _where("randint", label, "hp.randint('x', 2, 10)")
    lowest, highest = _randint_bounds(where, bounds, named)
    low, high = _integer(where, "low", lowest), _integer(where, "high", highest)
    return _parameter(where, label, lambda: RandInt(low, high))


def uniform(label: str, low: float, high: float) -> Parameter:
    """A float between ``low`` and ``high``."""
    return _numeric("uniform", label, "uniform", low=low, high=high)


def quniform(label: str, low: float, high: float, q: float) -> Parameter:
    """``round(uniform(low, high) / q) * q``."""
    return _numeric("quniform", label, "uniform", q=q, low=low, high=high)


def uniformint(label: str, low: float, high: float, q: float = 1.0) -> Parameter:
    """``round(uniform(low, high))`` as an int: both bounds are included.

    Each bound, if integral, is half as probable as the integers between; see :func:`randint`
    for equal probabilities.
    """
    where = _where("uniformint", label, "hp.uniformint('x', 1, 10)")
    if _number(where, "q", q) != 1:
        raise BadSearchSpace(f"{where}: q must be 1, got {q!r}; use hp.quniform for other steps")
    return _numeric("uniformint", label, "uniform", q=1, integer=True, low=low, high=high)


def loguniform(label: str, low: float, high: float) -> Parameter:
    """``exp(uniform(low, high))``: ``low`` and ``high`` are natural logarithms."""
    return _numeric("loguniform", label, "uniform", log=True, low=low, high=high)


def qloguniform(label: str, low: float, high: float, q: float) -> Parameter:
    """``round(exp(uniform(low, high)) / q) * q``: the bounds are natural logarithms."""
    return _numeric("qloguniform", label, "uniform", log=True, q=q, low=low, high=high)


def normal(label: str, mu: float, sigma: float) -> Parameter:
    """A normally distributed float of mean ``mu`` and standard deviation ``sigma``."""
    return _numeric("normal", label, "normal", mu=mu, sigma=sigma)


def qnormal(label: str, mu: float, sigma: float, q: float) -> Parameter:
    """``round(normal(mu, sigma) / q) * q``."""
    return _numeric("qnormal", label, "normal", q=q, mu=mu, sigma=sigma)


def lognormal(label: str, mu: float, sigma: float) -> Parameter:
    """``exp(normal(mu, sigma))``: ``mu`` and ``sigma`` are those of the logarithm."""
    return _numeric("lognormal", label, "normal", log=True, mu=mu, sigma=sigma)


def qlognormal(label: str, mu: float, sigma: float, q: float) -> Parameter:
    """``round(exp(normal(mu, sigma)) / q) * q``: mean and deviation are the logarithm's."""
    return _numeric("qlognormal", label, "normal", log=True, q=q, mu=mu, sigma=sigma)


def _numeric(
    name: str,
    label: str,
    base: Literal["uniform", "normal"],
    *,
    log: bool = False,
    q: Any = None,
    integer: bool = False,
    **bounds: Any,
) -> Parameter:
    example = ", ".join(["'x'", *bounds, *(["q"] if q is not None and not integer else [])])
    where = _where(name, label, f"hp.{name}({example})")
    a, b = (_number(where, argument, value) for argument, value in bounds.items())
    step = _number(where, "q", q) if name.startswith("q") or integer else None
    return _parameter(where, label, lambda: Numeric(base, a, b, log, step, integer))


def _parameter(where: str, label: str, make: Callable[[], Distribution]) -> Parameter:
    # str.__str__ makes a plain string of a NumPy one, or of a member of a string enumeration.
    return _checked(where, lambda: Parameter(str.__str__(label), make()))


def _checked(where: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except BadSearchSpace as error:
        raise BadSearchSpace(f"{where}: {error}") from None


def _where(name: str, label: object, example: str) -> str:
    """How messages name the call; the label is checked first, since they use it."""
    if not isinstance(label, str):
        raise BadSearchSpace(
            f"hp.{name}: the first argument must be the label, a string, got {_short(label)}; "
            f"write {example}"
        )
    return f"hp.{name}({str.__str__(label)!r})"


def _number(where: str, argument: str, value: Any) -> float:
    value = _unwrapped(value)
    if isinstance(value, Node):
        raise BadSearchSpace(
            f"{where}: {argument} must be a constant, got the search-space node {value!r}; "
            "compute with nodes instead, as in lower + hp.uniform('x', 0, 1) * width"
        )
    if isinstance(value, bool):
        raise BadSearchSpace(
            f"{where}: {argument} must be a number, got {value}; for a parameter that is true "
            "or false use hp.choice(label, [False, True])"
        )
    if not isinstance(value, numbers.Real):
        raise BadSearchSpace(
            f"{where}: {argument} must be a real number, got {_short(value)}{_remedy(value)}"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadSearchSpace(f"{where}: {argument} must be finite, got {number}")
    # Adding 0.0 turns -0.0 into 0.0.
    return number + 0.0


def _remedy(value: object) -> str:
    if isinstance(value, str):
        try:
            return f"; write {float(value):g} without quotes"
        except ValueError:
            return "; the label comes first"
    return ""


def _integer(where: str, argument: str, value: Any) -> int:
    number = _number(where, argument, value)
    if not number.is_integer():
        raise BadSearchSpace(
            f"{where}: {argument} must be a whole number, got {value!r}; "
            "use hp.uniform or hp.quniform for fractions"
        )
    return int(_unwrapped(value))


def _unwrapped(value: Any) -> Any:
    """A NumPy scalar, or an array of no dimensions, as the Python value that it holds."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return value


def _randint_bounds(where: str, bounds: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
    given = [*zip(("low", "high", "a third bound"), bounds, strict=False), *named.items()]
    by_name = {"high" if name == "upper" else name: bound for name, bound in given}
    if not given or len(by_name) < len(given) or not by_name.keys() <= {"low", "high"}:
        came = ", ".join(f"{name}={bound!r}" for name, bound in given) or "none"
        raise BadSearchSpace(
            f"{where}: needs one bound (upper) or two (low and high), each once, got {came}; "
            "write hp.randint('x', 10) or hp.randint('x', 2, 10)"
        )
    if len(given) == 1:
        # As in NumPy, a single bound is the upper one, whatever its name.
        return 0, given[0][1]
    return by_name["low"], by_name["high"]


def _options(where: str, options: Any) -> list[Any]:
    """The options as a list; refuses what has no order, or is one option by mistake."""
    wrong = _not_options(options)
    if wrong:
        raise BadSearchSpace(f"{where}: options must be a list, got {wrong}")
    listed = options.tolist() if _is_row(options) else list(options)
    if not listed:
        raise BadSearchSpace(f"{where}: options must not be empty, got {options!r}")
    return listed


def _is_row(options: object) -> bool:
    return isinstance(options, np.ndarray) and options.ndim == 1


def _not_options(options: Any) -> str:
    if isinstance(options, Node):
        return f"one search-space node, {options!r}; put it in brackets"
    if isinstance(options, str | bytes):
        return f"the text {options!r}; put it in brackets, or first if it is the label"
    if isinstance(options, Mapping):
        return f"a {type(options).__name__}; write list(d.values()) or list(d.keys())"
    if isinstance(options, set | frozenset):
        return f"a {type(options).__name__}, which has no order; write sorted(...)"
    if isinstance(options, Iterator):
        return f"a {type(options).__name__}, which can be read once only; write list(...)"
    if not isinstance(options, Sized) or getattr(options, "ndim", 1) == 0:
        return f"{_short(options)}; for integers write hp.randint or range(n)"
    return ""


def _nodes(where: str, options: list[Any]) -> tuple[Node, ...]:
    return _checked(where, lambda: tuple(as_node(option) for option in options))


def _pair(where: str, i: int, pair: Any) -> tuple[Any, Any]:
    if isinstance(pair, tuple | list) and len(pair) == 2:
        return pair[0], pair[1]
    raise BadSearchSpace(
        f"{where}: options must be pairs of (probability, option), got {_short(pair)} "
        f"at position {i}"
    )


def _probability(where: str, i: int, p: Any, option: Any) -> float:
    if not _is_number(p) and _is_number(option):
        raise BadSearchSpace(
            f"{where}: the probability comes first in each pair, got ({p!r}, {option!r}) at "
            f"position {i}; write ({option!r}, {p!r})"
        )
    return _number(where, f"the probability at position {i}", p)


def _is_number(value: object) -> bool:
    value = _unwrapped(value)
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _short(value: object) -> str:
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    kind = type(value).__name__
    return text if value is None else f"the {kind} {text}"


__all__ = [
    "choice",
    "pchoice",
    "randint",
    "uniform",
    "quniform",
    "uniformint",
    "loguniform",
    "qloguniform",
    "normal",
    "qnormal",
    "lognormal",
    "qlognormal",
]
