"""Checks of arguments that users give, each with an error that says what was expected."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, MutableMapping
from numbers import Integral, Real

import numpy as np

from sparktuner.errors import InvalidLoss

# A message is read in a terminal: what is longer, such as an array, is cut.
_SHOWN = 200
# So many trials at a time no driver can hold.
_MOST_PARALLEL = 1_000_000


def shown(value: object, most: int = _SHOWN) -> str:
    """Returns a value's repr for a message, cut where it is long, also of one that cannot tell.

    Args:
        value: what was given.
        most: how many characters are shown.

    Example:
        >>> shown("wrong"), shown("wrong", 5)
        ("'wrong'", "'w...")
    """
    try:
        text = repr(value)
    except Exception:  # whatever a user's object raises: the message is to be of the mistake
        text = object.__repr__(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def check_seconds(name: str, value: object) -> None:
    """Refuses what is no positive number of seconds; None is no limit.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        ValueError: ``value`` is something else.
    """
    if value is None:
        return
    if not is_real(value) or not _as_float(value) > 0:
        raise ValueError(f"{name} must be None or a number of seconds above 0, got {shown(value)}")


def check_loss_threshold(value: object) -> None:
    """Refuses what is no real number; None is no threshold.

    Raises:
        ValueError: ``value`` is something else.
    """
    if value is None:
        return
    if not is_real(value) or math.isnan(_as_float(value)):
        raise ValueError(f"loss_threshold must be None or a real number, got {shown(value)}")


def is_real(value: object) -> bool:
    """Returns whether a value is a number that has a place in an order; a boolean is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _as_float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:  # an integer beyond all floats
        return math.nan


def check_number(
    name: str,
    value: object,
    least: float = -math.inf,
    most: float = math.inf,
    above: float = -math.inf,
) -> None:
    """Refuses what is no finite number in a range.

    Args:
        name: of the argument, for the message.
        value: what was given.
        least: the lowest number that is allowed.
        most: the highest.
        above: what it must be more than.

    Raises:
        TypeError: ``value`` is no real number.
        ValueError: it is out of its range.
    """
    if not is_real(value):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    number = _as_float(value)
    if math.isfinite(number) and least <= number <= most and number > above:
        return
    if not math.isinf(most):
        bounds = f"from {least:g} to {most:g}"
    else:
        bounds = f"at least {least:g}" if math.isinf(above) else f"above {above:g}"
    raise ValueError(f"{name} must be {bounds} and finite, got {shown(value)}")


def check_rng(name: str, value: object) -> None:
    """Refuses what is no source of random numbers; None is fresh entropy.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        TypeError: ``value`` is something else.
    """
    if value is None or isinstance(value, np.random.Generator | np.random.RandomState):
        return
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < 0:
        raise TypeError(
            f"{name} must be a numpy.random.Generator (np.random.default_rng(42)), an integer "
            f"of at least 0, a RandomState or None, got {shown(value)}"
        )


def check_flag(name: str, value: object) -> None:
    """Refuses what is neither true nor false: text, for one, is true whatever it says.

    Numbers and None are taken, as programs for Hyperopt write ``verbose=1``.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        TypeError: ``value`` is something else.
    """
    if value is None or isinstance(value, Integral | np.bool_):
        return
    raise TypeError(f"{name} must be True or False, got {shown(value)}")


def check_mapping(name: str, value: object, example: str, is_filled: bool = False) -> None:
    """Refuses what is no dictionary.

    Args:
        name: of the argument, for the message.
        value: what was given.
        example: what to write.
        is_filled: whether it is written to, which not all can be.

    Raises:
        TypeError: ``value`` is something else.
    """
    if not isinstance(value, MutableMapping if is_filled else Mapping):
        raise TypeError(f"{name} must be a dictionary, such as {example}, got {shown(value)}")


def check_text(name: str, value: object) -> None:
    """Refuses what is no text; None is none.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        TypeError: ``value`` is something else.
    """
    if not (value is None or isinstance(value, str)):
        raise TypeError(f"{name} must be text or None, got {shown(value)}")


def check_list(name: str, value: object, what: str) -> None:
    """Refuses what is no list or tuple; one that is read once, as a generator, is none.

    Args:
        name: of the argument, for the message.
        value: what was given.
        what: the list is one of these.

    Raises:
        TypeError: ``value`` is something else.
    """
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} must be a list of {what}, got {shown(value)}")


def check_points(name: str, value: object) -> None:
    """Refuses what is no list of dictionaries; None is none.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        TypeError: ``value`` is something else.
    """
    if value is None:
        return
    if isinstance(value, Mapping):
        raise TypeError(
            f"{name} must be a list of dictionaries, got a dictionary: put it in a list"
        )
    check_list(name, value, "dictionaries")
    for i, point in enumerate(value):  # type: ignore[arg-type, var-annotated]
        check_mapping(f"{name}[{i}]", point, "{'x': 0.5}")


def check_tid(name: str, value: object) -> None:
    """Refuses what is no trial's id: an integer, or text as other tools have.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        TypeError: ``value`` is something else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral | str):
        raise TypeError(f"{name} must be a trial's id, an integer or text, got {shown(value)}")


def check_has(name: str, value: object, attributes: tuple[str, ...], expected: str) -> None:
    """Refuses what lacks an attribute, and classes, which have them for their objects.

    Args:
        name: of the argument, for the message.
        value: what was given.
        attributes: what it must have.
        expected: what it must be, and what to write.

    Raises:
        TypeError: it lacks one.
    """
    if isinstance(value, type) or not all(hasattr(value, each) for each in attributes):
        raise TypeError(f"{name} must be {expected}, got {shown(value)}")


def check_callable(name: str, value: object, given: tuple[str, ...] | None = None) -> None:
    """Refuses what cannot be called, or not with so many arguments.

    Args:
        name: of the argument, for the message.
        value: what was given.
        given: the names of what it is called with; None does not ask.

    Raises:
        TypeError: it cannot be called, or not so.
    """
    if not callable(value):
        raise TypeError(f"{name} must be callable, got {shown(value)}")
    if given is None:
        return
    try:
        signature = inspect.signature(value)
    except (ValueError, TypeError):  # functions of C that do not tell
        return
    try:
        signature.bind(*given)
    except TypeError as error:
        of_it = getattr(value, "__name__", type(value).__name__)
        raise TypeError(
            f"{name} is called with ({', '.join(given)}), and {of_it}{signature} cannot be "
            f"({error})"
        ) from None


def check_parallelism(value: object) -> None:
    """Refuses what is no number of trials to run at a time; None leaves it to the cluster.

    Raises:
        TypeError: ``value`` is no integer.
        ValueError: ``value`` is below 1.
    """
    if hasattr(value, "sparkContext") or hasattr(value, "createDataFrame"):
        raise TypeError(
            f"parallelism must be an integer, got a Spark session, {shown(value)}; the first "
            "argument is the number of trials at a time: write spark_session=spark"
        )
    if value is not None:
        check_whole("parallelism", value, least=1, most=_MOST_PARALLEL)


def check_whole(name: str, value: object, least: int, most: float = math.inf) -> None:
    """Refuses what is no whole number from ``least`` to ``most``; ``3.0`` is one.

    Args:
        name: of the argument, for the message.
        value: what was given.
        least: the lowest number that is allowed.
        most: the highest.

    Raises:
        TypeError: ``value`` is no whole number.
        ValueError: ``value`` is out of its range.
    """
    whole = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise TypeError(f"{name} must be an integer, got {shown(value)}")
    if value < least:  # type: ignore[operator]
        raise ValueError(f"{name} must be at least {least}, got {shown(value)}")
    if value > most:  # type: ignore[operator]
        raise ValueError(f"{name} must be at most {most}, got {shown(value)}")


def check_objective(fn: Callable[..., object], takes: int) -> None:
    """Refuses a function that can be no objective, whatever it is called with.

    Args:
        fn: the objective.
        takes: how many arguments it is called with.

    Raises:
        TypeError: it is a class, or cannot be called with so many arguments.
        InvalidLoss: calling it returns a coroutine or a generator, which is no loss.
    """
    if inspect.isclass(fn):
        raise TypeError(
            f"the objective is the class {fn.__name__}, and calling it makes an object, not a "
            f"loss; pass an object that can be called: fmin({fn.__name__}(...), space)"
        )
    function = _function_of(fn)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidLoss(
            "the objective is an async function, and nobody would run what it returns; make it "
            "a plain function that calls asyncio.run(...)"
        )
    if inspect.isgeneratorfunction(function):
        raise InvalidLoss(
            "the objective is a generator: there is a yield in it, so calling it returns no "
            "loss; use return"
        )
    if takes == 1:
        _check_signature(fn)
    else:
        check_callable("the objective with pass_expr_memo_ctrl", fn, ("expr", "memo", "ctrl"))


def _function_of(fn: Callable[..., object]) -> object:
    """The function whose body runs when ``fn`` is called."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn if inspect.isroutine(fn) else type(fn).__call__


def _check_signature(fn: Callable[..., object]) -> None:
    try:
        signature = inspect.signature(fn)
    except (ValueError, TypeError):  # functions of C that do not tell
        return
    try:
        signature.bind(None)
    except TypeError as error:
        name = getattr(fn, "__name__", type(fn).__name__)
        raise TypeError(
            f"the objective is called with one argument, the configuration, and "
            f"{name}{signature} cannot be ({error}); let it take one dictionary, "
            f"def {name}(params), or annotate its parameters with their search spaces and "
            "pass space='annotated'"
        ) from None
