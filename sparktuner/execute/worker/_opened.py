"""The objective as a worker process has it, from its first task to its last."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from typing import Any, TypeAlias

# Pickling that much takes a few milliseconds, three times in a process.
_WATCHED_BYTES = 2**20

Objective: TypeAlias = Callable[[Any], object]


class OpenedObjective:
    """The objective, unpickled once, whose captured state the trials of a process share.

    Where it is small, its first trial is watched for changes to that state.
    """

    def __init__(self, packed: bytes) -> None:
        self.objective: Objective = pickle.loads(packed)
        self._before: bytes | None = None
        if len(packed) <= _WATCHED_BYTES:
            digest = _digest(self.objective)
            # What pickles in another way each time tells nothing.
            self._before = digest if digest == _digest(self.objective) else None

    def __call__(self, argument: object) -> object:
        return self.objective(argument)

    def has_changed(self) -> bool:
        """Returns whether the trial that just ended has changed it; known of the first alone."""
        before, self._before = self._before, None
        if before is None:
            return False
        after = _digest(self.objective)
        return after is not None and after != before


def _digest(objective: Objective) -> bytes | None:
    # On a worker, this module must do without the installed one.
    from pyspark import cloudpickle

    dumps: Callable[[object], bytes] = cloudpickle.dumps
    try:
        return hashlib.sha256(dumps(objective)).digest()
    except Exception:  # whatever __reduce__ raises; what captures a lock is no concern here
        return None
