"""Points that a user wrote: which of their values a parameter cannot take."""

from __future__ import annotations

import math
import sys

import numpy as np

from sparktuner.checks import shown
from sparktuner.space._arguments import is_number, unwrapped
from sparktuner.space._discrete import Categorical, RandInt
from sparktuner.space._distributions import Distribution
from sparktuner.space._evaluate import Configuration
from sparktuner.space._flatten import Column, FlatSpace
from sparktuner.space._numeric import Numeric

# Values that came through JSON, or through a logarithm, differ in the last bits.
_SLACK = 1e-9


def out_of_bounds(space: FlatSpace, point: Configuration) -> list[str]:
    """Describes each value of a configuration that its parameter cannot take.

    A value between two steps is fine, because it counts as the nearer one. Labels of no
    parameter are ignored, and so are parameters that the point's choices leave out.

    Args:
        space: the space in columns.
        point: values by label; a choice's is the index of its option.

    Returns:
        For each such value a text that names the label, the value, and what can be taken.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.space import flatten
        >>> out_of_bounds(flatten(hp.uniform("x", 0, 1)), {"x": 3})
        ["'x' is 3, and must be from 0 to 1"]
    """
    wrong: dict[str, str] = {}
    possible: set[str] = set()
    for column in space.columns:
        if column.label not in point or not _is_active(space, column, point):
            continue
        needed = _needed(column.distribution, point[column.label])
        if needed:
            wrong[column.label] = (
                f"{column.label!r} is {shown(point[column.label])}, and must be {needed}"
            )
        else:
            possible.add(column.label)
    return [text for label, text in wrong.items() if label not in possible]


def _is_active(space: FlatSpace, column: Column, point: Configuration) -> bool:
    def takes(j: int, option: int) -> bool:
        parent = space.columns[j]
        chosen = unwrapped(point.get(parent.label))
        is_taken = isinstance(chosen, int | float) and chosen == option
        return is_taken and _is_active(space, parent, point)

    return any(all(takes(j, option) for j, option in way) for way in column.conditions)


def _needed(distribution: Distribution, value: object) -> str:
    """Returns what a value would have to be, or nothing where it is that."""
    if isinstance(value, bool | np.bool_):
        value = int(value)
    value = unwrapped(value)
    if not is_number(value) or not isinstance(value, int | float):
        return "a number (a choice's is the index of its option)"
    if isinstance(distribution, Categorical):
        n = len(distribution.p)
        is_index = 0 <= value < n and float(value).is_integer()
        return "" if is_index else f"the index of one of its {n} options, from 0 to {n - 1}"
    if isinstance(distribution, RandInt):
        low, last = distribution.low, distribution.high - 1
        # As Python compares them: floats cannot hold every integer.
        near = 0.0 if isinstance(value, int) else 0.5
        is_inside = low <= value <= last or low - near <= value <= last + near
        return "" if is_inside else f"from {low} to {last}"
    return _needed_number(distribution, value)


def _needed_number(distribution: Numeric, value: float) -> str:
    low, high = distribution.limits
    near = (distribution.q or 0.0) / 2
    least, most = low - near - _SLACK * abs(low), high + near + _SLACK * abs(high)
    # A Python int may be larger than any float, so it is compared and not converted.
    if least <= value <= most and abs(value) <= sys.float_info.max:
        return ""
    if math.isfinite(high):
        return f"from {low:g} to {high:g}"
    return f"finite and at least {low:g}" if math.isfinite(low) else "finite"
