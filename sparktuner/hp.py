"""The twelve functions that a search space is written with.

Each takes a label, by which the parameter is known in results, and the numbers of its
distribution. The numbers are checked at once: an ill-formed parameter raises
``BadSearchSpace`` where it is written, not when a search begins.

One of several things: :func:`choice`, :func:`pchoice`. Integers: :func:`randint`,
:func:`uniformint`. Between bounds: :func:`uniform`, :func:`loguniform`. Without bounds:
:func:`normal`, :func:`lognormal`. In steps of ``q``: :func:`quniform`, :func:`qloguniform`,
:func:`qnormal`, :func:`qlognormal`; where ``q`` is integral their values are ints.

The examples draw from a parameter with :func:`sparktuner.pyll.stochastic.sample`, whose second
argument is a seed.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import NoReturn, TypeVar

import numpy as np

from sparktuner.checks import shown
from sparktuner.errors import BadSearchSpace
from sparktuner.space import (
    DISTRIBUTIONS,
    Categorical,
    Distribution,
    Node,
    Parameter,
    Switch,
    as_node,
    call,
    described,
    is_number,
)

_T = TypeVar("_T")
# Between two logarithms in (0, 1] so far apart, values would differ by a factor of at most e:
# nobody needs a logarithmic scale for that, and a range of values that small is common.
_WIDE = 10


def choice(label: str, options: Iterable[object], *more: NoReturn) -> Node:
    """Returns a parameter that is one of the options, each equally probable.

    Args:
        label: the name under which the option's index is recorded.
        options: a list, tuple, range or array. Each may hold further parameters; those are
            drawn only where their option is chosen. Without any it is an error to draw it,
            not to write it: spaces made by programs hold such choices where nobody gets.
        more: nothing; options that were not put in a list are refused with the call that was
            meant.

    Raises:
        BadSearchSpace: the label is no string, or ``options`` is no list.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> svm = {"name": "svm", "degree": hp.randint("degree", 2, 6)}
        >>> space = hp.choice("model", ["bayes", svm])
        >>> [sample(space, seed) for seed in (1, 3)]
        [{'degree': 5, 'name': 'svm'}, 'bayes']
    """
    where = _where("choice", label, "hp.choice('x', ['a', 'b'])")
    _refuse_more("choice", where, label, (options, *more))
    listed = _options(where, options)
    if not listed:
        return call(_no_option, where)
    index = _parameter(where, label, lambda: Categorical.uniform(len(listed)))
    return Switch(index, _nodes(where, listed))


def pchoice(
    label: str, p_options: Iterable[tuple[float, object] | list[object]], *more: NoReturn
) -> Switch:
    """Returns a parameter that is one of the options, drawn with given probabilities.

    Args:
        label: the name under which the option's index is recorded.
        p_options: pairs of (probability, option); the probabilities sum to 1, or nearly so,
            as 0.33, 0.33, 0.33 do.
        more: nothing; pairs that were not put in a list are refused with the call that was
            meant.

    Raises:
        BadSearchSpace: the label is no string, or ``p_options`` is no list of such pairs.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> space = hp.pchoice("solver", [(0.9, "sgd"), (0.1, "adam")])
        >>> [sample(space, seed) for seed in range(6)]
        ['sgd', 'sgd', 'sgd', 'sgd', 'adam', 'sgd']
    """
    where = _where("pchoice", label, "hp.pchoice('x', [(0.2, 'a'), (0.8, 'b')])")
    _refuse_more("pchoice", where, label, (p_options, *more))
    listed = _options(where, p_options)
    if not listed:
        raise BadSearchSpace(f"{where}: options must not be empty, got {shown(p_options)}")
    pairs = [_pair(where, i, pair) for i, pair in enumerate(listed)]
    p = [_probability(where, i, *pair) for i, pair in enumerate(pairs)]
    index = _parameter(where, label, lambda: DISTRIBUTIONS["categorical"](p))
    return Switch(index, _nodes(where, [option for _, option in pairs]))


def randint(label: str, *bounds: float, **named: float) -> Parameter:
    """Returns an integer parameter from ``low`` to ``high - 1``, each equally probable.

    Args:
        label: the name under which the value is recorded.
        bounds: ``high`` alone, ``low`` being 0, or ``low`` and ``high``; whole numbers.
        named: the same by keyword: ``low`` and ``high``, which may be called ``upper``.

    Raises:
        BadSearchSpace: a bound is missing, given twice, or no whole number, or ``low`` is
            not below ``high``.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> [sample(hp.randint("seed", 2, 5), seed) for seed in range(6)]
        [3, 3, 2, 2, 4, 4]
    """
    where = _where("randint", label, "hp.randint('x', 2, 10)")
    return _parameter(where, label, lambda: DISTRIBUTIONS["randint"](*bounds, **named))


def uniform(label: str, low: float, high: float) -> Parameter:
    """Returns a real parameter that is uniformly distributed between ``low`` and ``high``.

    Args:
        label: the name under which the value is recorded.
        low: the least value.
        high: the greatest value.

    Raises:
        BadSearchSpace: a bound is no finite number, or ``low`` is not below ``high``.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> round(sample(hp.uniform("momentum", 0.5, 1), 0), 3)
        0.818
    """
    return _numeric("uniform", label, low=low, high=high)


def quniform(label: str, low: float, high: float, q: float) -> Parameter:
    """Returns a parameter whose values are ``round(uniform(low, high) / q) * q``.

    Values may lie outside the bounds by up to ``q / 2``, as in Hyperopt.

    Args:
        label: the name under which the value is recorded.
        low: the lower bound, before rounding.
        high: the upper bound, before rounding.
        q: the step between values; where it is integral the values are ints.

    Raises:
        BadSearchSpace: ``low`` is not below ``high``, or ``q`` is not above 0.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> [sample(hp.quniform("units", 16, 64, 16), seed) for seed in range(4)]
        [48, 48, 32, 16]
    """
    return _numeric("quniform", label, low=low, high=high, q=q)


def uniformint(label: str, low: float, high: float, q: float = 1.0) -> Parameter:
    """Returns an integer parameter from ``low`` to ``high``, both bounds included.

    Its values are ``round(uniform(low, high))``, so that each bound, if integral, is half as
    probable as the integers between; :func:`randint` makes all equally probable.

    Args:
        label: the name under which the value is recorded.
        low: the lower bound, before rounding.
        high: the upper bound, before rounding.
        q: accepted for Hyperopt's sake; must be 1.

    Raises:
        BadSearchSpace: ``low`` is not below ``high``, or ``q`` is not 1.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> [sample(hp.uniformint("depth", 2, 12), seed) for seed in range(4)]
        [8, 7, 5, 3]
    """
    where = _where("uniformint", label, "hp.uniformint('x', 1, 10)")
    return _parameter(where, label, lambda: DISTRIBUTIONS["uniformint"](low, high, q))


def loguniform(label: str, low: float, high: float) -> Parameter:
    """Returns a positive parameter whose natural logarithm is uniform in [low, high].

    Warns where the bounds look like the values themselves: ``loguniform("lr", 1e-5, 0.1)``
    draws from 1.00001 to 1.105.

    Args:
        label: the name under which the value is recorded.
        low: the natural logarithm of the least value.
        high: the natural logarithm of the greatest value.

    Raises:
        BadSearchSpace: ``low`` is not below ``high``, or ``exp(high)`` overflows.

    Example:
        >>> from math import log
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> f"{sample(hp.loguniform('rate', log(1e-5), log(1e-1)), 0):.5f}"
        '0.00353'
    """
    parameter = _numeric("loguniform", label, low=low, high=high)
    _warn_of_values("loguniform", label, float(low), float(high))
    return parameter


def qloguniform(label: str, low: float, high: float, q: float) -> Parameter:
    """Returns a parameter whose values are ``round(exp(uniform(low, high)) / q) * q``.

    Warns where the bounds look like the values themselves, as :func:`loguniform` does.

    Args:
        label: the name under which the value is recorded.
        low: the natural logarithm of the lower bound, before rounding.
        high: the natural logarithm of the upper bound, before rounding.
        q: the step between values; where it is integral the values are ints.

    Raises:
        BadSearchSpace: ``low`` is not below ``high``, ``exp(high)`` overflows, or ``q`` is not
            above 0.

    Example:
        >>> from math import log
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> [sample(hp.qloguniform("batch", log(8), log(256), 8), seed) for seed in range(4)]
        [72, 48, 16, 8]
    """
    parameter = _numeric("qloguniform", label, low=low, high=high, q=q)
    _warn_of_values("qloguniform", label, float(low), float(high), f", {q}")
    return parameter


def normal(label: str, mu: float, sigma: float) -> Parameter:
    """Returns a real parameter without bounds that is normally distributed.

    Args:
        label: the name under which the value is recorded.
        mu: its mean.
        sigma: its standard deviation.

    Raises:
        BadSearchSpace: a number is not finite, or ``sigma`` is not above 0.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> round(sample(hp.normal("offset", 10, 2), 0), 3)
        10.701
    """
    return _numeric("normal", label, mu=mu, sigma=sigma)


def qnormal(label: str, mu: float, sigma: float, q: float) -> Parameter:
    """Returns a parameter whose values are ``round(normal(mu, sigma) / q) * q``.

    Args:
        label: the name under which the value is recorded.
        mu: the mean, before rounding.
        sigma: the standard deviation, before rounding.
        q: the step between values; where it is integral the values are ints.

    Raises:
        BadSearchSpace: a number is not finite, or ``sigma`` or ``q`` is not above 0.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> [sample(hp.qnormal("shift", 0, 1, 0.5), seed) for seed in range(4)]
        [0.5, 0.0, -0.5, -1.5]
    """
    return _numeric("qnormal", label, mu=mu, sigma=sigma, q=q)


def lognormal(label: str, mu: float, sigma: float) -> Parameter:
    """Returns a positive parameter whose natural logarithm is normally distributed.

    Args:
        label: the name under which the value is recorded.
        mu: the mean of the natural logarithm.
        sigma: the standard deviation of the natural logarithm.

    Raises:
        BadSearchSpace: ``sigma`` is not above 0, or ``exp(mu)`` overflows.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> round(sample(hp.lognormal("C", 0, 1), 0), 3)
        1.42
    """
    return _numeric("lognormal", label, mu=mu, sigma=sigma)


def qlognormal(label: str, mu: float, sigma: float, q: float) -> Parameter:
    """Returns a parameter whose values are ``round(exp(normal(mu, sigma)) / q) * q``.

    Args:
        label: the name under which the value is recorded.
        mu: the mean of the natural logarithm, before rounding.
        sigma: the standard deviation of the natural logarithm, before rounding.
        q: the step between values; where it is integral the values are ints.

    Raises:
        BadSearchSpace: ``sigma`` or ``q`` is not above 0, or ``exp(mu)`` overflows.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.pyll.stochastic import sample
        >>> [sample(hp.qlognormal("trees", 5, 1, 10), seed) for seed in range(4)]
        [210, 150, 80, 40]
    """
    return _numeric("qlognormal", label, mu=mu, sigma=sigma, q=q)


# One way in for all distributions, so that their messages name the call alike.
def _numeric(name: str, label: str, **numbers: object) -> Parameter:
    example = ", ".join(["'x'", *numbers])
    where = _where(name, label, f"hp.{name}({example})")
    return _parameter(where, label, lambda: DISTRIBUTIONS[name](**numbers))


def _warn_of_values(name: str, label: str, low: float, high: float, step: str = "") -> None:
    """Warns where the bounds of a logarithm look like bounds of the value."""
    if not (low > 0 and high <= 1 and high >= _WIDE * low):
        return
    call = f"hp.{name}({str.__str__(label)!r}, "
    warnings.warn(
        f"{call}{low!r}, {high!r}{step}) takes natural logarithms of the bounds, so it draws "
        f"from {math.exp(low):.6g} to {math.exp(high):.6g}; if the bounds are meant as values, "
        f"write {call}math.log({low!r}), math.log({high!r}){step})",
        UserWarning,
        stacklevel=3,
    )


def _parameter(where: str, label: str, make: Callable[[], Distribution]) -> Parameter:
    # str.__str__ makes a plain string of a NumPy one, or of a member of a string enumeration.
    return _checked(where, lambda: Parameter(str.__str__(label), make()))


def _checked(where: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except BadSearchSpace as error:
        raise BadSearchSpace(f"{where}: {error}") from None


def _where(name: str, label: object, example: str) -> str:
    """Returns how messages name the call, of which the label is a part: it is checked first."""
    if not isinstance(label, str):
        raise BadSearchSpace(
            f"hp.{name}: the first argument must be the label, a string, got {described(label)}; "
            f"write {example}"
        )
    return f"hp.{name}({str.__str__(label)!r})"


def _refuse_more(name: str, where: str, label: str, given: tuple[object, ...]) -> None:
    if len(given) == 1:
        return
    listed = ", ".join(shown(option) for option in given)
    listed = listed if len(listed) <= 60 else f"{shown(given[0], 50)}, ..."
    raise BadSearchSpace(
        f"{where}: options must be one list, got {len(given)} arguments; "
        f"write hp.{name}({str.__str__(label)!r}, [{listed}])"
    )


def _options(where: str, options: Iterable[object]) -> list[object]:
    """Returns the options as a list; refuses what has no order, or is one option by mistake."""
    wrong = _not_options(options)
    if wrong:
        raise BadSearchSpace(f"{where}: options must be a list, got {wrong}")
    listed: list[object] = list(options)
    if isinstance(options, np.ndarray) and options.ndim == 1:
        # Native numbers; the rows of a matrix stay arrays.
        listed = options.tolist()
    return listed


def _no_option(where: str) -> NoReturn:
    raise BadSearchSpace(f"{where}: there is nothing to choose from, options is empty")


def _not_options(options: object) -> str:
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


def _nodes(where: str, options: list[object]) -> tuple[Node, ...]:
    return _checked(where, lambda: tuple(as_node(option) for option in options))


def _pair(where: str, i: int, pair: object) -> tuple[object, object]:
    if isinstance(pair, tuple | list) and len(pair) == 2:
        return pair[0], pair[1]
    raise BadSearchSpace(
        f"{where}: options must be pairs of (probability, option), got {described(pair)} "
        f"at position {i}"
    )


def _probability(where: str, i: int, p: object, option: object) -> object:
    if not is_number(p) and is_number(option):
        raise BadSearchSpace(
            f"{where}: the probability comes first in each pair, got ({shown(p)}, "
            f"{shown(option)}) at position {i}; write ({shown(option)}, {shown(p)})"
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


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)
