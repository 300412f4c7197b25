"""Checks of the numbers that users write into a search space."""

from __future__ import annotations

import math
import numbers

import numpy as np

from sparktuner.checks import shown
from sparktuner.errors import BadSearchSpace
from sparktuner.space._nodes import Node


def number(argument: str, value: object) -> float:
    """Returns a number that a user wrote, as a float.

    Args:
        argument: the name by which messages call it: ``"low"``.
        value: a Python or NumPy number, or an array of no dimensions.

    Raises:
        BadSearchSpace: it is no finite real number, or a boolean.
    """
    value = unwrapped(value)
    if isinstance(value, Node):
        raise BadSearchSpace(
            f"{argument} must be a constant, got the search-space node {value!r}; "
            "compute with nodes instead, as in lower + hp.uniform('x', 0, 1) * width"
        )
    if isinstance(value, bool):
        raise BadSearchSpace(
            f"{argument} must be a number, got {value}; for a parameter that is true "
            "or false use hp.choice(label, [False, True])"
        )
    if not isinstance(value, numbers.Real):
        raise BadSearchSpace(
            f"{argument} must be a real number, got {described(value)}{_remedy(value)}"
        )
    return _finite(argument, value)


def _finite(argument: str, value: numbers.Real) -> float:
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise BadSearchSpace(f"{argument} must be finite, got {converted}")
    # Adding 0.0 turns -0.0 into 0.0.
    return converted + 0.0


def _remedy(value: object) -> str:
    if isinstance(value, str):
        try:
            return f"; write {float(value):g} without quotes"
        except ValueError:
            return "; the label comes first"
    return ""


def integer(argument: str, value: object) -> int:
    """Returns a whole number that a user wrote, as an int; 10.0 counts as 10.

    Args:
        argument: the name by which messages call it.
        value: a Python or NumPy number, or an array of no dimensions.

    Raises:
        BadSearchSpace: it is no finite whole number.
    """
    if not number(argument, value).is_integer():
        raise BadSearchSpace(
            f"{argument} must be a whole number, got {value!r}; "
            "use hp.uniform or hp.quniform for fractions"
        )
    # Not by way of the float, which cannot hold every integer beyond 2**53.
    return int(unwrapped(value))  # type: ignore[call-overload, no-any-return]


def is_number(value: object) -> bool:
    """Returns whether a value is a real number, of Python or NumPy, and no boolean.

    Example:
        >>> is_number(np.float32(0.5)), is_number(True)
        (True, False)
    """
    value = unwrapped(value)
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def unwrapped(value: object) -> object:
    """Returns a NumPy scalar, or an array of no dimensions, as the Python value that it holds."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return value


def described(value: object) -> str:
    """Returns a value as messages show it: its type and its repr, cut where it is long.

    Example:
        >>> described("half")
        "the str 'half'"
    """
    text = shown(value, 60)
    return text if value is None else f"the {type(value).__name__} {text}"
