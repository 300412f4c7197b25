"""Which trials run and which wait for a slot, and how many slots there are by now."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sparktuner.execute._daemon_threads import DaemonThreadPool
from sparktuner.execute._inbox import Inbox
from sparktuner.execute._protocol import SlotChanged, Tid

_log = logging.getLogger("sparktuner")

# Trials that end sooner are never looked at: a look costs about as much as a short job.
_PERIOD = 1.0
# A trial that runs may lose its executor, and wait for another one. It is looked at again when
# it is older by this part, at last after so many seconds, and only while the time allows.
_AGAIN_PART = 0.2
_AGAIN_AT_LAST = 10.0
_AGAIN_SHARE = 0.03
# At most one part in this many of the time is spent on looking.
_IDLE_PER_LOOK = 9.0


@dataclass
class _Observation:
    """What is known of a trial in flight; written by the monitor's thread once it is there."""

    launched: bool  # whether it has a job of its own by now
    waits: bool = False
    began: float = field(default_factory=time.monotonic)
    since: float | None = None  # epoch seconds: when its task got a slot (inf: unknown)
    asked: bool = False  # somebody wants to know how long it has run
    looked: float = 0.0

    @property
    def runs(self) -> bool:
        """Whether it is known to have a slot."""
        return self.since is not None and self.since < math.inf

    def is_due(self, now: float) -> bool:
        if not self.runs:
            return self.asked or now - self.began >= _PERIOD
        again = min(_AGAIN_PART * (self.looked - self.began), _AGAIN_AT_LAST)
        return now - self.looked >= max(_PERIOD, again)


class SlotMonitor:
    """A thread that looks at Spark once a second, so that the driver's loop never has to.

    Tells the loop of trials that begin or cease to wait for a slot, and keeps the window as
    wide as it is to be.
    """

    def __init__(
        self,
        inbox: Inbox,
        running_since: Callable[[Tid], float | None],
        width: Callable[[], int] | None = None,
        capacity: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Makes the monitor; its thread starts with the first trial.

        Args:
            inbox: of the window.
            running_since: asks when a trial's task was launched, as a transport answers it.
            width: asks how wide the window is to be; may take its time, and raise.
            capacity: how many trials can have a slot, as ``width`` has last found it, or None.
        """
        self._inbox = inbox
        self._running_since = running_since
        self._width = width or (lambda: inbox.slots)
        self._capacity = capacity
        self._thread = DaemonThreadPool("sparktuner-monitor")
        self._wake = threading.Event()
        self._started = False
        self._closed = False
        self._waiting = 0
        self._slots = inbox.slots
        # tid -> what is known; items come and go by atomic operations.
        self._observations: dict[Tid, _Observation] = {}

    def expect(self, tid: Tid, launched: bool) -> None:
        """Takes note of a trial, or of its next attempt.

        From any thread, but for the first trial: from the loop's, which starts ours.

        Args:
            tid: the trial.
            launched: whether a job of its own comes now.
        """
        if not self._started:
            self._started = True
            self._thread.submit(self._work, max_workers=1)
        before = self._observations.get(tid)
        self._observations[tid] = _Observation(launched, waits=before is not None and before.waits)

    def forget(self, tid: Tid) -> None:
        """Takes note that a trial has ended; from any thread."""
        self._observations.pop(tid, None)

    def elapsed(self, tid: Tid) -> float | None:
        """Returns what ``Executor.elapsed`` does, by the last look, and has one taken soon."""
        observation = self._observations.get(tid)
        if observation is None:
            return None
        if not observation.runs:
            observation.asked = True
            self._wake.set()
        since = observation.since
        return None if since is None else max(0.0, time.time() - since)

    def close(self, grace: float) -> None:
        """Ends the thread, and waits for it for ``grace`` seconds at most."""
        self._closed = True
        self._wake.set()
        self._thread.shutdown(grace)

    def _work(self) -> None:
        if self._capacity() is None:
            self._update_width()
        pause, measured = _PERIOD, time.monotonic()
        while not self._closed:
            self._wake.wait(pause)
            self._wake.clear()
            began = time.monotonic()
            if began - measured >= _PERIOD:
                self._update_width()
                measured = began
            self._look_at_trials()
            pause = max(_PERIOD, _IDLE_PER_LOOK * (time.monotonic() - began))

    def _update_width(self) -> None:
        try:
            slots = max(1, self._width())
        except Exception:  # the session may be gone, which the trials' own threads report
            return
        if slots != self._slots:
            _log.info(
                "%d trials may run at a time from now on, not %d",
                slots,
                self._slots,
                extra={"event": "window_changed", "window": slots, "before": self._slots},
            )
            self._slots = slots
            self._inbox.resize(slots)

    def _look_at_trials(self) -> None:
        now = time.monotonic()
        observations = list(self._observations.items())
        due = [(tid, observation) for tid, observation in observations if observation.is_due(now)]
        # Those first of which it is not known that they run, then the longest unseen.
        for tid, observation in sorted(due, key=lambda each: (each[1].runs, each[1].looked)):
            # Each look costs the JVM, or the server, a question.
            late = time.monotonic() - now > _AGAIN_SHARE * _PERIOD
            if self._closed or (late and observation.runs):
                break
            self._look(tid, observation)
        self._tell(len(observations), sum(observation.waits for _, observation in observations))

    def _tell(self, in_flight: int, waiting: int) -> None:
        capacity = self._capacity()
        if capacity is not None:  # some may not have been looked at yet
            waiting = max(waiting, in_flight - capacity)
        if waiting == self._waiting:
            return
        self._waiting = waiting
        if not in_flight:  # the search's end, or a pause between two trials, says nothing
            return
        running = in_flight - waiting
        _log.info(
            "%d trials run, %d wait for a slot",
            running,
            waiting,
            extra={"event": "slots_changed", "running": running, "waiting": waiting},
        )

    def _look(self, tid: Tid, observation: _Observation) -> None:
        observation.asked, observation.looked = False, time.monotonic()
        observation.since = self._running_since(tid) if observation.launched else None
        waits = observation.since is None
        if waits != observation.waits and self._observations.get(tid) is observation:
            observation.waits = waits
            self._inbox.put(SlotChanged(tid, waits))
