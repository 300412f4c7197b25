"""How long one trial may run."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container

from sparktuner.execute import Executor
from sparktuner.records import Tid

_CANCEL_AGAIN = 0.2


class TrialTimeLimit:
    """Finds the trials that have run for too long; waiting for a slot does not count.

    Args:
        seconds: how long a trial may run; None is no limit.
        executor: runs the trials.
        clock: seconds, monotonic.
    """

    def __init__(
        self, seconds: float | None, executor: Executor, clock: Callable[[], float]
    ) -> None:
        self.seconds = seconds
        self._executor = executor
        self._clock = clock
        self._looks: list[tuple[float, Tid]] = []  # a heap: when to look at which trial

    def watch(self, tid: Tid) -> None:
        """Begins with a trial that was just submitted."""
        if self.seconds is not None:
            self._look_in(self.seconds, tid)

    @property
    def next_look(self) -> float | None:
        """When a trial may have run for too long, on the clock; None if there is none."""
        return self._looks[0][0] if self._looks else None

    # A heap, because trials are looked at again at different times: those that waited, later.
    def overdue(self, in_flight: Container[Tid]) -> list[tuple[Tid, float]]:
        """Returns the trials that ran out of time, and for how many seconds each has run.

        They come again soon if they are still in flight then: a cancel may come too early
        to hit anything.
        """
        found = []
        now = self._clock()
        while self.seconds is not None and self._looks and self._looks[0][0] <= now:
            _, tid = heapq.heappop(self._looks)
            if tid not in in_flight:
                continue
            # A trial that waited for a slot has been running for less than since its submission.
            elapsed = self._executor.elapsed(tid) or 0.0
            if elapsed < self.seconds:
                self._look_in(self.seconds - elapsed, tid)
            else:
                found.append((tid, elapsed))
                self._look_in(_CANCEL_AGAIN, tid)
        return found

    def _look_in(self, seconds: float, tid: Tid) -> None:
        heapq.heappush(self._looks, (self._clock() + seconds, tid))
