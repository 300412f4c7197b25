"""An executor whose trials end when the test says so, and a clock that the test turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sparktuner import Trials, rand
from sparktuner.domain import Domain
from sparktuner.driver import SearchArguments, search
from sparktuner.execute import (
    Cancelled,
    Event,
    Execution,
    Executor,
    Failed,
    Finished,
    Limits,
    Objective,
    Posted,
    Started,
    Submission,
)
from sparktuner.status import FailureKind

EXECUTION = Execution("host", "driver", 1, datetime(2026, 1, 1), 0.5, 0.0)


class Clock:
    """Seconds that pass only in :meth:`advance` and while the loop waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class FakeExecutor(Executor):
    """Runs the objective at once, and delivers its event when ``ready(tid, waits)`` says so.

    Args:
        objective: called with the argument; what it raises becomes ``Failed``.
        slots: how many trials may be in flight.
        clock: moved on by the timeout of each wait that delivers nothing.
        ready: whether a trial ends at its n-th wait; by default at once.
        stubborn: trials that ignore :meth:`cancel`.
        queued: trials that still wait for a slot: :meth:`elapsed` is None for them.
        gone: what :meth:`why_gone` answers.
    """

    def __init__(
        self,
        objective: Callable[[Any], Any],
        slots: int = 1,
        clock: Clock | None = None,
        ready: Callable[[Any, int], bool] = lambda tid, waits: True,
        stubborn: Iterable[Any] = (),
        queued: Iterable[Any] = (),
        gone: str = "",
    ) -> None:
        self.objective = objective
        self.slots = slots
        self.clock = clock or Clock()
        self.ready = ready
        self.stubborn = set(stubborn)
        self.queued = set(queued)
        self.gone = gone
        self.in_flight: dict[Any, Any] = {}
        self.began: dict[Any, float] = {}
        self.waits: dict[Any, int] = {}
        self.started: deque[Any] = deque()
        self.posted: list[Posted] = []
        self.cancelled: list[Any] = []
        self.descriptions: list[str] = []
        self.most_in_flight = 0
        self.closed = False

    def free_slots(self) -> int:
        return self.slots - len(self.in_flight)

    def submit(self, submission: Submission) -> None:
        assert self.free_slots() > 0
        tid = submission.tid
        self.in_flight[tid] = submission.argument
        self.began[tid] = self.clock()
        self.waits[tid] = 0
        self.started.append(tid)
        self.descriptions.append(submission.description)
        self.most_in_flight = max(self.most_in_flight, len(self.in_flight))

    def post(self, event: Posted) -> None:
        if event.tid in self.in_flight:
            self.posted.append(event)

    def wake(self) -> bool:
        return True

    def wait(self, timeout: float | None) -> list[Event]:
        events: list[Event] = [Started(tid) for tid in self.started]
        self.started.clear()
        for tid in list(self.in_flight):
            self.waits[tid] += 1
            if tid in self.cancelled and tid not in self.stubborn:
                events.append(self._end(tid, Cancelled(tid)))
            elif self.ready(tid, self.waits[tid]):
                end = self._run(tid)
                events += [event for event in self.posted if event.tid == tid]
                self.posted = [event for event in self.posted if event.tid != tid]
                events.append(self._end(tid, end))
        if not events:
            self.clock.advance(1.0 if timeout is None else timeout)
        return events

    def _run(self, tid: Any) -> Event:
        try:
            return Finished(tid, self.objective(self.in_flight[tid]), EXECUTION)
        except Exception as error:
            where = f'File "objective.py", line 1, in f\n{error!r}'
            return Failed(
                tid,
                FailureKind.OBJECTIVE,
                type(error).__name__,
                str(error),
                where,
                EXECUTION,
                error,
            )

    def _end(self, tid: Any, event: Event) -> Event:
        del self.in_flight[tid]
        return event

    def cancel(self, tids: Iterable[Any]) -> None:
        self.cancelled.extend(tid for tid in tids if tid not in self.cancelled)

    def elapsed(self, tid: Any) -> float | None:
        return None if tid in self.queued else self.clock() - self.began[tid]

    def why_gone(self) -> str:
        return self.gone

    def close(self) -> None:
        self.closed = True


class FakeRunner:
    """Gives a search the executor that the test has made."""

    def __init__(self, executor: Executor, asynchronous: bool, limits: Limits) -> None:
        self.executor = executor
        self.asynchronous = asynchronous
        self.limits = limits

    def open(self, objective: Objective) -> Executor:
        return self.executor


def run_search(
    executor: FakeExecutor,
    space: object,
    trials: Trials | None = None,
    deadline: float | None = None,
    trial_timeout: float | None = None,
    asynchronous: bool = True,
    **arguments: Any,
) -> tuple[Trials, str | None]:
    """Search with the executor and its clock; return the trials, and why it stopped early."""
    trials = Trials() if trials is None else trials
    limits = Limits(timeout=deadline, trial_timeout=trial_timeout)
    domain = Domain(executor.objective, space)
    reason = search(
        trials,
        trials._log,
        FakeRunner(executor, asynchronous, limits),
        domain,
        SearchArguments(domain.fn, space, **{"algo": rand.suggest, "rstate": 1, **arguments}),
        clock=executor.clock,
    )
    trials.refresh()
    return trials, reason
