"""How events reach the driver's loop, the same for every executor."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from queue import Empty, SimpleQueue
from typing import Any

from sparktuner.execute._protocol import (
    Cancelled,
    Event,
    Execution,
    Failed,
    Finished,
    Started,
)
from sparktuner.execute.worker import Outcome


class Inbox:
    """A queue of events, and the trials in flight.

    Any thread may :meth:`put`. Everything else belongs to the loop's thread, so the set of
    trials in flight needs no lock: it grows in :meth:`expect` and shrinks when a trial's last
    event is handed over. Any thread may :meth:`resize`.
    """

    def __init__(self, slots: int) -> None:
        require_parallelism(slots)
        self.slots = slots
        self.in_flight: dict[Any, float] = {}  # tid -> time.monotonic() of its submission
        self._queue: SimpleQueue[Event | int] = SimpleQueue()  # int: so many slots from now on
        self._closed = False

    @property
    def free(self) -> int:
        """How many more trials may be in flight."""
        return 0 if self._closed else max(0, self.slots - len(self.in_flight))

    def expect(self, tid: Any) -> None:
        """Take a trial into flight.

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
        """Hand over an event; from any thread."""
        self._queue.put(event)

    def resize(self, slots: int) -> None:
        """Let so many trials be in flight from the loop's next :meth:`take` on, which this ends.

        Not at once: the loop fills the slots that it has just seen.
        """
        self._queue.put(slots)

    def take(self, timeout: float | None) -> list[Event]:
        """Return all events, oldest first; block for the first one while trials are in flight.

        Returns without one when the number of slots changes.
        """
        events: list[Event] = []
        limit = None if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX)
        try:
            while self.in_flight:
                event = self._queue.get(not events, limit)
                if isinstance(event, int):
                    self.slots = event
                    break
                self._accept(event, events)
        except Empty:
            pass
        except BaseException:  # Ctrl-C must not lose what was taken out already
            self._restore(events)
            raise
        return events

    def ready(self) -> bool:
        """Whether :meth:`take` would return at once with an event."""
        return not self._queue.empty()

    def close(self) -> bool:
        """Refuse further trials; return whether this was the first call."""
        first, self._closed = not self._closed, True
        return first

    def abandon(self) -> None:
        """Let every trial in flight end as cancelled, unless its end is queued already."""
        for tid in self.in_flight:
            self._queue.put(Cancelled(tid))

    def _accept(self, event: Event, events: list[Event]) -> None:
        # An abandoned trial's thread may report long after its end was handed over.
        if event.tid not in self.in_flight:
            return
        events.append(event)
        if not isinstance(event, Started):
            del self.in_flight[event.tid]

    def _restore(self, events: list[Event]) -> None:
        later: list[Event | int] = []
        while not self._queue.empty():
            later.append(self._queue.get())
        for event in events:
            self.in_flight.setdefault(event.tid, time.monotonic())
        for each in [*events, *later]:
            self._queue.put(each)


def require_parallelism(slots: int) -> None:
    """Check that trials can run at all.

    Raises:
        ValueError: there are fewer slots than one.
    """
    if slots < 1:
        raise ValueError(f"parallelism must be at least 1, got {slots}")


def event_of(tid: Any, outcome: Outcome, submitted: datetime) -> Finished | Failed:
    """Return the event that ends a trial with this outcome."""
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
        return Failed(tid, *outcome["error"], execution, outcome.get("exception"))
    return Finished(tid, outcome["value"], execution)


def utc_now() -> datetime:
    """Return the time as naive UTC, as the documents have it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)
