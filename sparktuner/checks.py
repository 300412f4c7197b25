"""Checks of arguments that users give, each with an error that says what was expected."""

from __future__ import annotations

import math
from numbers import Integral, Real


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
