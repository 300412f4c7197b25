"""Grid search: the finite product of all parameters' values, in an order without pattern."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from sparktuner.errors import BadSearchSpace
from sparktuner.records import History
from sparktuner.space import Column, FlatSpace, FloatArray, Numeric
from sparktuner.suggest._distinct import Tried, cartesian_rows, row_keys
from sparktuner.suggest._remembered import remembered

# More points than anybody would try, and as many as can be kept in memory at ease.
_MAX_POINTS = 1_000_000
# The points, latents (k, p), and the position of each by its key.
_Grid: TypeAlias = tuple[FloatArray, dict[bytes, int]]


def propose_grid(
    space: FlatSpace, history: History, n: int, rng: np.random.Generator, resolution: int = 5
) -> list[dict[str, Any]]:
    """Returns up to ``n`` points of the grid that were not tried yet, in random order.

    Args:
        space: The space to search.
        history: The trials so far; pending and failed ones count as tried.
        n: How many configurations to suggest.
        rng: The source of randomness.
        resolution: How many values a parameter takes that has infinitely many, or more steps
            than this: the quantiles of its prior in the middle of equal shares.

    Returns:
        Fewer than ``n`` where fewer are left, and none once all were tried.

    Raises:
        BadSearchSpace: The grid has more than a million points.
    """
    rows, place = _grid(space, resolution)
    is_left = np.ones(len(rows), dtype=np.bool_)
    is_left[[place[key] for key in place.keys() & Tried(space, history).row_keys()]] = False
    left = np.flatnonzero(is_left)
    return space.decode(rows[rng.permutation(left)[:n]])


def _grid(space: FlatSpace, resolution: int) -> _Grid:
    grids = _grids(space)
    if resolution not in grids:
        grids[resolution] = _make_grid(space, resolution)
    return grids[resolution]


@remembered
def _grids(space: FlatSpace) -> dict[int, _Grid]:
    """The grids of a space that were made so far, by their resolution."""
    return {}


def _make_grid(space: FlatSpace, resolution: int) -> _Grid:
    rows = None
    listed = [c for c in space.columns if _is_listed(c, resolution)]
    if not any(column.distribution.cardinality > _MAX_POINTS for column in listed):
        supports = [grid_values(column, resolution) for column in space.columns]
        rows = cartesian_rows(space, supports, _MAX_POINTS)
    if rows is None:
        raise BadSearchSpace(
            f"the grid has more than {_MAX_POINTS:,} points; lower resolution={resolution}, or "
            "use qmc.suggest, which covers a space evenly with any number of trials"
        )
    return rows, {key: i for i, key in enumerate(row_keys(space, rows))}


def grid_values(column: Column, resolution: int) -> FloatArray:
    """Returns the latents (k,) that a column takes in a grid, see :func:`propose_grid`."""
    distribution = column.distribution
    if _is_listed(column, resolution):
        return distribution.to_latent(distribution.support())
    middles = (np.arange(resolution) + 0.5) / resolution
    return distribution.to_latent(np.unique(distribution.quantile(middles)))


def _is_listed(column: Column, resolution: int) -> bool:
    """Whether each value of the column is in the grid."""
    n = column.distribution.cardinality
    is_real = isinstance(column.distribution, Numeric)
    return math.isfinite(n) and (not is_real or n <= resolution)
