"""The executor that keeps a bounded window of Spark jobs, one for each trial in flight."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable

from sparktuner.errors import UnpicklableArgument
from sparktuner.execute._daemon_threads import DaemonThreadPool
from sparktuner.execute._inbox import Inbox, event_of
from sparktuner.execute._protocol import (
    Attached,
    Cancelled,
    Ended,
    Event,
    Executor,
    Failed,
    Finished,
    Posted,
    Started,
    Submission,
    Tid,
)
from sparktuner.execute.spark._attempts import Attempts
from sparktuner.execute.spark._failures import GONE
from sparktuner.execute.spark._preflight import Preflight
from sparktuner.execute.spark._preflight_settings import WorkerSettings
from sparktuner.execute.spark._slot_monitor import SlotMonitor
from sparktuner.execute.spark._taking import Taker
from sparktuner.execute.spark._transport import JobFailed, Transport
from sparktuner.execute.worker import decode, describe, pack_task
from sparktuner.status import FailureKind

_log = logging.getLogger("sparktuner")
_CHANGED = (
    "trial %s on %s changed what the objective captures (a global, a closure, an attribute, a "
    "random generator): the trials of a worker process share it, so one can affect the next. "
    "Copy it in the objective, or take a seed from current_trial(); a cache that is meant does "
    "no harm"
)
# A cancel that comes before the job exists hits nothing, so it is repeated until the trial ends.
_REPEAT_CANCEL = 0.2
# Spark ends a cancelled job within a fraction of a second; a hung JVM never does.
_GRACE = 10.0


class SparkExecutor(Executor):
    """An executor that runs each trial as one Spark job of one task.

    The window is the number of jobs that are under way at a time. A thread blocks for each
    trial in flight; a result that arrives after a cancel request is
    kept. A trial whose worker died is run again, see :class:`Attempts`; one that raised is not.
    Cancelling touches jobs with this executor's own tags and no others.
    """

    def __init__(
        self,
        transport: Transport,
        parallelism: int,
        on_close: Callable[[], None] | None = None,
        max_retries: int = 1,
        preflight: bool = False,
        width: Callable[[], int] | None = None,
        settings: Callable[[], WorkerSettings] = WorkerSettings,
        capacity: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Makes the executor; threads start when they are needed.

        Args:
            transport: owned from now on.
            parallelism: the width of the window, to begin with.
            on_close: called once, at the end of :meth:`close`.
            max_retries: how often a trial, or the probe, is run again whose worker died.
            preflight: whether one probe task comes before the first trial.
            width: asked again and again, in a thread, how wide the window is to be.
            settings: asks for the workers', before the probe, in a thread.
            capacity: how many task slots there are, as ``width`` has last found it, or None.

        Raises:
            ValueError: ``parallelism`` is below 1.
        """
        self._inbox = Inbox(parallelism)
        self._transport = transport
        self._max_retries = max_retries
        self._preflight = Preflight(transport, max_retries, settings) if preflight else None
        self._on_close = on_close or (lambda: None)
        self._run_id = uuid.uuid4().hex[:8]
        self._trial_threads = DaemonThreadPool("sparktuner-slot")
        self._cancel_thread = DaemonThreadPool("sparktuner-cancel")
        self._wake = threading.Event()
        self._monitor = SlotMonitor(
            self._inbox, lambda tid: transport.running_since(self.tag(tid)), width, capacity
        )
        self._capacity = capacity
        self._taker = Taker(transport, capacity)
        self._abandoned = False
        self._told_of_change = threading.Lock()
        # tids; each grows in the loop's thread and shrinks in the trial's own. Set operations
        # are atomic.
        self._running: set[Tid] = set()
        self._cancelled: set[Tid] = set()

    @property
    def parallelism(self) -> int:
        """The number of trials that may run at a time now: the width of the window."""
        return self._inbox.slots

    def tag(self, tid: Tid) -> str:
        """Returns the tag that the trial's Spark job carries."""
        return f"sparktuner-{self._run_id}-{tid}"

    def free_slots(self) -> int:
        return self._inbox.free

    def capacity(self) -> int | None:
        return self._capacity()

    def submit(self, submission: Submission) -> None:
        tid = submission.tid
        self._inbox.expect(tid)
        self._cancelled.discard(tid)
        self._running.add(tid)
        self._monitor.expect(tid, launched=False)
        self._trial_threads.submit(lambda: self._run(submission), len(self._inbox.in_flight))

    def post(self, event: Posted) -> None:
        self._inbox.post(event)

    def wake(self) -> bool:
        self._inbox.wake()
        return True

    def wait(self, timeout: float | None) -> list[Event]:
        return self._inbox.take(timeout)

    def cancel(self, tids: Iterable[Tid]) -> None:
        chosen = {tid for tid in tids if tid in self._inbox.in_flight}
        new = chosen - self._cancelled
        self._cancelled |= chosen
        if new:
            # In a thread of its own: the loop shall not wait for a JVM that is busy or gone.
            self._wake.set()
            self._cancel_thread.submit(self._cancel_until_ended, max_workers=1)

    def elapsed(self, tid: Tid) -> float | None:
        return self._monitor.elapsed(tid)

    def why_gone(self) -> str:
        return GONE if self._transport.is_gone() else ""

    def close(self) -> None:
        if not self._inbox.close():
            return
        try:
            self.cancel(list(self._inbox.in_flight))
            self._trial_threads.shutdown(_GRACE)
            self._let_go(_GRACE)
        finally:
            self._let_go(0.0)  # a second Ctrl-C came: no thread stays, nor is it waited for
            self._transport.close()
            self._on_close()

    def _let_go(self, grace: float) -> None:
        self._inbox.abandon()
        self._abandoned = True
        self._taker.close()
        self._wake.set()
        self._cancel_thread.shutdown(grace)
        self._monitor.close(grace)

    def _run(self, submission: Submission) -> None:
        tid = submission.tid
        try:
            event = self._end_of(submission)
        except Exception as error:  # a thread's border: the trial must end in an event
            event = Failed(tid, FailureKind.SPARK, *describe(error))
        # Before the event: once it is taken, the same id may be submitted again.
        self._running.discard(tid)
        self._monitor.forget(tid)
        self._inbox.put(event)

    def _end_of(self, submission: Submission) -> Ended:
        from sparktuner.execute.spark._shipping import pack_argument  # imports pyspark

        tid = submission.tid
        if tid in self._cancelled:
            return Cancelled(tid)
        try:
            argument = pack_argument(submission.argument)
        except UnpicklableArgument as error:
            name = UnpicklableArgument.__name__
            return Failed(tid, FailureKind.ARGUMENT, name, str(error), "")
        # Not before its argument is pickled: what cannot be sent never starts.
        self._inbox.put(Started(tid))
        attempts = Attempts(self._max_retries)
        while True:
            try:
                return attempts.annotate(self._attempt(submission, argument, attempts.number))
            except JobFailed as failure:
                if tid in self._cancelled:
                    return Cancelled(tid)
                if not attempts.may_retry_after(failure):
                    return attempts.failed(submission, failure)

    def _attempt(self, submission: Submission, argument: bytes, number: int) -> Finished | Failed:
        tid = submission.tid
        if self._preflight is not None:
            self._preflight.check(self.tag(tid), lambda: tid in self._cancelled)
        self._monitor.expect(tid, launched=True)
        task = pack_task(argument, tid, submission.seed, number)
        packed = self._transport.run(task, self.tag(tid), submission.description)
        outcome = decode(packed)
        for name, content in outcome.get("attached", {}).items():
            self._inbox.put(Attached(tid, name, content))
        left = outcome.get("left", {})
        for event in self._taker.taken(tid, self.tag(tid), left, lambda: tid in self._cancelled):
            self._inbox.put(event)
        # Never released: the first to take it says so for the whole search.
        if outcome.get("changed") and self._told_of_change.acquire(blocking=False):
            _log.warning(_CHANGED, tid, outcome["host"])
        return event_of(tid, outcome, submission.submitted)

    def _cancel_until_ended(self) -> None:
        while (pending := self._cancelled & self._running) and not self._abandoned:
            for tid in pending:
                self._transport.cancel(self.tag(tid))
            self._wake.wait(_REPEAT_CANCEL)
            self._wake.clear()
