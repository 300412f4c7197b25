"""Which of the finished trials a model looks at, so that its cost does not grow with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktuner.records import History, best_first
from sparktuner.suggest._layout import IndexArray

# The bad trials of a group of columns are sought in a subsample of this size, the good ones
# among so many of the best: at 50,000 trials a suggestion costs what it does at 1,000.
_MAX_SUBSAMPLE = 4096
_MAX_BEST = 512


@dataclass(frozen=True, eq=False)
class RankedTrials:
    """The finished trials that a model looks at, as positions in a history.

    Both arrays have an order that does not depend on the order in which results came in.

    Attributes:
        best: (b,) the trials of the lowest losses, at most 512, best first; ties by id.
        subsample: (e,) a systematic sample of all trials, at most 4096, by id.
    """

    best: IndexArray
    subsample: IndexArray

    @classmethod
    def of(cls, history: History) -> RankedTrials:
        """Ranks the finished trials of a history."""
        best = best_first(history.losses, history.tids, _MAX_BEST)
        by_id = np.argsort(history.tids, kind="stable")
        return cls(best, by_id[systematic_sample(history.n, _MAX_SUBSAMPLE)])


def systematic_sample(n: int, size: int) -> IndexArray:
    """Returns at most ``size`` of the positions 0 to n - 1, at equal distances, ascending.

    Nothing is drawn at random, so equal histories give equal models.
    """
    if n <= size:
        return np.arange(n, dtype=np.intp)
    return np.arange(size, dtype=np.intp) * n // size
