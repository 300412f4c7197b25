"""New configurations near good ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sparktuner.space import BoolArray, Categorical, FlatSpace, FloatArray, Numeric
from sparktuner.suggest._layout import layout_of


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

    Args:
        base: (k, p); what becomes active by a move and is NaN here comes from the prior.
        change: (k, p) the columns to move.
        sigma: (k, 1) or (k, p) step as a share of the column's width.
    """
    width, step = widths(space)
    fresh = fill_prior(space, rng, len(base))
    z = rng.normal(size=base.shape)
    # A stepped parameter moves by a step at least, else most moves would come to nothing.
    moved = base + z * sigma * width
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
    """Rows reflected into the bounds, moved to proper values, NaN where inactive."""
    for j, column in enumerate(space.columns):
        distribution = column.distribution
        if isinstance(distribution, Categorical):
            continue
        low, high = distribution.bounds
        if np.isfinite(low):
            z = np.abs(rows[:, j] - low) % (2 * (high - low))
            rows[:, j] = np.clip(low + np.minimum(z, 2 * (high - low) - z), low, high)
        if not isinstance(distribution, Numeric) or distribution.q is not None:
            rows[:, j] = distribution.to_latent(distribution.from_latent(rows[:, j]))
    settled: FloatArray = np.where(space.active(rows), rows, np.nan)
    return settled
