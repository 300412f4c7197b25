"""Which trial is better: the one place where losses of trials are compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, SupportsFloat, TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.checks import shown
from sparktuner.errors import InvalidLoss
from sparktuner.records._document import TrialDocument
from sparktuner.space import FloatArray
from sparktuner.status import JOB_STATE_DONE, STATUS_OK

_DRAWS = 10_000
_AT_A_TIME = 50

Positions: TypeAlias = npt.NDArray[np.intp]


def finite_loss(document: TrialDocument) -> float | None:
    """Returns the loss by which a trial is ranked; None where it has none, and no rank.

    Only trials that finished with status ok and a finite loss are ranked.
    """
    result = document["result"]
    if document["state"] != JOB_STATE_DONE or result.get("status") != STATUS_OK:
        return None
    # Foreign documents may hold NaN, infinity or text, which no order of trials can place.
    loss = result.get("loss")
    if isinstance(loss, str | bytes) or not isinstance(loss, SupportsFloat):
        return None
    try:
        number = float(loss)
    except (TypeError, ValueError, OverflowError):  # an array, or an integer beyond all floats
        return None
    return number if math.isfinite(number) else None


def is_better(loss: float, than: float | None, by: float = 0.0) -> bool:
    """Returns whether a loss improves on another one by more than ``by``.

    Args:
        loss: a finite loss.
        than: a finite loss, or None, on which everything improves.
        by: an equal loss is no improvement, even by 0.
    """
    return than is None or loss < than - by


def reaches(loss: float | None, threshold: float | None) -> bool:
    """Returns whether a loss is as good as a threshold; without one of the two, it is not."""
    return loss is not None and threshold is not None and loss <= threshold


def best_of(documents: Iterable[TrialDocument]) -> TrialDocument | None:
    """Returns the best trial, the earliest of equals; None where none is ranked."""
    incumbent = Incumbent()
    for document in documents:
        incumbent.offer(document)
    return incumbent.document


class Incumbent:
    """The best trial of those that were offered so far, the earliest of equals.

    Attributes:
        document: the best trial, or None.
        loss: its loss, or None.
    """

    def __init__(self) -> None:
        self.document: TrialDocument | None = None
        self.loss: float | None = None

    def offer(self, document: TrialDocument) -> bool:
        """Takes a trial into account; returns whether it is the best one now."""
        loss = finite_loss(document)
        if loss is None or not is_better(loss, self.loss):
            return False
        self.document, self.loss = document, loss
        return True


def best_first(losses: FloatArray, tids: npt.NDArray[np.int64], most: int) -> Positions:
    """Returns the positions of the best trials, best first, and of equals the lower id first.

    Args:
        losses: (n,) finite.
        tids: (n,) the trials' ids, which make the order independent of the rows'.
        most: no more than so many.

    Returns:
        (min(n, most),) positions.
    """
    n = len(losses)
    best = np.arange(n)
    if n > most:
        # Linear in the number of trials; only those few are sorted.
        least = np.partition(losses, most - 1)[most - 1]
        best = np.flatnonzero(losses <= least)  # more than `most` where there are ties
    order: Positions = best[np.lexsort((tids[best], losses[best]))][:most]
    return order


def expected_best_loss(results: Sequence[Mapping[str, Any]]) -> float:
    """Returns the true loss that one should expect of the best of these results.

    Without ``loss_variance``, it is the lowest ``true_loss`` (or loss) of those whose loss is
    lowest. With it, it is the mean over all, weighted by the probability that each one's
    normally distributed loss is the lowest (10,000 draws, fixed seed).

    Args:
        results: at least one, each with status ok and a finite loss.

    Raises:
        InvalidLoss: a ``true_loss`` or ``loss_variance`` is no number.
    """
    losses = np.array([float(r["loss"]) for r in results])
    true = np.array([_number_in(r, "true_loss", r["loss"]) for r in results])
    variances = np.array([_number_in(r, "loss_variance", 0.0) for r in results])
    # What is no variance says nothing of the noise.
    variances = np.where(np.isfinite(variances) & (variances > 0), variances, 0.0)
    # Without noise there is nothing to weigh.
    if not variances.any():
        return float(true[losses == losses.min()].min())
    # Fixed, so that asking twice gives the same answer.
    rng = np.random.default_rng(0)
    wins = np.zeros(len(losses))
    # A few draws at a time: all of them for 10,000 trials would take 800 MB.
    for _ in range(_DRAWS // _AT_A_TIME):
        draws = rng.normal(losses, np.sqrt(variances), size=(_AT_A_TIME, len(losses)))
        wins += np.bincount(draws.argmin(axis=1), minlength=len(losses))
    return float(true @ wins / wins.sum())


def _number_in(result: Mapping[str, Any], key: str, default: float) -> float:
    value = result.get(key)
    if value is None:
        return float(default)
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidLoss(f"the result's {key!r} must be a number, got {shown(value)}") from None
