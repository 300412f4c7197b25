"""The driver's loop: the only code that moves trials on."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from sparktuner import errors
from sparktuner.domain import Domain
from sparktuner.driver._callbacks import Callbacks
from sparktuner.driver._interrupt_gate import InterruptGate
from sparktuner.driver._ledger import Ledger
from sparktuner.driver._options import SearchArguments
from sparktuner.driver._seeds import Seeds
from sparktuner.driver._space_change import fitting_queue
from sparktuner.driver._stopping import SameFailure, StopRules
from sparktuner.driver._suggestions import Suggestions
from sparktuner.driver._time_limits import TrialTimeLimit
from sparktuner.execute import (
    Attached,
    Cancelled,
    Checkpointed,
    Event,
    Executor,
    Failed,
    Finished,
    Injected,
    SlotChanged,
    Started,
    Submission,
)
from sparktuner.records import (
    FromFile,
    Tid,
    TrialDocument,
    TrialLog,
    advance,
    configuration_of,
    has_ended,
    normalise_result,
    utcnow,
)
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_RUNNING,
    FailureKind,
)

_log = logging.getLogger("sparktuner")

# How long a search that ends waits for its cancelled trials before it goes on without them.
GRACE = 1.0
_CANCEL_AGAIN = 0.2
# Failures that no other trial would escape: the search ends with such an error.
_HOPELESS: dict[FailureKind, type[errors.SparktunerError]] = {
    FailureKind.SESSION_GONE: errors.SparkUnavailable,
    FailureKind.WORKERS_NOT_READY: errors.WorkersNotReady,
}


class Loop:
    """One search: keeps the executor's slots filled until a rule says stop.

    Waits on the executor's events only. All other work of it (suggesting, writing the
    documents, callbacks) happens between two waits, in the caller's thread.

    Args:
        log: the trials; nobody else writes those that are this search's own.
        domain: the objective and its space.
        executor: runs the objective.
        suggestions: where new trials come from.
        arguments: the search's.
        asynchronous: whether trials run beside the driver; if not, an exception of the
            objective ends the search.
        limit: how many documents there are to be in the end.
        rules: when to stop.
        trial_timeout: seconds that one trial may run, or None.
        queue: trials in state NEW to be run first.
        callbacks: are told what happens.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        log: TrialLog,
        domain: Domain,
        executor: Executor,
        suggestions: Suggestions,
        arguments: SearchArguments,
        *,
        asynchronous: bool,
        limit: int,
        rules: StopRules,
        trial_timeout: float | None = None,
        queue: Iterable[TrialDocument] = (),
        callbacks: Callbacks | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trials = log
        self._domain = domain
        self._executor = executor
        self._suggestions = suggestions
        self._arguments = arguments
        self._asynchronous = asynchronous
        self._limit = limit
        self._rules = rules
        self._callbacks = Callbacks(()) if callbacks is None else callbacks
        self._clock = clock
        self._seeds = Seeds.from_rstate(arguments.rstate)
        # One window of trials: they were all suggested before any of them had failed.
        self._same_failure = SameFailure(max(2, executor.free_slots()))
        self._time_limit = TrialTimeLimit(trial_timeout, executor, clock)
        self._queue = deque(queue)
        # What waited before this search stays NEW when the search ends: the user put it there.
        self._given = {document["tid"] for document in self._queue}
        self._in_flight: dict[Tid, TrialDocument] = {}
        self._objective_seeds: dict[Tid, int] = {}  # of those in flight
        self._cancelled_for: dict[Tid, tuple[str, str]] = {}
        self._exhausted = False
        self._ledger = Ledger(log, self._callbacks)
        self._gate = InterruptGate(executor.wake)
        log.on_news(executor.wake)

    def run(self) -> str | None:
        """Searches until nothing is left to do, or a rule says stop.

        Returns:
            Why it stopped before ``max_evals``, or None.

        Raises:
            Exception: whatever the algorithm, the early stop or, where trials are not run
                asynchronously, the objective raises. Running trials are cancelled first, and
                results that came back are kept; so too on KeyboardInterrupt.
        """
        self._rules.begin(self._trials.best())
        with self._gate.guarding():
            try:
                reason = self._search()
                self._drop_queue()
                unfinished = bool(self._in_flight)
            finally:
                self._wind_down()
                self._ledger.drain()
            if self._ledger.error is not None:
                raise self._ledger.error
            if unfinished and reason is not None and reason.startswith("timeout"):
                self._require_executor()
            return reason

    def _search(self) -> str | None:
        while True:
            reason = self._rules.reason(self._clock())
            if reason is not None:
                return reason
            # Results first, then new trials: what may be stopped by a rule is not started.
            launched = self._launch()
            if not self._in_flight:
                if launched:  # and refused at once: their configurations cannot be evaluated
                    continue
                reason = self._why_idle()
                if reason is not None or not self._may_bring_more():
                    return reason
                self._wait_for_store()
                continue
            # While slots are free, events are looked at in passing only, so that the window fills.
            patience = 0.0 if launched and self._executor.free_slots() else self._patience()
            self._apply(self._executor.wait(patience))
            self._settle()
            # Here nothing is half done: all events are recorded, and no trial is on its way.
            self._gate.pass_held()
            self._enforce_time_limit()
            if self._ledger.error is not None:
                raise self._ledger.error

    def _why_idle(self) -> str | None:
        if self._exhausted:
            return "exhausted: the algorithm has nothing more to suggest"
        if not self._rules.may_start(self._clock()):
            return "timeout: no trial could end in the time left (deadline_margin=None goes on)"
        return None

    def _may_bring_more(self) -> bool:
        """Whether the store may give trials, though nothing of this search's is under way."""
        if self._queue or self._trials.is_full:
            return True
        if self._trials.expects_ids and len(self._trials.documents) < self._limit:
            return True
        # What others run counts, and is this search's when they are gone.
        return self._trials.is_shared and self._limit > sum(
            has_ended(document) for document in self._trials.documents
        )

    def _wait_for_store(self) -> None:
        patience = self._patience()
        if not self._trials.is_direct:
            with self._gate.opened():
                self._trials.wait(patience)
            patience = 0.0
        # Ends of trials that were given up, whose slots are free then.
        self._apply(self._executor.wait(patience))
        self._settle()
        if self._ledger.error is not None:
            raise self._ledger.error

    def _patience(self) -> float | None:
        """Seconds until a time limit may have passed; None if there is no limit."""
        limits = [self._rules.deadline, self._time_limit.next_look]
        soonest = min((limit for limit in limits if limit is not None), default=None)
        return None if soonest is None else max(0.0, soonest - self._clock())

    # --- launching

    def _launch(self) -> bool:
        """Submits what one question to the algorithm gives; whether anything was submitted."""
        free = self._executor.free_slots()
        if not free or self._trials.is_full or not self._rules.may_start(self._clock()):
            return False
        if not self._queue:
            self._ask(free)
        batch = [self._queue.popleft() for _ in range(min(free, len(self._queue)))]
        for document in batch:
            self._submit(document)
        return bool(batch)

    def _ask(self, free: int) -> None:
        # Trials that others have made meanwhile, on the same store, count too.
        self._trials.refresh()
        bounds = [
            int(self._arguments.max_queue_len),
            self._limit - len(self._trials.documents),
            self._suggestions.most_at_a_time(),
            # What waits in a queue could have been suggested later, by more results.
            free if self._asynchronous else None,
        ]
        n = min(bound for bound in bounds if bound is not None)
        if n <= 0 or self._exhausted:
            return
        # Ids come from the store, so that searches that share it never make the same one.
        limit = self._limit if self._limit < sys.maxsize else None
        tids = self._trials.allocate(n, limit)
        if not tids:
            return
        with self._gate.opened():  # somebody's algorithm may take its time
            documents = self._suggestions.next(tids, self._seeds.of_suggestion(tids[0]))
        if not documents:
            self._exhausted = True
            return
        self._trials.insert_own(documents)
        self._queue.extend(documents)

    def _submit(self, document: TrialDocument) -> None:
        tid = document["tid"]
        # Before the space is evaluated, which may draw noise with it.
        seed = self._objective_seeds[tid] = self._seeds.of_objective(tid)
        self._in_flight[tid] = document
        try:
            argument = self._domain.argument(document, seed)
        except Exception as error:  # whatever the user's expressions and functions raise
            self._refuse(document, error)
            return
        self._executor.submit(Submission(tid, argument, describe(document), seed))
        self._time_limit.watch(tid)

    def _refuse(self, document: TrialDocument, error: Exception) -> None:
        """Records a trial whose configuration cannot be evaluated; raises what ends the search."""
        tid = document["tid"]
        text = "".join(traceback.format_exception(error))
        advance(document, JOB_STATE_RUNNING)
        kind = FailureKind.ARGUMENT
        failed = Failed(tid, kind, type(error).__name__, str(error), text, exception=error)
        ended = self._record(failed)
        if ended is not None:
            raise ended
        self._rules.after(document)

    # --- events

    def _apply(self, events: list[Event]) -> None:
        """Records events, and raises what one of them ends the search with."""
        waiting = deque(events)
        try:
            while waiting:
                event = waiting.popleft()
                document = self._in_flight.get(event.tid)
                # The document as it was: `_record` takes ended trials out of flight.
                error = self._record(event)
                if error is not None:
                    raise error
                if document is not None and has_ended(document):
                    self._rules.after(document)
        finally:
            # Nothing that came back is lost because something before it went wrong.
            for event in waiting:
                self._record(event)

    def _record(self, event: Event) -> BaseException | None:
        """Moves the event's trial on; the exception that should end the search, if any."""
        document = self._in_flight.get(event.tid)
        # Executors deliver one end for each trial, but a trial may have been given up before.
        if document is None:
            return None
        match event:
            case SlotChanged(_, waits):
                self._callbacks.each(lambda callback: callback.on_slot_change(document, waits))
                return None
            case Injected(_, documents):
                self._insert_injected(cast(Sequence[TrialDocument], documents))
                return None
            case Attached(tid, name, content):
                kept = content if isinstance(content, bytes) else FromFile(content)
                self._trials.attach(tid, {name: kept})
                return None
            case Checkpointed(_, result):
                document["result"], document["refresh_time"] = dict(result), utcnow()
                self._ledger.write(document)
                return None
            case Started():
                advance(document, JOB_STATE_RUNNING)
                self._ledger.write(document, lambda told, shown: told.on_trial_start(shown))
                return None
        # All other events end the trial; mypy knows that no kind is left over.
        del self._in_flight[event.tid]
        return self._end(document, event)

    def _insert_injected(self, documents: Sequence[TrialDocument]) -> None:
        for document in documents:
            self._trials.note_space(document)
        self._trials.insert(documents)

    def _end(
        self, document: TrialDocument, event: Finished | Failed | Cancelled
    ) -> BaseException | None:
        error: BaseException | None = None
        match event:
            case Finished():
                error = self._finish(document, event)
            case Failed():
                error = self._fail(document, event)
            case Cancelled(tid):
                advance(document, JOB_STATE_CANCEL, error=self._cancelled_for.pop(tid, None))
        self._objective_seeds.pop(event.tid, None)
        self._ledger.write(document, lambda told, shown: told.on_trial_end(shown))
        return error

    def _settle(self) -> None:
        """Goes on without trials that are somebody else's, and with those that are nobody's."""
        self._ledger.settle()
        lost = self._ledger.take_lost()
        for tid in lost:
            self._in_flight.pop(tid, None)
        if lost:
            self._executor.cancel(lost)
        claimed = [d for d in self._ledger.take_claimed() if d["tid"] not in self._in_flight]
        self._given.update(document["tid"] for document in claimed)
        self._queue.extend(fitting_queue(self._trials, claimed))

    def _finish(self, document: TrialDocument, event: Finished) -> BaseException | None:
        try:
            result = normalise_result(event.value)
        except (errors.InvalidLoss, errors.InvalidResultStatus) as error:
            failed = Failed(
                event.tid,
                FailureKind.RESULT,
                type(error).__name__,
                str(error),
                "",
                event.execution,
                error,
            )
            return self._fail(document, failed, type(event.value).__qualname__)
        # Large values belong beside the documents, which are read and written whole.
        attachments = result.pop("attachments", None)
        if attachments:
            self._trials.attach(document["tid"], attachments)
        advance(document, JOB_STATE_DONE, result=result, execution=self._execution(event))
        self._same_failure.succeeded()
        return None

    def _execution(self, event: Finished | Failed) -> dict[str, object] | None:
        """What ``misc["execution"]`` is to hold; None where nothing is known of it."""
        if event.execution is None:
            return None
        return {**vars(event.execution), "seed": self._objective_seeds[event.tid]}

    def _fail(
        self, document: TrialDocument, event: Failed, returned: str = ""
    ) -> BaseException | None:
        """Records the failure; the exception that ends the search for it, if it does.

        ``returned`` is the type of what the objective returned, where that is no result.
        """
        advance(
            document,
            JOB_STATE_ERROR,
            error=(event.error_type, event.traceback or event.message),
            execution=self._execution(event),
        )
        if event.kind in _HOPELESS:
            return _HOPELESS[event.kind](event.message)
        if self._arguments.catch_eval_exceptions or event.kind is FailureKind.JOB_CANCELLED:
            return None
        # A serial search is somebody's debugger: it stops where the objective raised.
        if not self._asynchronous and event.exception is not None:
            return event.exception
        return self._same_failure.failed(event, returned)

    def _enforce_time_limit(self) -> None:
        for tid, elapsed in self._time_limit.overdue(self._in_flight):
            # Noted now, recorded when the trial has ended: a result may still arrive, and counts.
            self._cancelled_for[tid] = (
                errors.TrialTimeout.__name__,
                f"cancelled after {elapsed:.1f} s: "
                f"trial_timeout is {self._time_limit.seconds:g} s",
            )
            self._executor.cancel([tid])

    # --- the end

    def _drop_queue(self) -> None:
        """Cancels suggestions that were never started.

        Not after an exception, and not what was NEW before: the next search starts that.
        """
        for document in self._queue:
            if document["tid"] not in self._given:
                self._end(document, Cancelled(document["tid"]))
        self._queue.clear()

    def _wind_down(self) -> None:
        """Cancels what runs, keeps every result that still arrives, leaves no trial RUNNING."""
        end = self._clock() + GRACE
        try:
            while self._in_flight and self._clock() < end:
                # Again and again: a cancel that comes before the job exists hits nothing.
                self._executor.cancel(list(self._in_flight))
                for event in self._executor.wait(min(_CANCEL_AGAIN, end - self._clock())):
                    self._record(event)
        finally:  # a second Ctrl-C too
            # Those that could not be stopped in time are given up, and recorded as cancelled.
            for tid in list(self._in_flight):
                self._record(Cancelled(tid))

    def _require_executor(self) -> None:
        """Checks, after a timeout, that it was not the end of what runs the trials.

        A client that tries to reach its server again may outlast the search.
        """
        with self._gate.opened():  # it may wait for an answer
            why = self._executor.why_gone()
        if why:
            raise _HOPELESS[FailureKind.SESSION_GONE](why)


def describe(document: TrialDocument) -> str:
    """Returns a trial in one line, e.g. for the Spark UI: ``trial 7: lr=0.01, clf=1``."""
    values = ", ".join(
        f"{label}={value:.6g}" if isinstance(value, float) else f"{label}={value}"
        for label, value in configuration_of(document).items()
    )
    return f"trial {document['tid']}: {values}"
