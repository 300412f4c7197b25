"""Which of the finished trials a model looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktuner.records import History
from sparktuner.suggest._layout import IndexArray

# Trials looked at to find the bad ones of a group, evenly chosen; the good ones are sought
# among the best _MAX_BEST of all.
_MAX_SUBSAMPLE = 4096
_MAX_BEST = 512


@dataclass(frozen=True, eq=False)
class RankedTrials:
    """The trials that a model looks at: by loss the best ones, by id an even choice.

    Both are in an order that does not depend on the order in which the results came in.
    """

    best: IndexArray
    subsample: IndexArray

    @classmethod
    def of(cls, history: History) -> RankedTrials:
        """From the losses and the ids of a history."""
        n = history.n
        best = np.arange(n)
        if n > _MAX_BEST:
            least = np.partition(history.losses, _MAX_BEST - 1)[_MAX_BEST - 1]
            best = np.flatnonzero(history.losses <= least)  # more where there are ties
        best = best[np.lexsort((history.tids[best], history.losses[best]))][:_MAX_BEST]
        even = np.argsort(history.tids, kind="stable")[systematic_sample(n, _MAX_SUBSAMPLE)]
        return cls(best, even)


def systematic_sample(n: int, most: int) -> IndexArray:
    """At most ``most`` of the positions 0 .. n - 1, at equal distances."""
    if n <= most:
        return np.arange(n, dtype=np.intp)
    return np.arange(most, dtype=np.intp) * n // most
