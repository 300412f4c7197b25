"""Rows of latents as points in a Euclidean space, for models that need distances."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._layout import IndexArray, layout_of
from sparktuner.suggest._remembered import remembered

# Some 350 standard deviations of a normal base. A step may lie farther than that from the mean,
# and so may a user's point.
_FAR = 100.0
# The time and memory of a suggestion grow with the number of features. So many options have a
# feature each, and all choices of a space together about so many features.
_MAX_DIGIT = 64
_MAX_OPTIONS = 1024


@dataclass(frozen=True, eq=False)
class Features:
    """A map from the p columns of a space to f features.

    A numeric column is one feature, from 0 to 1 where its base is uniform. A normal base counts
    as the uniform one of equal mean and variance; its tails go on beyond. A categorical column of
    few options (at most 64) is a feature for each, so that two different options have squared
    distance 1. One of many options is written in digits, each of which is a feature for each of
    its values; the squared distance of two options is the share of the digits in which they
    differ. An inactive column stands at its centre: it adds nothing to the distance of two
    configurations that both lack it.

    Attributes:
        numeric: (p_n,) positions of the numeric columns, whose features come first.
        low: (p_n,) the latents whose feature is 0.
        width: (p_n,) how much larger the latents are whose feature is 1.
        digits: For each digit of each categorical column: the column's position, the number
            by which an index is divided, the base (of few options, 1 and their number), and the
            feature of a digit that it has.
        column_of: (f,) the column that each feature belongs to.
    """

    numeric: IndexArray
    low: FloatArray
    width: FloatArray
    digits: tuple[tuple[int, int, int, float], ...]
    column_of: IndexArray

    def of(self, rows: FloatArray) -> FloatArray:
        """Returns the features (k, f), never NaN, of latents (k, p)."""
        x = np.zeros((len(rows), len(self.column_of)))
        # A normal base is centred at 0.5 too, and cut off only where squares lose all digits.
        with np.errstate(over="ignore"):
            z = np.clip((rows[:, self.numeric] - self.low) / self.width, -_FAR, _FAR)
        n = len(self.numeric)
        x[:, :n] = np.where(np.isnan(z), 0.5, z)
        # Two different options differ in two features: 0.5 + 0.5 = 1 is their squared distance.
        for j, divisor, base, height in self.digits:
            options = rows[:, j]
            on = np.flatnonzero(~np.isnan(options))
            x[on, n + options[on].astype(np.intp) // divisor % base] = height
            n += base
        return x


def digits_of(size: int, most: int) -> list[tuple[int, int, float]]:
    """Returns the digits in which an index below ``size`` is written, the last one first.

    They are as few as there can be if none has more than ``most`` values, so different indices
    always differ in one of them.

    Args:
        size: The number of options.
        most: The most features of a digit, at least 2.

    Returns:
        For each digit the number by which an index is divided, the base, and the feature of a
        digit that it has.

    >>> [(divisor, base) for divisor, base, _ in digits_of(5000, 64)]
    [(1, 18), (18, 18), (324, 18)]
    """
    count = 1
    while most**count < size:
        count += 1
    # The root is rounded: the next base is right where this one is not.
    base = next(b for b in itertools.count(max(int(size ** (1 / count)), 1)) if b**count >= size)
    return [(base**i, base, math.sqrt(0.5 / count)) for i in range(count)]


@remembered
def features_of(space: FlatSpace) -> Features:
    """Returns the features of a space, remembered because a space is frozen."""
    # In the layout's order, numeric columns first: their features are a slice.
    layout = layout_of(space)
    place, n = layout.index, layout.n_numeric
    sizes = [int(size) for size in layout.n_options]
    most = max(8, min(_MAX_DIGIT, _MAX_OPTIONS // max(len(sizes), 1)))
    digits = [
        (int(j), *digit)
        for j, size in zip(place[n:], sizes, strict=True)
        for digit in digits_of(size, most)
    ]
    column_of = [*place[:n], *(j for j, _, base, _ in digits for _ in range(base))]
    return Features(
        place[:n],
        layout.centre - layout.scale / 2,
        layout.scale,
        tuple(digits),
        np.array(column_of, dtype=np.intp),
    )
