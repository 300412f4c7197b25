"""Checks of arguments that users give, each with an error that says what was expected."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from numbers import Integral, Real

from sparktuner.errors import InvalidLoss


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
    if not isinstance(value, Real) or isinstance(value, bool) or not float(value) > 0:
        raise ValueError(f"{name} must be None or a number of seconds above 0, got {value!r}")


def check_loss_threshold(value: object) -> None:
    """Refuses what is no real number; None is no threshold.

    Raises:
        ValueError: ``value`` is something else.
    """
    if value is None:
        return
    if not isinstance(value, Real) or isinstance(value, bool) or math.isnan(float(value)):
        raise ValueError(f"loss_threshold must be None or a real number, got {value!r}")


def check_parallelism(value: object) -> None:
    """Refuses what is no number of trials to run at a time; None leaves it to the cluster.

    Raises:
        TypeError: ``value`` is no integer.
        ValueError: ``value`` is below 1.
    """
    if hasattr(value, "sparkContext") or hasattr(value, "createDataFrame"):
        raise TypeError(
            f"parallelism must be an integer, got a Spark session, {value!r}; the first argument "
            "is the number of trials at a time: write spark_session=spark"
        )
    if value is not None:
        check_whole("parallelism", value, least=1)


def check_whole(name: str, value: object, least: int) -> None:
    """Refuses what is no whole number of at least ``least``; ``3.0`` is one.

    Args:
        name: of the argument, for the message.
        value: what was given.
        least: the lowest number that is allowed.

    Raises:
        TypeError: ``value`` is no whole number.
        ValueError: ``value`` is below ``least``.
    """
    whole = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:  # type: ignore[operator]
        raise ValueError(f"{name} must be at least {least}, got {value!r}")


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
