"""The prior of a recorded space: when its parameters are active, and their quantiles."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import numpy as np

from sparktuner.records import ColumnRecord, SpaceRecord
from sparktuner.space import (
    DISTRIBUTIONS,
    BoolArray,
    Categorical,
    Distribution,
    FloatArray,
    Numeric,
    RandInt,
    normal_cdf,
)

_CALL = re.compile(r"hp\.(\w+)\(")


def distribution_of(record: ColumnRecord) -> Distribution | None:
    """Returns the distribution that a parameter had; None where its record does not tell.

    Example:
        >>> x = ColumnRecord("x", "hp.uniform('x', 0, 4)", 0.0, 4.0, None, (), ((),))
        >>> distribution_of(x).quantile(np.array([0.25])).tolist()
        [1.0]
    """
    name = _CALL.match(record.code)
    if name is None:
        return None
    try:
        if name[1] == "choice":
            return Categorical.uniform(len(record.options))
        call = ast.parse(record.code, mode="eval").body
        assert isinstance(call, ast.Call)  # it begins like one
        numbers = [ast.literal_eval(number) for number in call.args[1:]]
        if name[1] == "pchoice":
            return Categorical(tuple(p for p, _ in numbers[0]))
        return DISTRIBUTIONS[name[1]](*numbers)
    # A record of somebody else's may hold anything.
    except (AssertionError, ValueError, TypeError, SyntaxError, KeyError, RecursionError):
        return None


def probabilities(distribution: Distribution, values: Sequence[float]) -> FloatArray:
    """Returns the middle of the probabilities at which the quantile is each value.

    Args:
        distribution: of the values.
        values: n of them, in its range.

    Returns:
        (n,) in [0, 1].
    """
    if isinstance(distribution, RandInt):
        # Subtracted as Python's integers: as floats, large ones are all the same.
        steps = np.array([value - distribution.low for value in values], dtype=np.float64)
        u = (steps + 0.5) / distribution.cardinality
    elif isinstance(distribution, Categorical):
        ends = np.cumsum([0.0, *distribution.p])
        index = np.clip(np.array(values, dtype=np.intp), 0, len(distribution.p) - 1)
        u = (ends[index] + ends[index + 1]) / 2
    else:
        u = _of_numeric(distribution, np.array(values, dtype=np.float64))
    return np.clip(u, 0.0, 1.0)


def _of_numeric(distribution: Numeric, values: FloatArray) -> FloatArray:
    z = distribution.to_latent(values)
    if distribution.base == "uniform":
        return (z - distribution.a) / (distribution.b - distribution.a)
    return normal_cdf((z - distribution.a) / distribution.b)


def active(record: SpaceRecord, distributions: Sequence[Distribution], u: FloatArray) -> BoolArray:
    """Returns which parameters are active at points of the unit cube.

    Args:
        record: the space, of p parameters.
        distributions: of its parameters.
        u: (n, p) in [0, 1].

    Returns:
        (n, p) booleans.
    """
    mask = np.zeros(u.shape, dtype=np.bool_)
    taken: dict[str, FloatArray] = {}
    # Parents come before their children.
    for j, (column, distribution) in enumerate(zip(record.columns, distributions, strict=True)):
        for pairs in column.conditions:
            met = np.ones(len(u), dtype=np.bool_)
            for label, value in pairs:
                met &= taken[label] == value if label in taken else False
            mask[:, j] |= met
        values = distribution.quantile(u[:, j])
        before = taken.get(column.label, np.full(len(u), np.nan))
        taken[column.label] = np.where(mask[:, j], values, before)
    return mask
