"""Executors that call the objective in this process."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TypeAlias

from sparktuner.errors import SparkUnavailable
from sparktuner.execute._attaching import posting
from sparktuner.execute._daemon_threads import DaemonThreadPool
from sparktuner.execute._inbox import Inbox, event_of
from sparktuner.execute._own_copy import own_copy
from sparktuner.execute._protocol import (
    Cancelled,
    Event,
    Executor,
    Failed,
    Limits,
    Objective,
    Posted,
    Started,
    Submission,
    Tid,
)
from sparktuner.execute.worker import CurrentTrial, call, entered
from sparktuner.status import FailureKind

# (tid, description) -> what surrounds the objective, in the trial's own thread.
Around: TypeAlias = Callable[[Tid, str], AbstractContextManager[object]]

# A cancelled trial that still runs in a thread gets this long to end before it is abandoned.
_GRACE = 1.0


class SerialExecutor(Executor):
    """An executor that calls the objective in the caller's thread, inside :meth:`wait`.

    One trial at a time. Results are handed over as they are, never pickled.
    ``KeyboardInterrupt`` is Ctrl-C: it passes through :meth:`wait`, and the trial ends as
    cancelled. So does what the handler of a signal such as SIGTERM raises; ``sys.exit()`` of
    the objective's own is a failure of the trial.
    """

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._inbox = Inbox(slots=1)
        self._waiting: Submission | None = None
        self._began: float | None = None

    def free_slots(self) -> int:
        return self._inbox.free

    def submit(self, submission: Submission) -> None:
        self._inbox.expect(submission.tid)
        self._waiting = submission
        # Handed over by the next wait(); the objective runs in the one after it, so that the
        # loop knows of a long trial before it blocks.
        self._inbox.put(Started(submission.tid))

    def post(self, event: Posted) -> None:
        self._inbox.post(event)

    def wake(self) -> bool:
        self._inbox.wake()
        return self._began is None

    def wait(self, timeout: float | None) -> list[Event]:
        if not self._inbox.ready() and self._waiting is not None:
            self._run(self._waiting)
        return self._inbox.take(timeout)

    def cancel(self, tids: Iterable[Tid]) -> None:
        if self._waiting is not None and self._waiting.tid in set(tids):
            self._inbox.put(Cancelled(self._waiting.tid))
            self._waiting = None

    def elapsed(self, tid: Tid) -> float | None:
        if self._began is None or tid not in self._inbox.in_flight:
            return None
        return time.monotonic() - self._began

    def close(self) -> None:
        self._inbox.close()
        self._inbox.abandon()
        self._waiting = None

    def _run(self, submission: Submission) -> None:
        tid = submission.tid
        self._waiting = None
        self._began = time.monotonic()
        try:
            with entered(CurrentTrial(tid, submission.seed, _keep=posting(self.post, tid))):
                argument = own_copy(submission.argument)
                outcome = call(self._objective, argument, stop=(KeyboardInterrupt,))
            error = outcome.get("exception")
            if isinstance(error, SystemExit) and _raised_by_a_signal(error):
                raise error
        except (KeyboardInterrupt, SystemExit):
            self._inbox.put(Cancelled(tid))
            raise
        finally:
            self._began = None
        self._inbox.put(event_of(tid, outcome, submission.submitted))


def _raised_by_a_signal(error: SystemExit) -> bool:
    """Whether a handler of the user's raised this, while the objective happened to run."""
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {code for each in handlers if (code := getattr(each, "__code__", None)) is not None}
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(frame.f_code in codes for frame in frames)


class SerialRunner:
    """A runner of one trial after another in the caller's thread; see :class:`SerialExecutor`."""

    @property
    def asynchronous(self) -> bool:
        return False

    @property
    def limits(self) -> Limits:
        return Limits()

    def open(self, objective: Objective) -> Executor:
        return SerialExecutor(objective)


class ThreadExecutor(Executor):
    """An executor that calls the objective in threads of this process.

    For objectives that release the GIL, or that launch Spark jobs themselves. Values are
    handed over as they are. Python cannot stop a thread: a cancelled trial that runs already
    ends when its objective returns (finished) or raises (cancelled); :meth:`close` abandons
    it after a second.
    """

    def __init__(
        self,
        objective: Objective,
        parallelism: int,
        around: Around | None = None,
        on_cancel: Callable[[list[Tid]], None] | None = None,
        on_close: Callable[[], None] | None = None,
        why_gone: Callable[[BaseException | None], str] | None = None,
    ) -> None:
        """Makes the executor; its threads start when they are needed.

        Args:
            objective: called with the argument of each trial.
            parallelism: how many trials run at a time.
            around: makes a context manager from (tid, description); it is entered in the
                trial's own thread, around the objective.
            on_cancel: told which trials shall end, e.g. to cancel their Spark jobs; in a thread
                of its own, because a server that is gone lets it wait.
            on_close: called once, at the end of :meth:`close`.
            why_gone: asked after an objective raised, or with None while ``on_cancel`` has not
                come back; the reason where the session that trials use is gone, so that no
                other one could do better, else an empty text.

        Raises:
            ValueError: ``parallelism`` is below 1.
        """
        self._objective = objective
        self._around = around or (lambda tid, description: nullcontext())
        self._on_cancel = on_cancel or (lambda tids: None)
        self._on_close = on_close or (lambda: None)
        self._why_gone = why_gone or (lambda error: "")
        self._inbox = Inbox(parallelism)
        self._threads = DaemonThreadPool("sparktuner-trial")
        self._cancel_thread = DaemonThreadPool("sparktuner-cancel")
        self._asked: set[Tid] = set()  # whose cancel has not been passed on yet
        self._passes_on = False
        # Written by the loop's thread only (_cancelled) and by a trial's own thread only
        # (_began); dict and set operations are atomic.
        self._cancelled: set[Tid] = set()
        self._began: dict[Tid, float] = {}

    def free_slots(self) -> int:
        return self._inbox.free

    def submit(self, submission: Submission) -> None:
        self._inbox.expect(submission.tid)
        self._cancelled.discard(submission.tid)
        self._threads.submit(lambda: self._run(submission), len(self._inbox.in_flight))

    def post(self, event: Posted) -> None:
        self._inbox.post(event)

    def wake(self) -> bool:
        self._inbox.wake()
        return True

    def wait(self, timeout: float | None) -> list[Event]:
        return self._inbox.take(timeout)

    def cancel(self, tids: Iterable[Tid]) -> None:
        chosen = [tid for tid in tids if tid in self._inbox.in_flight]
        self._cancelled.update(chosen)
        if chosen:
            self._asked.update(chosen)
            self._cancel_thread.submit(self._pass_on_cancels, max_workers=1)

    def _pass_on_cancels(self) -> None:
        # What was asked for again while the thread had to wait is passed on once.
        tids = list(self._asked)
        self._asked.difference_update(tids)
        if tids:
            self._passes_on = True
            with suppress(Exception):  # a thread's border; the session may be gone
                self._on_cancel(tids)
            self._passes_on = False

    def elapsed(self, tid: Tid) -> float | None:
        began = self._began.get(tid)
        return None if began is None else time.monotonic() - began

    def why_gone(self) -> str:
        # Trials that do not use Spark need no session; only those jobs are missed that cannot
        # be cancelled.
        return self._why_gone(None) if self._passes_on else ""

    def close(self) -> None:
        if not self._inbox.close():
            return
        try:
            self.cancel(list(self._inbox.in_flight))
            self._threads.shutdown(_GRACE)
            self._inbox.abandon()
            self._cancel_thread.shutdown(_GRACE)
        finally:
            self._on_close()

    def _run(self, submission: Submission) -> None:
        tid = submission.tid
        if tid in self._cancelled:
            self._inbox.put(Cancelled(tid))
            return
        self._began[tid] = time.monotonic()
        self._inbox.put(Started(tid))
        outcome = call(lambda value: self._call(submission, value), submission.argument)
        del self._began[tid]
        event: Event = event_of(tid, outcome, submission.submitted)
        if isinstance(event, Failed) and tid in self._cancelled:
            event = Cancelled(tid)  # most likely it raised because its jobs were cancelled
        elif isinstance(event, Failed) and (reason := self._why_gone(event.exception)):
            name = SparkUnavailable.__name__
            event = Failed(tid, FailureKind.SESSION_GONE, name, reason, event.traceback)
        self._inbox.put(event)

    def _call(self, submission: Submission, argument: object) -> object:
        tid = submission.tid
        with (
            entered(CurrentTrial(tid, submission.seed, _keep=posting(self.post, tid))),
            self._around(tid, submission.description),
        ):
            return self._objective(own_copy(argument))
