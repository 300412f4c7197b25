"""Seeds for suggestions and objectives, each tied to its trial."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np

from sparktuner.checks import check_rng
from sparktuner.records import Tid

# What fmin takes as `rstate`.
RandomState: TypeAlias = int | np.integer[Any] | np.random.Generator | np.random.RandomState | None

SEED_VARIABLE = "HYPEROPT_FMIN_SEED"


@dataclass(frozen=True)
class Seeds:
    """Seeds that depend on the search's own and a trial's id, so that resuming repeats none.

    Attributes:
        entropy: the search's own seed, at least 0.
    """

    entropy: int

    @classmethod
    def from_rstate(cls, rstate: RandomState) -> Seeds:
        """Returns the seeds that fmin's ``rstate`` stands for.

        A Generator and a RandomState move on by one draw. None takes the environment variable
        ``HYPEROPT_FMIN_SEED``, else fresh entropy.

        Raises:
            TypeError: ``rstate`` is something else.
        """
        check_rng("rstate", rstate)
        if rstate is None and os.environ.get(SEED_VARIABLE):
            rstate = int(os.environ[SEED_VARIABLE])
        if rstate is None:
            return cls(int(np.random.SeedSequence().generate_state(1, np.uint64)[0]))
        if isinstance(rstate, np.random.Generator):
            return cls(int(rstate.integers(2**63)))
        if isinstance(rstate, np.random.RandomState):
            return cls(int(rstate.randint(2**31 - 1)))
        return cls(int(rstate))

    def of_suggestion(self, tid: Tid) -> int:
        """Returns the seed, below 2**31, of the suggestion whose first trial is ``tid``."""
        return self._below_2_31(_whole(tid))

    def of_objective(self, tid: Tid) -> int:
        """Returns the seed, below 2**31, that the objective of this trial may ask for."""
        return self._below_2_31(_whole(tid), 1)

    def _below_2_31(self, *key: int) -> int:
        # A hash of search and trial, not the next draw of a stream: the order of trials, and how
        # often a search was resumed, must not matter.
        state = np.random.SeedSequence([self.entropy, *key]).generate_state(1)
        return int(state[0] >> 1)


def _whole(tid: Tid) -> int:
    """The id as a number of at least 0: documents of other tools may have ids of any kind."""
    if isinstance(tid, Integral) and int(tid) >= 0:
        return int(tid)
    return zlib.crc32(repr(tid).encode("utf-8", "backslashreplace"))
