"""How events reach the driver's loop, the same for every executor."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from queue import Empty, SimpleQueue

from sparktuner.execute._protocol import (
    Cancelled,
    Ended,
    Event,
    Execution,
    Failed,
    Finished,
    Posted,
    Tid,
)
from sparktuner.execute.worker import Outcome
from sparktuner.status import FailureKind


class Inbox:
    """A queue of events, and the trials in flight.

    Any thread may :meth:`put`, :meth:`post` and :meth:`resize`. Everything else belongs to the
    loop's thread, so the set of trials in flight needs no lock: it grows in :meth:`expect` and
    shrinks when a trial's end is handed over.

    Attributes:
        slots: how many trials may be in flight.
        in_flight: by trial, when it was submitted, in seconds of ``time.monotonic``.
    """

    def __init__(self, slots: int) -> None:
        """Makes an inbox for ``slots`` trials at a time.

        Raises:
            ValueError: there are fewer slots than one.
        """
        require_parallelism(slots)
        self.slots = slots
        self.in_flight: dict[Tid, float] = {}
        # An int: so many slots from now on. None: only to end a take().
        self._queue: SimpleQueue[Event | int | None] = SimpleQueue()
        self._closed = False

    @property
    def free(self) -> int:
        """The number of trials that may still be taken into flight now."""
        return 0 if self._closed else max(0, self.slots - len(self.in_flight))

    def expect(self, tid: Tid) -> None:
        """Takes a trial into flight.

        Raises:
            RuntimeError: it is in flight already, no slot is free, or the executor is closed.
        """
        if self._closed:
            raise RuntimeError("This executor is closed.")
        if tid in self.in_flight:
            raise RuntimeError(f"Trial {tid} is in flight already.")
        if not self.free:
            raise RuntimeError(f"No slot is free: {len(self.in_flight)} trials are in flight.")
        self.in_flight[tid] = time.monotonic()

    def put(self, event: Event) -> None:
        """Hands over an event; from any thread."""
        self._queue.put(event)

    def post(self, event: Posted) -> None:
        """Hands over an event unless its trial is not in flight; from any thread."""
        if event.tid in self.in_flight:
            self._queue.put(event)

    def wake(self) -> None:
        """Ends a :meth:`take` that blocks, or the next one; safe in a signal handler."""
        self._queue.put(None)  # SimpleQueue.put may interrupt itself

    def resize(self, slots: int) -> None:
        """Lets so many trials be in flight from the loop's next :meth:`take` on, which this ends.

        Not at once: the loop fills the slots that it has just seen.
        """
        self._queue.put(slots)

    def take(self, timeout: float | None) -> list[Event]:
        """Returns all events, oldest first; blocks for the first one while trials are in flight.

        Returns without one when the number of slots changes.
        """
        events: list[Event] = []
        # A lock's wait refuses a longer time with an OverflowError.
        limit = None if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX)
        try:
            while self.in_flight:
                event = self._queue.get(not events, limit)
                if event is None:
                    break
                if isinstance(event, int):
                    self.slots = event
                    break  # the loop may have trials for the new slots
                self._accept(event, events)
        except Empty:
            pass
        except BaseException:  # Ctrl-C must not lose what was taken out already
            self._restore(events)
            raise
        if not self.in_flight:
            self._drop_late_events()
        return events

    def ready(self) -> bool:
        """Returns whether :meth:`take` would return at once."""
        return not self._queue.empty()

    def close(self) -> bool:
        """Refuses further trials and returns whether this was the first call."""
        first, self._closed = not self._closed, True
        return first

    def abandon(self) -> None:
        """Lets every trial in flight end as cancelled, unless its end is queued already."""
        for tid in self.in_flight:
            self._queue.put(Cancelled(tid))

    def _accept(self, event: Event, events: list[Event]) -> None:
        # An abandoned trial's thread may report long after its end was handed over.
        if event.tid not in self.in_flight:
            return
        events.append(event)
        if isinstance(event, Ended):
            del self.in_flight[event.tid]

    def _drop_late_events(self) -> None:
        """Drop what came after a trial's end: the same id may be submitted again."""
        while not self._queue.empty():
            event = self._queue.get()
            if isinstance(event, int):
                self.slots = event

    def _restore(self, events: list[Event]) -> None:
        later: list[Event | int | None] = []
        while not self._queue.empty():
            later.append(self._queue.get())
        for event in events:
            self.in_flight.setdefault(event.tid, time.monotonic())
        for each in [*events, *later]:
            self._queue.put(each)


def require_parallelism(slots: int) -> None:
    """Checks that there is at least one slot.

    Raises:
        ValueError: there are fewer slots than one.
    """
    if slots < 1:
        raise ValueError(f"parallelism must be at least 1, got {slots}")


def event_of(tid: Tid, outcome: Outcome, submitted: datetime) -> Finished | Failed:
    """Returns the event that ends a trial with this outcome.

    Args:
        tid: the trial.
        outcome: of the call of the objective.
        submitted: naive UTC, when the trial was submitted.
    """
    waited = (outcome["started"] - submitted).total_seconds()
    execution = Execution(
        host=outcome["host"],
        executor=outcome["executor"],
        pid=outcome["pid"],
        started=outcome["started"],
        duration=outcome["duration"],
        # Two machines' clocks: below zero is their difference, not a time.
        queue_time=max(0.0, waited),
    )
    if "error" in outcome:
        kind = FailureKind(outcome.get("kind", FailureKind.OBJECTIVE))
        return Failed(tid, kind, *outcome["error"], execution, outcome.get("exception"))
    return Finished(tid, outcome["value"], execution)
