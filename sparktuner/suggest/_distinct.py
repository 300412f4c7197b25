"""Suggesting nothing twice while there is anything new: what was tried, and what is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._layout import IndexArray
from sparktuner.suggest._moves import column_widths, sample_all_columns

# Draws from the prior, then from the flattened prior, before the space is listed. When all
# fail, what was tried is a large share of the space, so the list is not much longer than it.
_DRAWS = 64
# A column of more values is not listed: draws of it hardly ever hit what was tried.
_MAX_LISTED = 100_000

# Gives candidates (k, p), best first, for the rows (m, p) that are pending.
Rank: TypeAlias = Callable[[FloatArray], FloatArray]


class Tried:
    """A set of the configurations that were tried, are being tried, or were just suggested.

    A configuration is a row (p,) of latents; ``row in tried`` compares within rounding.
    """

    def __init__(self, space: FlatSpace, history: History) -> None:
        self._space = space
        self._blocks = [history.values, history.pending, history.failed]
        self._total = sum(len(block) for block in self._blocks)
        width, step = column_widths(space)
        fine = 1e-9 * width
        self._same = np.where(step > 0, np.minimum(fine, step / 4), fine)

    def __len__(self) -> int:
        return self._total

    def row_keys(self) -> set[bytes]:
        """Returns the keys of all rows, by which equal ones are found; see :func:`row_keys`."""
        return {key for block in self._blocks for key in row_keys(self._space, block)}

    def add(self, row: FloatArray) -> None:
        """Counts one more row of latents (p,) as tried."""
        self._blocks.append(row[None, :])
        self._total += 1

    def __contains__(self, row: FloatArray) -> bool:
        active = np.flatnonzero(~np.isnan(row))
        # Multiples of a step differ in the last bits from what a document keeps of them.
        same = self._same[active] + 1e-15 * np.abs(row[active])
        return any(_holds(block, row, active, same) for block in self._blocks if len(block))


def _holds(block: FloatArray, row: FloatArray, active: IndexArray, same: FloatArray) -> bool:
    # Column by column: after the first few, hardly a row is left to compare. Equal choices
    # make the same parameters inactive, so only the active ones need a look.
    left = np.arange(len(block))
    for j, near in zip(active.tolist(), same.tolist(), strict=True):
        left = left[np.abs(block[left, j] - row[j]) <= near]
        if not len(left):
            return False
    return True


def first_new(rows: FloatArray, tried: Tried) -> FloatArray | None:
    """Returns the first of ``rows`` (k, p) that was not tried yet, (p,), or None."""
    return next((row for row in rows if row not in tried), None)


def find_new(space: FlatSpace, tried: Tried, rng: np.random.Generator) -> FloatArray | None:
    """Returns a random row of latents (p,) that was not tried, or None where none was found.

    It is drawn from the prior. Where that keeps hitting what is known, every value of a column
    becomes equally probable, and in the end every configuration that is left does. None means
    that nothing is left of a finite space, or that what is left of an infinite one is so
    improbable that no draw meets it.
    """
    new = first_new(space.sample(rng, _DRAWS), tried)
    if new is None:
        new = first_new(_sample_flat(space, rng, _DRAWS), tried)
    if new is None:
        # A share of 1 / 8 tried would be met _DRAWS times in a row once in 1e57 cases.
        left = untried(space, tried, 8 * len(tried) + _DRAWS)
        new = left[rng.integers(len(left))] if left is not None and len(left) else None
    return new


def suggest_each(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    rank: Rank | None,
    repeat: Rank | None = None,
) -> list[dict[str, Any]]:
    """Returns ``n`` configurations, one after the other, new ones as long as there are any.

    Args:
        space: The space to search.
        history: The trials so far.
        n: How many configurations to suggest.
        rng: The source of randomness.
        rank: Gives candidates (k, p), best first, for the rows (m, p) that are pending by then.
            The first new one is suggested. Where all of them were tried, or where ``rank`` is
            None, a new row is drawn from the prior.
        repeat: Gives rows of which the first is suggested where nothing new is left to try;
            None takes those of ``rank``. Without both, that row is a draw from the prior.
    """
    if not space.columns:
        return [{} for _ in range(n)]
    tried = Tried(space, history)
    rows = np.empty((n, len(space.columns)))
    for i in range(n):
        pending = np.concatenate([history.pending, rows[:i]])
        rows[i] = _next_row(space, pending, tried, rng, rank, repeat)
        tried.add(rows[i])
    return space.decode(rows)


def _next_row(
    space: FlatSpace,
    pending: FloatArray,
    tried: Tried,
    rng: np.random.Generator,
    rank: Rank | None,
    repeat: Rank | None,
) -> FloatArray:
    candidates = np.empty((0, len(space.columns))) if rank is None else rank(pending)
    new = first_new(candidates, tried)
    if new is not None:
        return new
    draw: FloatArray = space.sample(rng, 1)[0]
    new = draw if draw not in tried else find_new(space, tried, rng)
    if new is not None:
        return new
    # A trial of what is known is one more observation of it, which is worth most where the
    # model expects the best.
    if repeat is not None:
        candidates = repeat(pending)
    return candidates[0] if len(candidates) else draw


def _sample_flat(space: FlatSpace, rng: np.random.Generator, n: int) -> FloatArray:
    rows = sample_all_columns(space, rng, n)
    for j, column in enumerate(space.columns):
        if column.distribution.cardinality <= _MAX_LISTED:
            rows[:, j] = column.distribution.to_latent(
                rng.choice(column.distribution.support(), n)
            )
    flat: FloatArray = np.where(space.active(rows), rows, np.nan)
    return flat


def untried(space: FlatSpace, tried: Tried, limit: int) -> FloatArray | None:
    """Returns the rows of latents (k, p) that were not tried of a small finite space.

    Args:
        space: The space to list.
        tried: What was tried.
        limit: The space is listed if it has at most so many configurations.

    Returns:
        None where the space has more than ``limit`` configurations.
    """
    if any(column.distribution.cardinality > limit for column in space.columns):
        return None
    supports = [c.distribution.to_latent(c.distribution.support()) for c in space.columns]
    rows = cartesian_rows(space, supports, limit)
    if rows is None:
        return None
    known = tried.row_keys()
    left: FloatArray = rows[[key not in known for key in row_keys(space, rows)]]
    return left


def row_keys(space: FlatSpace, rows: FloatArray) -> list[bytes]:
    """Returns a key for each row (k, p) of a finite space; equal rows have equal keys."""
    rows = rows.reshape(len(rows), len(space.columns))
    width, _ = column_widths(space)
    # A value and its logarithm's exponential differ in the last bits; 9 digits do not.
    digits = np.round(rows / np.where(width > 0, width, 1.0), 9)
    return [row.tobytes() for row in np.where(np.isnan(rows), np.inf, digits) + 0.0]


def cartesian_rows(
    space: FlatSpace, supports: Sequence[FloatArray], limit: int
) -> FloatArray | None:
    """Returns the Cartesian product of columns' values, conditional ones only where active.

    Args:
        space: The space of the columns; a choice's support must hold indices.
        supports: For each column, the latents that it may take.
        limit: The greatest number of rows.

    Returns:
        (k, p), NaN where a column is inactive; None where there are more than ``limit`` rows.
    """
    rows = np.full((1, len(space.columns)), np.nan)
    for j, support in enumerate(supports):
        # Parents stand before their children, so what is known so far decides.
        active = space.active(rows)[:, j]
        if len(rows) - active.sum() + active.sum() * len(support) > limit:
            return None
        repeats = np.where(active, len(support), 1)
        starts = np.cumsum(repeats) - repeats
        place = np.arange(repeats.sum()) - np.repeat(starts, repeats)
        rows = np.repeat(rows, repeats, axis=0)
        on = np.repeat(active, repeats)
        rows[on, j] = support[place[on]]
    return rows
