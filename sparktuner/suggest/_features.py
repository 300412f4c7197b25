"""Rows of latents as points in a Euclidean space, for models that need distances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._layout import IndexArray, layout_of


@dataclass(frozen=True, eq=False)
class Features:
    """How p columns become f features.

    A numeric column is one feature, from 0 to 1 where its base is uniform. A normal base counts
    as the uniform one of equal mean and variance; its tails go on beyond. A categorical column is
    a feature for each option, so that two different options have squared distance 1. An inactive
    column stands at its centre: it adds nothing to the distance of two configurations that both
    lack it.

    Attributes:
        space: the columns.
        numeric: (p_n,) positions of the numeric columns.
        low: (p_n,) what becomes 0.
        width: (p_n,) how far from there 1 is.
        categorical: positions and numbers of options of the others.
        column_of: (f,) the column of each feature.
    """

    space: FlatSpace
    numeric: IndexArray
    low: FloatArray
    width: FloatArray
    categorical: tuple[tuple[int, int], ...]
    column_of: IndexArray

    def of(self, rows: FloatArray) -> FloatArray:
        """Features (k, f) of latents (k, p)."""
        x = np.zeros((len(rows), len(self.column_of)))
        z = (rows[:, self.numeric] - self.low) / self.width
        n = len(self.numeric)
        x[:, :n] = np.where(np.isnan(z), 0.5, z)
        for j, size in self.categorical:
            options = rows[:, j]
            on = np.flatnonzero(~np.isnan(options))
            x[on, n + options[on].astype(np.intp)] = np.sqrt(0.5)
            n += size
        return x


@lru_cache(maxsize=32)
def features_of(space: FlatSpace) -> Features:
    """The features of a space, which is frozen."""
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
