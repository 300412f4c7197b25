"""New configurations near good ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sparktuner.space import BoolArray, FlatSpace, FloatArray
from sparktuner.suggest._layout import IndexArray, layout_of

# In standard deviations: the normal quantiles of 1 - 1 / 20,000 and of 1 - 1 / 4,000.
_RARE = 3.9
_BULK = 3.5


@lru_cache(maxsize=32)
def column_widths(space: FlatSpace) -> tuple[FloatArray, FloatArray]:
    """(p,) width of each numeric column and of its step; 0 where categorical or continuous."""
    width, step = np.zeros(len(space.columns)), np.zeros(len(space.columns))
    layout = layout_of(space)
    numeric = layout.index[: layout.n_numeric]
    width[numeric], step[numeric] = layout.scale, layout.step
    return width, step


def perturb(
    space: FlatSpace,
    base: FloatArray,
    change: BoolArray,
    sigma: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Rows (k, p) near ``base``: normal steps in numeric columns, other options elsewhere.

    Where the base is normal, steps out of the prior's bulk are turned back as often as the
    Metropolis algorithm would refuse them, so that many of them still end near the prior.

    Args:
        base: (k, p); what becomes active by a move and is NaN here comes from the prior.
        change: (k, p) the columns to move.
        sigma: (k, 1) or (k, p) step as a share of the column's width.
    """
    width, step = column_widths(space)
    fresh = sample_all_columns(space, rng, len(base))
    z = rng.normal(size=base.shape)
    moved = base + z * sigma * width
    place, mean, deviation = _normal_columns(space)
    if len(place):
        normal = layout_of(space).index[place]
        start, step_of = (base[:, normal] - mean) / deviation, np.sqrt(12.0) * sigma
        by = np.broadcast_to(np.minimum(step_of, 1.0), base.shape)[:, normal] * z[:, normal]
        farther = np.abs(start + by) - np.fmax(np.abs(start), _BULK)
        refused = rng.random(by.shape) >= np.exp(-np.fmax(farther, 0.0) * np.abs(start + by))
        moved[:, normal] = mean + deviation * (start + np.where(refused, -by, by))
    # A stepped parameter moves by a step at least, else most moves would come to nothing.
    moved += np.where(step > 0, np.sign(z) * 0.5 * step, 0.0)
    rows = np.where(change, np.where(width > 0, moved, fresh), base)
    return repair(space, np.where(np.isnan(rows), fresh, rows))


def sample_all_columns(space: FlatSpace, rng: np.random.Generator, k: int) -> FloatArray:
    """Draws (k, p) with a value in every column, active or not."""
    rows = np.empty((k, len(space.columns)))
    layout = layout_of(space)
    rows[:, layout.index] = layout.sample_prior(rng, k)
    return rows


def repair(space: FlatSpace, rows: FloatArray) -> FloatArray:
    """Rows (k, p) reflected into the bounds, moved to proper values, NaN where inactive."""
    bounded, low, high = _bounded_columns(space)
    z, period = np.abs(rows[:, bounded] - low), 2 * (high - low)
    z %= period
    rows[:, bounded] = np.minimum(low + np.minimum(z, period - z), high)
    rows = space.snap(rows)
    settled: FloatArray = np.where(space.active(rows), rows, np.nan)
    return settled


def prior_penalty(space: FlatSpace, rows: FloatArray, best: FloatArray) -> FloatArray:
    """(k,) penalties, in units of log density, of rows (k, p) far out in a normal prior.

    A tenth of the prior's own log density (Hvarfner, Stoll, Souza, Lindauer, Hutter, Nardi,
    2022, let its weight fall), or all of what lies beyond a limit: rarer than any of ten
    thousand draws, and nine tenths as far as the best trial (p,). Models know nothing there,
    and would go on and on in a parameter that does not matter.
    """
    if not len(_normal_columns(space)[0]):
        return np.zeros(len(rows))
    z, z_best = _deviations(space, rows), _deviations(space, best[None, :])
    limit = np.fmax(0.9 * z_best, _RARE)
    doubled = np.fmax(z * z - limit * limit, 0.1 * z * z)
    penalty: FloatArray = 0.5 * np.nansum(doubled, axis=1)  # NaN where a parameter is inactive
    return penalty


def _deviations(space: FlatSpace, rows: FloatArray) -> FloatArray:
    """(k, c) deviations between the means of the normal columns and the rows' values.

    A stepped value is as near as the nearest end of its cell.
    """
    layout = layout_of(space)
    place, mean, deviation = _normal_columns(space)
    lower = upper = rows[:, layout.index[place]]
    stepped = place >= layout.n_continuous
    if stepped.any():
        columns = np.broadcast_to(place[stepped], (len(rows), int(stepped.sum())))
        ends = layout.table.cells(columns.ravel(), lower[:, stepped].ravel())
        lower, upper = lower.copy(), upper.copy()
        lower[:, stepped], upper[:, stepped] = ends.reshape(2, *columns.shape)
    away: FloatArray = np.fmax(np.maximum(lower - mean, mean - upper), 0.0)
    return away / deviation


@lru_cache(maxsize=32)
def _normal_columns(space: FlatSpace) -> tuple[IndexArray, FloatArray, FloatArray]:
    """Where in the layout a normal base stands, its mean and its standard deviation."""
    layout = layout_of(space)
    place = np.flatnonzero(np.isinf(layout.low))
    return place, layout.centre[place], layout.max_bandwidth[place]


@lru_cache(maxsize=32)
def _bounded_columns(space: FlatSpace) -> tuple[IndexArray, FloatArray, FloatArray]:
    """Which columns are numeric and bounded, and their bounds."""
    layout = layout_of(space)
    bounded = np.flatnonzero(np.isfinite(layout.low))
    return layout.index[bounded], layout.low[bounded], layout.high[bounded]
