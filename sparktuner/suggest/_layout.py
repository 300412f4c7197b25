"""The columns of a space, sorted by kind of kernel, and which of them are active together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.space import (
    Categorical,
    Column,
    FlatSpace,
    FloatArray,
    Numeric,
    RandInt,
    StackedDistributions,
)

IndexArray: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layout:
    """A space's columns, d of them, ordered by kind.

    Numeric columns come first (continuous ones, then ``stepped`` ones: q and integers), then
    the categorical ones. Arrays over numeric columns have shape (d_n,).

    Attributes:
        index: (d,) the columns' positions in the space.
        columns: the columns in the same order.
        group: (d,) the number of each column's group: those that are active together.
        group_heads: (G,) the position in the space of a column of each group.
        n_continuous: how many columns are continuous.
        n_numeric: how many are numeric at all, d_n.
        low: lower bounds of the latents, -inf for a normal base.
        high: upper bounds of the latents.
        centre: median of the prior.
        scale: width of the prior; a normal base counts as wide as the uniform distribution of
            equal variance.
        max_bandwidth: the largest bandwidth of a kernel: the scale, or the normal base's
            deviation, so that the kernels of outliers do not lead further and further out.
        step: width of the narrowest cell of a stepped column's latents, near its centre.
        n_options: (d_c,) how many options each categorical column has.
        table: the arithmetic of the columns.
    """

    index: IndexArray
    columns: tuple[Column, ...]
    group: IndexArray
    group_heads: IndexArray
    n_continuous: int
    n_numeric: int
    low: FloatArray
    high: FloatArray
    centre: FloatArray
    scale: FloatArray
    max_bandwidth: FloatArray
    step: FloatArray
    n_options: FloatArray
    table: StackedDistributions

    def sample_prior(self, rng: np.random.Generator, k: int) -> FloatArray:
        """``k`` draws from the prior, (k, d), of all columns whether active or not."""
        return self.table.quantile(rng.random((k, len(self.columns))))


@lru_cache(maxsize=32)
def layout_of(space: FlatSpace) -> Layout:
    """The layout of a space; it is frozen, so remembering it changes nothing but time."""
    indices = sorted(range(len(space.columns)), key=lambda j: (_kind(space.columns[j]), j))
    columns = tuple(space.columns[j] for j in indices)
    heads: dict[object, int] = {}
    for j, column in enumerate(space.columns):
        heads.setdefault(column.conditions, j)
    numbers = {conditions: number for number, conditions in enumerate(heads)}
    kinds = [_kind(column) for column in columns]
    distributions = [column.distribution for column in columns]
    numeric = [d for d in distributions if not isinstance(d, Categorical)]
    normal = np.array(
        [isinstance(d, Numeric) and d.base == "normal" for d in numeric], dtype=np.bool_
    )
    bounds = np.array([d.bounds for d in numeric], dtype=np.float64).reshape(-1, 2)
    ab = np.array(
        [(d.a, d.b) if isinstance(d, Numeric) else d.bounds for d in numeric], dtype=np.float64
    ).reshape(-1, 2)
    a, b = ab[:, 0], ab[:, 1]
    centre = np.where(normal, a, a / 2 + b / 2)
    return Layout(
        index=np.array(indices, dtype=np.intp),
        columns=columns,
        group=np.array([numbers[c.conditions] for c in columns], dtype=np.intp),
        group_heads=np.array(list(heads.values()), dtype=np.intp),
        n_continuous=kinds.count(0),
        n_numeric=len(numeric),
        low=bounds[:, 0],
        high=bounds[:, 1],
        centre=centre,
        scale=np.where(normal, np.sqrt(12.0) * b, b - a),
        max_bandwidth=np.where(normal, b, b - a),
        step=_steps(numeric, centre),
        n_options=np.array(
            [len(d.p) for d in distributions if isinstance(d, Categorical)], dtype=np.float64
        ),
        table=StackedDistributions(distributions),
    )


def _kind(column: Column) -> int:
    distribution = column.distribution
    if isinstance(distribution, Categorical):
        return 2
    return 0 if isinstance(distribution, Numeric) and distribution.q is None else 1


def _steps(numeric: list[Numeric | RandInt], centre: FloatArray) -> FloatArray:
    steps = np.zeros(len(numeric))
    for j, distribution in enumerate(numeric):
        q = distribution.q if isinstance(distribution, Numeric) else 1.0
        if q is None:
            continue
        lower, upper = distribution.cells(distribution.from_latent(centre[j : j + 1]))
        if lower[0] == -np.inf:  # the logarithms of what is rounded to 0; the next cell ends
            lower, upper = distribution.cells(np.array([q]))
        steps[j] = float(upper[0] - lower[0])
    return steps
