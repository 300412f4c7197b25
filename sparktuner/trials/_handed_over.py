"""Trials that are handed over to workers elsewhere, by way of the store that both share."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from sparktuner.errors import StaleTrial, StoreUnavailable
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
from sparktuner.records import COMMAND, Tid, TrialDocument, TrialLog, TrialStore, has_ended
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    FailureKind,
)

_log = logging.getLogger("sparktuner")

# A worker writes a trial twice, so a driver that cancels it is too late twice at most.
_ATTEMPTS = 4
# Of so many trials that run, one more waits: workers that end at once find something to do.
_RUNNING_PER_WAITING = 8
# Seconds after which trials that nobody takes are worth a word.
_LONELY = 15.0


class HandedOverLog(TrialLog):
    """A log whose trials workers run, who write into the store themselves how it goes.

    The driver's loop moves its own documents on as the executor tells it, but of a trial that
    was handed over it writes nothing that the worker has written.

    Attributes:
        command: what the documents say of how to run them.
    """

    # What waits for a worker is nobody's: it would take its own trials from the workers.
    takes_over = False

    def __init__(self, store: TrialStore, exp_key: str | None = None) -> None:
        super().__init__(store, exp_key)
        self.command: object = COMMAND
        self._handed_over: set[Tid] = set()

    def document(self, tid: Tid) -> TrialDocument:
        """Returns a trial as the log knows it now."""
        return self._documents[self._positions[tid]]

    def hand_over(self, tid: Tid, seed: int) -> None:
        """Lets workers claim a trial of this search's own.

        Args:
            tid: the trial.
            seed: what its objective is told as ``current_trial().seed``.
        """
        document = self.document(tid)
        document["owner"] = None
        document["misc"]["cmd"] = self.command
        document["misc"]["execution"] = {"seed": seed}
        try:
            super().update(document)
        except StaleTrial as error:  # another search on the same trials has handed it over
            _log.info("%s", error)
        self._handed_over.add(tid)

    def update(self, *documents: TrialDocument) -> None:
        for document in documents:
            if document["tid"] not in self._handed_over:
                super().update(document)
            elif document["state"] == JOB_STATE_CANCEL:
                self._cancel(document)

    def _cancel(self, document: TrialDocument) -> None:
        """Writes that a trial is cancelled, unless its worker was faster."""
        for attempt in range(_ATTEMPTS):
            theirs = self.document(document["tid"])
            if theirs is not document:
                if has_ended(theirs):
                    return
                document["version"] = theirs["version"]
            try:
                super().update(document)
                self.refresh()
                return
            except StaleTrial:
                if attempt == _ATTEMPTS - 1:
                    raise

    def __reduce__(self) -> tuple[Any, ...]:
        return HandedOverLog, (self.store, self.exp_key)


class WorkersExecutor(Executor):
    """An executor that runs nothing: it asks the store what workers have made of the trials.

    Everything happens in the loop's thread, inside :meth:`wait`. A trial that is cancelled is
    over for the driver at once; its worker finds out, and drops what the objective returns.

    Args:
        log: the trials.
        poll_interval: seconds from one look into the store to the next.
        queued: how many trials wait for workers, at least.
    """

    def __init__(self, log: HandedOverLog, poll_interval: float, queued: int) -> None:
        self._log = log
        self._poll_interval = poll_interval
        self._queued = self._free = queued
        # When a worker was first seen to run it.
        self._in_flight: dict[Tid, float | None] = {}
        self._cancelled: set[Tid] = set()
        self._woken = threading.Event()
        self._gone_since: float | None = None
        self._lonely_since: float | None = None
        self._closed = False

    def free_slots(self) -> int:
        return 0 if self._closed else max(0, self._free)

    def submit(self, submission: Submission) -> None:
        tid = submission.tid
        if self._closed or tid in self._in_flight or not self.free_slots():
            raise RuntimeError(f"trial {tid} cannot be submitted: no slot, in flight, or closed")
        self._log.hand_over(tid, submission.seed)
        self._in_flight[tid] = None
        self._free -= 1

    def post(self, event: Posted) -> None:
        """Drops the event: an objective elsewhere writes into the store itself."""

    def wake(self) -> bool:
        self._woken.set()
        return True

    def wait(self, timeout: float | None) -> list[Event]:
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            before = self._free
            events = self._look()
            left = self._poll_interval if end is None else end - time.monotonic()
            if events or not self._in_flight or self._free > before or left <= 0:
                return events
            if self._woken.wait(min(left, self._poll_interval)):
                self._woken.clear()
                return []

    def cancel(self, tids: Iterable[Tid]) -> None:
        self._cancelled.update(tid for tid in tids if tid in self._in_flight)

    def elapsed(self, tid: Tid) -> float | None:
        began = self._in_flight.get(tid)
        return None if began is None else time.monotonic() - began

    def close(self) -> None:
        self._closed = True
        self._cancelled.update(self._in_flight)

    def _look(self) -> list[Event]:
        if not self._refreshed():
            return []
        events: list[Event] = []
        for tid in list(self._in_flight):
            events += self._news(tid, self._log.document(tid))
        states = [self._log.document(tid)["state"] for tid in self._in_flight]
        more = states.count(JOB_STATE_RUNNING) // _RUNNING_PER_WAITING
        self._free = self._queued + more - states.count(JOB_STATE_NEW)
        self._note_loneliness(bool(states) and set(states) == {JOB_STATE_NEW})
        return events

    def _note_loneliness(self, lonely: bool) -> None:
        """Says once, where trials wait and none runs, that somebody has to start workers."""
        now = time.monotonic()
        if not lonely:
            self._lonely_since = None
        elif self._lonely_since is None:
            self._lonely_since = now
        elif now - self._lonely_since > _LONELY:
            self._lonely_since = math.inf
            key = "" if self._log.exp_key is None else f" --exp-key {self._log.exp_key}"
            _log.warning(
                "no worker has taken a trial for %g s; start some: sparktuner worker --store %s%s",
                _LONELY,
                self._log.store.location,
                key,
            )

    def _refreshed(self) -> bool:
        """Whether the store answered; raises when it has not for as long as a lease."""
        try:
            self._log.refresh()
        except StoreUnavailable as error:
            now = time.monotonic()
            self._gone_since = self._gone_since or now
            if now - self._gone_since > self._log.store.lease:
                raise
            _log.warning("%s; the search waits for it", error)
            return False
        self._gone_since = None
        return True

    def _news(self, tid: Tid, document: TrialDocument) -> list[Event]:
        events: list[Event] = []
        ended = has_ended(document)
        if self._in_flight[tid] is None and (ended or document["state"] == JOB_STATE_RUNNING):
            self._in_flight[tid] = time.monotonic()
            events.append(Started(tid))
        if ended or tid in self._cancelled:
            del self._in_flight[tid]
            self._cancelled.discard(tid)
            events.append(_end_of(document))
        return events


@dataclass(frozen=True)
class WorkersRunner:
    """A runner that leaves trials to workers elsewhere.

    Attributes:
        poll_interval: seconds from one look into the store to the next.
        queued: how many trials wait for workers, at least.
        log: the trials of the search that is under way.
    """

    poll_interval: float
    queued: int
    log: HandedOverLog | None = field(default=None, compare=False)

    @property
    def asynchronous(self) -> bool:
        return True

    @property
    def limits(self) -> Limits:
        return Limits()

    def open(self, objective: Objective) -> Executor:
        # The objective is in the store by now, together with its space.
        if self.log is None:
            raise RuntimeError("only a search on WorkerTrials can hand its trials over")
        return WorkersExecutor(self.log, self.poll_interval, self.queued)


def _end_of(document: TrialDocument) -> Finished | Failed | Cancelled:
    tid, misc = document["tid"], document["misc"]
    execution = _execution_of(misc.get("execution"))
    if document["state"] == JOB_STATE_DONE:
        return Finished(tid, document["result"], execution)  # type: ignore[arg-type]
    if document["state"] == JOB_STATE_ERROR:
        error: object = misc.get("error")
        # Other tools write them as they like.
        pair = isinstance(error, tuple | list) and len(error) == 2
        name, text = map(str, error) if pair else ("Unknown", str(error))  # type: ignore[call-overload]
        message = text.strip().rpartition("\n")[2]
        return Failed(tid, FailureKind.OBJECTIVE, name, message, text, execution)
    return Cancelled(tid)


def _execution_of(noted: object) -> Execution | None:
    names = [each.name for each in fields(Execution)]
    # Hyperopt's workers leave none.
    if not isinstance(noted, dict) or not {"host", "started", "duration"} <= set(noted):
        return None
    return Execution(**{name: noted[name] for name in names if name in noted})
