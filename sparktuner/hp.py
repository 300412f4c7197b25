"""The twelve functions that a search space is written with.

Each takes a label, by which the parameter is known in results, and the numbers of its
distribution. They are checked here: an ill-formed parameter is ``BadSearchSpace`` at once.

One of several things: :func:`choice`, :func:`pchoice`. Integers: :func:`randint`,
:func:`uniformint`. Between bounds: :func:`uniform`, :func:`loguniform`. Without bounds:
:func:`normal`, :func:`lognormal`. In steps of ``q``: :func:`quniform`, :func:`qloguniform`,
:func:`qnormal`, :func:`qlognormal`; where ``q`` is integral their values are ints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from typing import Any, TypeVar

import numpy as np

from sparktuner.errors import BadSearchSpace
from sparktuner.space import (
    DISTRIBUTIONS,
    Categorical,
    Distribution,
    Node,
    Parameter,
    Switch,
    as_node,
    described,
    is_number,
)

_T = TypeVar("_T")


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
    p = [_probability(where, i, *pair) for i, pair in enumerate(pairs)]
    index = _parameter(where, label, lambda: DISTRIBUTIONS["categorical"](p))
    return Switch(index, _nodes(where, [option for _, option in pairs]))


def randint(label: str, *bounds: Any, **named: Any) -> Parameter:
    """An integer from ``low`` to ``high - 1``, each equally probable.

    ``randint(label, high)``, or ``randint(label, low, high)``; by keyword ``low`` and
    ``high``, or ``upper``.
    """
    where = _where("randint", label, "hp.randint('x', 2, 10)")
    return _parameter(where, label, lambda: DISTRIBUTIONS["randint"](*bounds, **named))


def uniform(label: str, low: float, high: float) -> Parameter:
    """A float between ``low`` and ``high``."""
    return _numeric("uniform", label, low=low, high=high)


def quniform(label: str, low: float, high: float, q: float) -> Parameter:
    """``round(uniform(low, high) / q) * q``."""
    return _numeric("quniform", label, low=low, high=high, q=q)


def uniformint(label: str, low: float, high: float, q: float = 1.0) -> Parameter:
    """``round(uniform(low, high))`` as an int: both bounds are included.

    Each bound, if integral, is half as probable as the integers between; see :func:`randint`
    for equal probabilities.
    """
    where = _where("uniformint", label, "hp.uniformint('x', 1, 10)")
    return _parameter(where, label, lambda: DISTRIBUTIONS["uniformint"](low, high, q))


def loguniform(label: str, low: float, high: float) -> Parameter:
    """``exp(uniform(low, high))``: ``low`` and ``high`` are natural logarithms."""
    return _numeric("loguniform", label, low=low, high=high)


def qloguniform(label: str, low: float, high: float, q: float) -> Parameter:
    """``round(exp(uniform(low, high)) / q) * q``: the bounds are natural logarithms."""
    return _numeric("qloguniform", label, low=low, high=high, q=q)


def normal(label: str, mu: float, sigma: float) -> Parameter:
    """A normally distributed float of mean ``mu`` and standard deviation ``sigma``."""
    return _numeric("normal", label, mu=mu, sigma=sigma)


def qnormal(label: str, mu: float, sigma: float, q: float) -> Parameter:
    """``round(normal(mu, sigma) / q) * q``."""
    return _numeric("qnormal", label, mu=mu, sigma=sigma, q=q)


def lognormal(label: str, mu: float, sigma: float) -> Parameter:
    """``exp(normal(mu, sigma))``: ``mu`` and ``sigma`` are those of the logarithm."""
    return _numeric("lognormal", label, mu=mu, sigma=sigma)


def qlognormal(label: str, mu: float, sigma: float, q: float) -> Parameter:
    """``round(exp(normal(mu, sigma)) / q) * q``: mean and deviation are the logarithm's."""
    return _numeric("qlognormal", label, mu=mu, sigma=sigma, q=q)


def _numeric(name: str, label: str, **numbers: object) -> Parameter:
    example = ", ".join(["'x'", *numbers])
    where = _where(name, label, f"hp.{name}({example})")
    return _parameter(where, label, lambda: DISTRIBUTIONS[name](**numbers))


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
            f"hp.{name}: the first argument must be the label, a string, got {described(label)}; "
            f"write {example}"
        )
    return f"hp.{name}({str.__str__(label)!r})"


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
        return f"{described(options)}; for integers write hp.randint or range(n)"
    return ""


def _nodes(where: str, options: list[Any]) -> tuple[Node, ...]:
    return _checked(where, lambda: tuple(as_node(option) for option in options))


def _pair(where: str, i: int, pair: Any) -> tuple[Any, Any]:
    if isinstance(pair, tuple | list) and len(pair) == 2:
        return pair[0], pair[1]
    raise BadSearchSpace(
        f"{where}: options must be pairs of (probability, option), got {described(pair)} "
        f"at position {i}"
    )


def _probability(where: str, i: int, p: object, option: object) -> object:
    if not is_number(p) and is_number(option):
        raise BadSearchSpace(
            f"{where}: the probability comes first in each pair, got ({p!r}, {option!r}) at "
            f"position {i}; write ({option!r}, {p!r})"
        )
    return p


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
