"""What ``reproducible=True`` costs in slot use, where trials take different times.

Run by hand, from the project's root; takes some seconds:

    python -m tests.benchmarks.reproducible

Each suggestion then waits for the oldest trial in flight, so slots stand idle behind a long one.
The loop is the real one; the executor's time is virtual, and durations are log-normal: the
spread is the standard deviation of their logarithm (0.5: one in twelve takes twice the median).
Slot use is the time spent in trials, over slots times the time that the search took; the end of
a search, when no trial is left to start, counts in both.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import heapq
import random
from collections.abc import Callable, Iterable
from typing import Any

from sparktuner import Trials, fmin, hp, rand
from sparktuner.execute import (
    Event,
    Execution,
    Executor,
    Finished,
    Limits,
    Posted,
    Started,
    Submission,
    utc_now,
)


class VirtualExecutor(Executor):
    """A window of slots in which time passes only while the loop waits."""

    def __init__(self, slots: int, spread: float) -> None:
        self.slots = slots
        self.now = self.busy = 0.0
        self._durations = random.Random(1)
        self._spread = spread
        self._in_flight: list[tuple[float, Any, float]] = []  # when it ends, tid, argument
        self._started: list[Event] = []

    def free_slots(self) -> int:
        return self.slots - len(self._in_flight)

    def submit(self, submission: Submission) -> None:
        duration = self._durations.lognormvariate(0.0, self._spread)
        self.busy += duration
        heapq.heappush(self._in_flight, (self.now + duration, submission.tid, submission.argument))
        self._started.append(Started(submission.tid))

    def post(self, event: Posted) -> None:
        """Objectives post nothing here."""

    def wake(self) -> bool:
        return True

    def wait(self, timeout: float | None) -> list[Event]:
        events, self._started = self._started, []
        if events or not self._in_flight or timeout == 0.0:
            return events
        self.now, tid, argument = heapq.heappop(self._in_flight)
        return [Finished(tid, argument, Execution("", "", 0, utc_now(), 0.0, 0.0))]

    def cancel(self, tids: Iterable[Any]) -> None:
        """Nothing is cancelled here."""

    def elapsed(self, tid: Any) -> float | None:
        return None

    def close(self) -> None:
        """Nothing is held."""


class VirtualRunner:
    """Runs trials on a :class:`VirtualExecutor`."""

    asynchronous = True
    limits = Limits()

    def __init__(self, slots: int, spread: float) -> None:
        self.executor = VirtualExecutor(slots, spread)

    def open(self, objective: Callable[[Any], Any]) -> Executor:
        return self.executor


def slot_use(slots: int, spread: float, trials: int, reproducible: bool) -> float:
    runner = VirtualRunner(slots, spread)
    fmin(abs, hp.uniform("x", 0, 1), rand.suggest, trials, trials=Trials(runner=runner), rstate=1,
         reproducible=reproducible, verbose=False)  # fmt: skip
    return runner.executor.busy / (slots * runner.executor.now)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slots", nargs="+", type=int, default=[4, 8, 32])
    parser.add_argument("--spread", nargs="+", type=float, default=[0.0, 0.25, 0.5, 1.0])
    parser.add_argument("--trials", type=int, default=1000)
    options = parser.parse_args()
    print(f"slot use over {options.trials} trials: as results arrive, and reproducible")
    for slots in options.slots:
        for spread in options.spread:
            free, ordered = (
                slot_use(slots, spread, options.trials, reproducible)
                for reproducible in (False, True)
            )
            print(
                f"  {slots:>3} slots, spread {spread:4.2f}: {free:.2f} {ordered:.2f}", flush=True
            )


if __name__ == "__main__":
    main()
