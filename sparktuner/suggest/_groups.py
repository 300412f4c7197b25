"""A space as groups of parameters that are active together, sorted by kind of kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.space import (
    BoolArray,
    Categorical,
    Column,
    FlatSpace,
    FloatArray,
    Numeric,
    RandInt,
    normal_quantile,
)

IndexArray: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Group:
    """The columns that share one activation condition; d of them, ordered by kind.

    Numeric columns come first (continuous ones, then ``stepped`` ones: q and integers), then
    the categorical ones. Arrays over numeric columns have shape (d_n,).

    Attributes:
        index: (d,) the columns' positions in the space.
        columns: the columns in the same order.
        conditions: see :class:`sparktuner.space.Column`.
        n_continuous: how many columns are continuous.
        n_numeric: how many are numeric at all, d_n.
        low: lower bounds of the latents, -inf for a normal base.
        high: upper bounds of the latents.
        centre: median of the prior.
        scale: width of the prior; a normal base counts as wide as the uniform distribution of
            equal variance.
        step: width of the narrowest cell of a stepped column's latents, near its centre.
        normal: where the prior is normal, (its mean, its standard deviation) are a and b.
        a: low bound or mean of the prior.
        b: high bound or standard deviation of the prior.
        p: prior probabilities of the categorical columns.
    """

    index: IndexArray
    columns: tuple[Column, ...]
    conditions: tuple[tuple[tuple[int, int], ...], ...]
    n_continuous: int
    n_numeric: int
    low: FloatArray
    high: FloatArray
    centre: FloatArray
    scale: FloatArray
    step: FloatArray
    normal: BoolArray
    a: FloatArray
    b: FloatArray
    p: tuple[FloatArray, ...]

    def is_active(self, rows: FloatArray) -> BoolArray:
        """Which rows (k, p) hold this group, from the choices above it; (k,)."""
        if self.conditions == ((),):
            return np.ones(len(rows), dtype=np.bool_)
        active = np.zeros(len(rows), dtype=np.bool_)
        for condition in self.conditions:
            holds = np.ones(len(rows), dtype=np.bool_)
            for parent, value in condition:
                holds &= rows[:, parent] == value
            active |= holds
        return active

    def snap(self, latents: FloatArray) -> FloatArray:
        """Latents (k, d_n) moved to the one that stands for their value, in place."""
        for j in range(self.n_continuous, self.n_numeric):
            distribution = self.columns[j].distribution
            latents[:, j] = distribution.to_latent(distribution.from_latent(latents[:, j]))
        return latents

    def cells(self, j: int, latents: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Ends of the cells of the stepped column ``j`` that hold the latents (k,)."""
        distribution = self.columns[j].distribution
        if isinstance(distribution, Categorical):
            raise TypeError("a categorical column has no cells")
        return distribution.cells(distribution.from_latent(latents))

    def sample_prior(self, rng: np.random.Generator, k: int) -> FloatArray:
        """``k`` draws from the prior, (k, d)."""
        u = rng.random((k, len(self.columns)))
        numeric = u[:, : self.n_numeric]
        latents = np.empty_like(u)
        latents[:, : self.n_numeric] = np.where(
            self.normal,
            self.a + self.b * normal_quantile(np.maximum(numeric, 2.0**-54)),
            self.a + (self.b - self.a) * numeric,
        )
        self.snap(latents)
        for j in range(self.n_numeric, len(self.columns)):
            latents[:, j] = self.columns[j].distribution.quantile(u[:, j])
        return latents


@lru_cache(maxsize=32)
def groups_of(space: FlatSpace) -> tuple[Group, ...]:
    """The groups of a space, parents before children.

    A space is frozen, so remembering the answer changes nothing but time.
    """
    members: dict[tuple[tuple[tuple[int, int], ...], ...], list[int]] = {}
    for j, column in enumerate(space.columns):
        members.setdefault(column.conditions, []).append(j)
    return tuple(_group({j: space.columns[j] for j in indices}) for indices in members.values())


def single_group(column: Column, index: int) -> Group:
    """A group of one column alone, which stands at ``index`` in its space."""
    return _group({index: column})


def _kind(column: Column) -> int:
    distribution = column.distribution
    if isinstance(distribution, Categorical):
        return 2
    return 0 if isinstance(distribution, Numeric) and distribution.q is None else 1


def _group(members: dict[int, Column]) -> Group:
    indices = sorted(members, key=lambda j: (_kind(members[j]), j))
    columns = tuple(members[j] for j in indices)
    kinds = [_kind(column) for column in columns]
    numeric = [c.distribution for c in columns if not isinstance(c.distribution, Categorical)]
    normal = np.array(
        [isinstance(d, Numeric) and d.base == "normal" for d in numeric], dtype=np.bool_
    )
    bounds = np.array([d.bounds for d in numeric], dtype=np.float64).reshape(-1, 2)
    ab = np.array(
        [(d.a, d.b) if isinstance(d, Numeric) else d.bounds for d in numeric], dtype=np.float64
    ).reshape(-1, 2)
    a, b = ab[:, 0], ab[:, 1]
    centre = np.where(normal, a, (a + b) / 2)
    return Group(
        index=np.array(indices, dtype=np.intp),
        columns=columns,
        conditions=columns[0].conditions,
        n_continuous=kinds.count(0),
        n_numeric=len(numeric),
        low=bounds[:, 0],
        high=bounds[:, 1],
        centre=centre,
        scale=np.where(normal, np.sqrt(12.0) * b, b - a),
        step=_steps(numeric, centre),
        normal=normal,
        a=a,
        b=b,
        p=tuple(
            np.array(c.distribution.p) for c in columns if isinstance(c.distribution, Categorical)
        ),
    )


def _steps(numeric: list[Numeric | RandInt], centre: FloatArray) -> FloatArray:
    steps = np.zeros(len(numeric))
    for j, distribution in enumerate(numeric):
        if isinstance(distribution, Numeric) and distribution.q is None:
            continue
        lower, upper = distribution.cells(distribution.from_latent(centre[j : j + 1]))
        steps[j] = float(upper[0] - lower[0])
    return steps
