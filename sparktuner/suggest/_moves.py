"""New configurations near good ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sparktuner.space import BoolArray, FlatSpace, FloatArray
from sparktuner.suggest._layout import IndexArray, layout_of

# In standard deviations: the normal quantile of 1 - 1 / 20,000.
_RARE = 3.9


@lru_cache(maxsize=32)
def widths(space: FlatSpace) -> tuple[FloatArray, FloatArray]:
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

    Where the base is normal the step is that of Crank and Nicolson (Cotter, Roberts, Stuart,
    White, 2013), which also shrinks towards the mean: many of them still follow the prior.

    Args:
        base: (k, p); what becomes active by a move and is NaN here comes from the prior.
        change: (k, p) the columns to move.
        sigma: (k, 1) or (k, p) step as a share of the column's width.
    """
    width, step = widths(space)
    fresh = fill_prior(space, rng, len(base))
    z = rng.normal(size=base.shape)
    moved = base + z * sigma * width
    normal, mean, deviation = _normals(space)
    if len(normal):
        by = np.broadcast_to(np.minimum(np.sqrt(12.0) * sigma, 1.0), base.shape)[:, normal]
        kept = np.sqrt(1 - by * by) * (base[:, normal] - mean)
        moved[:, normal] = mean + kept + by * deviation * z[:, normal]
    # A stepped parameter moves by a step at least, else most moves would come to nothing.
    moved += np.where(step > 0, np.sign(z) * 0.5 * step, 0.0)
    rows = np.where(change, np.where(width > 0, moved, fresh), base)
    return settle(space, np.where(np.isnan(rows), fresh, rows))


def fill_prior(space: FlatSpace, rng: np.random.Generator, k: int) -> FloatArray:
    """Draws (k, p) with a value in every column, active or not."""
    rows = np.empty((k, len(space.columns)))
    layout = layout_of(space)
    rows[:, layout.index] = layout.sample_prior(rng, k)
    return rows


def settle(space: FlatSpace, rows: FloatArray) -> FloatArray:
    """Rows (k, p) reflected into the bounds, moved to proper values, NaN where inactive."""
    bounded, low, high = _bounds(space)
    z, period = np.abs(rows[:, bounded] - low), 2 * (high - low)
    z %= period
    rows[:, bounded] = np.minimum(low + np.minimum(z, period - z), high)
    rows = space.snap(rows)
    settled: FloatArray = np.where(space.active(rows), rows, np.nan)
    return settled


def unlikely(space: FlatSpace, rows: FloatArray, best: FloatArray) -> FloatArray:
    """(k,) penalties, in units of log density, of rows (k, p) far out in a normal prior.

    A tenth of the prior's own log density (Hvarfner, Stoll, Souza, Lindauer, Hutter, Nardi,
    2022, let its weight fall), or all of what lies beyond a limit: rarer than any of ten
    thousand draws, and nine tenths as far as the best trial (p,). Models know nothing there,
    and would go on and on in a parameter that does not matter.
    """
    normal, mean, deviation = _normals(space)
    if not len(normal):
        return np.zeros(len(rows))
    z, z_best = ((x[..., normal] - mean) / deviation for x in (rows, best))
    limit = np.fmax(0.9 * np.abs(z_best), _RARE)
    doubled = np.fmax(z * z - limit * limit, 0.1 * z * z)
    penalty: FloatArray = 0.5 * np.nansum(doubled, axis=1)  # NaN where a parameter is inactive
    return penalty


@lru_cache(maxsize=32)
def _normals(space: FlatSpace) -> tuple[IndexArray, FloatArray, FloatArray]:
    """Which columns have a normal base, its mean and its standard deviation."""
    layout = layout_of(space)
    normal = np.flatnonzero(np.isinf(layout.low))
    return layout.index[normal], layout.centre[normal], layout.widest[normal]


@lru_cache(maxsize=32)
def _bounds(space: FlatSpace) -> tuple[IndexArray, FloatArray, FloatArray]:
    """Which columns are numeric and bounded, and their bounds."""
    layout = layout_of(space)
    bounded = np.flatnonzero(np.isfinite(layout.low))
    return layout.index[bounded], layout.low[bounded], layout.high[bounded]
