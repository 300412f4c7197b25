"""Moves: new configurations near good ones, and what keeps them inside the space."""

from __future__ import annotations

import numpy as np

from sparktuner.space import BoolArray, FlatSpace, FloatArray
from sparktuner.suggest._layout import IndexArray, layout_of
from sparktuner.suggest._remembered import remembered

# In standard deviations. A draw from the prior is farther out than _RARE once in 10,000 times,
# to either side; it is inside _BULK in all but one of 2,000.
_RARE = 3.9
_BULK = 3.5
# A step can be that far from the mean of a narrow prior, in standard deviations.
_FAR = 1e150


@remembered
def column_widths(space: FlatSpace) -> tuple[FloatArray, FloatArray]:
    """Returns the width (p,) of each numeric column's prior and that of its step (p,).

    Both are in units of latents. A categorical column has width 0, a continuous one step 0.
    """
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
    """Returns rows of latents (k, p) near given ones.

    Numeric columns take a normal step, categorical ones a draw from the prior. Where the prior
    is normal, steps out of its bulk are turned back as often as the Metropolis algorithm (1953)
    would refuse them, so that many of them still end near the prior.

    Args:
        space: The space of the columns.
        base: (k, p) latents to start from. What is NaN and becomes active by the move is drawn
            from the prior.
        change: (k, p) whether a column moves.
        sigma: (k, 1) or (k, p) standard deviation of the steps, as a share of the column's
            width.
        rng: The source of randomness.
    """
    width, step = column_widths(space)
    fresh = sample_all_columns(space, rng, len(base))
    z = rng.normal(size=base.shape)
    moved = base + z * sigma * width
    place, mean, deviation = _normal_columns(space)
    if len(place):
        normal = layout_of(space).index[place]
        start, step_of = _quotient(base[:, normal] - mean, deviation), np.sqrt(12.0) * sigma
        by = np.broadcast_to(np.minimum(step_of, 1.0), base.shape)[:, normal] * z[:, normal]
        # Accepted with the ratio of densities, at most 1: exp(-(b^2 - a^2) / 2), which is about
        # exp(-(b - a) b) from a inside the bulk to b outside.
        farther = np.abs(start + by) - np.fmax(np.abs(start), _BULK)
        refused = rng.random(by.shape) >= np.exp(-np.fmax(farther, 0.0) * np.abs(start + by))
        moved[:, normal] = mean + deviation * (start + np.where(refused, -by, by))
    # A stepped parameter moves by a step at least, else most moves would come to nothing.
    moved += np.where(step > 0, np.sign(z) * 0.5 * step, 0.0)
    rows = np.where(change, np.where(width > 0, moved, fresh), base)
    return repair(space, np.where(np.isnan(rows), fresh, rows))


def sample_all_columns(space: FlatSpace, rng: np.random.Generator, k: int) -> FloatArray:
    """Returns ``k`` draws from the prior, (k, p), with a value in inactive columns too."""
    rows = np.empty((k, len(space.columns)))
    layout = layout_of(space)
    rows[:, layout.index] = layout.sample_prior(rng, k)
    return rows


def repair(space: FlatSpace, rows: FloatArray) -> FloatArray:
    """Returns rows of latents (k, p) that stand for configurations of the space.

    What lies outside its bounds is reflected at them, what lies between two steps moves to the
    nearer one, and what is inactive becomes NaN. Columns of ``rows`` are changed in place.
    """
    # A triangle wave: from low up to high and down again.
    bounded, low, high = _bounded_columns(space)
    z, period = np.abs(rows[:, bounded] - low), 2 * (high - low)
    z %= period
    rows[:, bounded] = np.minimum(low + np.minimum(z, period - z), high)
    rows = space.snap(rows)
    settled: FloatArray = np.where(space.active(rows), rows, np.nan)
    return settled


def prior_penalty(space: FlatSpace, rows: FloatArray, best: FloatArray) -> FloatArray:
    """Returns penalties (k,), in units of log density, of rows that lie far out in a prior.

    Only normal priors count, which have no bounds. Models know nothing far out, and would go on
    and on in a parameter that does not matter. The penalty is a tenth of the prior's negative
    log density (Hvarfner, Stoll, Souza, Lindauer, Hutter, Nardi, 2022, give the prior a weight
    that falls with time), or all of what lies beyond a limit, if that is more. The limit is
    rarer than any of ten thousand draws, and nine tenths as far as the best trial.

    Args:
        space: The space of the columns.
        rows: (k, p) latents.
        best: (p,) latents of the best trial.
    """
    if not len(_normal_columns(space)[0]):
        return np.zeros(len(rows))
    z, z_best = _deviations(space, rows), _deviations(space, best[None, :])
    limit = np.fmax(0.9 * z_best, _RARE)
    doubled = np.fmax(z * z - limit * limit, 0.1 * z * z)
    # -log of a normal density is z^2 / 2, but for a constant.
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
    return _quotient(away, deviation)


def _quotient(difference: FloatArray, deviation: FloatArray) -> FloatArray:
    """Differences in units of standard deviations, of which the squares are finite."""
    with np.errstate(over="ignore"):
        return np.clip(difference / deviation, -_FAR, _FAR)


@remembered
def _normal_columns(space: FlatSpace) -> tuple[IndexArray, FloatArray, FloatArray]:
    """Positions in the layout of columns with a normal base, their means and deviations (c,)."""
    layout = layout_of(space)
    place = np.flatnonzero(np.isinf(layout.low))
    return place, layout.centre[place], layout.max_bandwidth[place]


@remembered
def _bounded_columns(space: FlatSpace) -> tuple[IndexArray, FloatArray, FloatArray]:
    """Positions in the space of bounded numeric columns, and their lower and upper bounds (c,)."""
    layout = layout_of(space)
    bounded = np.flatnonzero(np.isfinite(layout.low))
    return layout.index[bounded], layout.low[bounded], layout.high[bounded]
