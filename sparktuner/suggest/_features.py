"""Rows of latents as points in a Euclidean space, for models that need distances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._layout import IndexArray, layout_of

# Some 350 standard deviations of a normal base. A step may lie farther than that from the mean,
# and so may a user's point.
_FAR = 100.0


@dataclass(frozen=True, eq=False)
class Features:
    """A map from the p columns of a space to f features.

    A numeric column is one feature, from 0 to 1 where its base is uniform. A normal base counts
    as the uniform one of equal mean and variance; its tails go on beyond. A categorical column is
    a feature for each option, so that two different options have squared distance 1. An inactive
    column stands at its centre: it adds nothing to the distance of two configurations that both
    lack it.

    Attributes:
        space: The space of the columns.
        numeric: (p_n,) positions of the numeric columns, whose features come first.
        low: (p_n,) the latents whose feature is 0.
        width: (p_n,) how much larger the latents are whose feature is 1.
        categorical: For each categorical column its position and its number of options.
        column_of: (f,) the column that each feature belongs to.
    """

    space: FlatSpace
    numeric: IndexArray
    low: FloatArray
    width: FloatArray
    categorical: tuple[tuple[int, int], ...]
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
        for j, size in self.categorical:
            options = rows[:, j]
            on = np.flatnonzero(~np.isnan(options))
            x[on, n + options[on].astype(np.intp)] = np.sqrt(0.5)
            n += size
        return x


@lru_cache(maxsize=32)
def features_of(space: FlatSpace) -> Features:
    """Returns the features of a space, remembered because a space is frozen."""
    # In the layout's order, numeric columns first: their features are a slice.
    layout = layout_of(space)
    place, n = layout.index, layout.n_numeric
    categorical = [
        (int(j), int(size)) for j, size in zip(place[n:], layout.n_options, strict=True)
    ]
    column_of = [*place[:n], *(j for j, size in categorical for _ in range(size))]
    return Features(
        space,
        place[:n],
        layout.centre - layout.scale / 2,
        layout.scale,
        tuple(categorical),
        np.array(column_of, dtype=np.intp),
    )
