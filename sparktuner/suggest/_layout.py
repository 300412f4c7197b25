"""The columns of a space, sorted by kind of kernel, and which of them are active together.

Densities work on whole blocks of columns at once; the order by kind makes the blocks slices.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from sparktuner.suggest._remembered import remembered

IndexArray: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layout:
    """The d columns of a space, ordered by kind, with what kernels need to know of them.

    Numeric columns come first, d_n of them: continuous ones, then stepped ones (of a step q, or
    integers). The d_c categorical ones follow. A group is a set of columns that are active
    under the same conditions; there are G. Arrays without a shape have shape (d_n,), in units
    of the columns' latents.

    Attributes:
        index: (d,) the columns' positions in the space.
        columns: The columns themselves, in this order.
        group: (d,) the number of each column's group.
        group_heads: (G,) for each group the position in the space of one of its columns, which
            shows whether the group is active.
        n_continuous: How many columns are continuous.
        n_numeric: How many columns are numeric, d_n.
        low: Lower bounds; -inf where the base is normal.
        high: Upper bounds; inf where the base is normal.
        centre: Medians of the priors.
        scale: Widths of the priors. A normal base counts as wide as the uniform distribution of
            equal variance.
        max_bandwidth: Largest bandwidths of kernels: the scale, or a normal base's standard
            deviation, so that the kernels of outliers do not lead further and further out.
        step: Widths of a stepped column's cell near its centre; 0 where it is continuous.
        n_options: (d_c,) how many options each categorical column has, as floats.
        table: The arithmetic of the columns, in this order.
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
        """Returns ``k`` draws from the prior, (k, d), with a value in inactive columns too."""
        return self.table.quantile(rng.random((k, len(self.columns))))


@remembered
def layout_of(space: FlatSpace) -> Layout:
    """Returns the layout of a space.

    A space is frozen, so remembering its layout changes nothing but the time that it takes.
    """
    indices = sorted(range(len(space.columns)), key=lambda j: (_kind(space.columns[j]), j))
    columns = tuple(space.columns[j] for j in indices)
    # Equal conditions, equal group: its columns share their trials, hence a joint density.
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
    low, high = _pairs([d.bounds for d in numeric])
    # Bounds of a uniform base, mean and standard deviation of a normal one.
    a, b = _pairs([(d.a, d.b) if isinstance(d, Numeric) else d.bounds for d in numeric])
    centre = np.where(normal, a, a / 2 + b / 2)
    return Layout(
        index=np.array(indices, dtype=np.intp),
        columns=columns,
        group=np.array([numbers[c.conditions] for c in columns], dtype=np.intp),
        group_heads=np.array(list(heads.values()), dtype=np.intp),
        n_continuous=kinds.count(0),
        n_numeric=len(numeric),
        low=low,
        high=high,
        centre=centre,
        # A uniform distribution of width w has variance w^2 / 12.
        scale=np.where(normal, np.sqrt(12.0) * b, b - a),
        max_bandwidth=np.where(normal, b, b - a),
        step=_steps(numeric, centre),
        n_options=np.array(
            [len(d.p) for d in distributions if isinstance(d, Categorical)], dtype=np.float64
        ),
        table=StackedDistributions(distributions),
    )


def _pairs(pairs: list[tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
    columns = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


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
        if lower[0] == -np.inf:  # logarithms of what is rounded to 0; the next cell is finite
            lower, upper = distribution.cells(np.array([q]))
        steps[j] = float(upper[0] - lower[0])
    return steps
