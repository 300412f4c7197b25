"""Rows of latents as points in a Euclidean space, for models that need distances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sparktuner.space import BoolArray, Categorical, FlatSpace, FloatArray, Numeric, normal_cdf
from sparktuner.suggest._layout import IndexArray


@dataclass(frozen=True, eq=False)
class Features:
    """How p columns become f features.

    A numeric column is one feature in about [0, 1]: uniform bases linearly, normal ones through
    their distribution function. A categorical one is a feature for each option, so that two
    different options have squared distance 1. An inactive column stands at its centre: it
    adds nothing to the distance of two configurations that both lack it.

    Attributes:
        space: the columns.
        numeric: (p_n,) positions of the numeric columns.
        normal: (p_n,) whether the base is normal.
        low: (p_n,) low bounds, or means.
        width: (p_n,) widths, or standard deviations.
        categorical: positions and numbers of options of the others.
        owner: (f,) the column of each feature.
    """

    space: FlatSpace
    numeric: IndexArray
    normal: BoolArray
    low: FloatArray
    width: FloatArray
    categorical: tuple[tuple[int, int], ...]
    owner: IndexArray

    def of(self, rows: FloatArray) -> FloatArray:
        """Features (k, f) of latents (k, p)."""
        x = np.zeros((len(rows), len(self.owner)))
        z = (rows[:, self.numeric] - self.low) / self.width
        z[:, self.normal] = normal_cdf(z[:, self.normal])
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
    numeric, ab, categorical = [], [], []
    for j, column in enumerate(space.columns):
        distribution = column.distribution
        if isinstance(distribution, Categorical):
            categorical.append((j, len(distribution.p)))
            continue
        numeric.append(j)
        if isinstance(distribution, Numeric) and distribution.base == "normal":
            ab.append((True, distribution.a, distribution.b))
        else:
            low, high = distribution.bounds
            ab.append((False, low, high - low))
    table = np.array(ab, dtype=np.float64).reshape(-1, 3)
    owner = numeric + [j for j, size in categorical for _ in range(size)]
    return Features(
        space,
        np.array(numeric, dtype=np.intp),
        table[:, 0] > 0,
        table[:, 1],
        table[:, 2],
        tuple(categorical),
        np.array(owner, dtype=np.intp),
    )
