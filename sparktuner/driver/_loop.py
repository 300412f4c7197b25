"""The driver's loop: the only code that moves trials on."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from sparktuner import errors
from sparktuner.domain import Domain
from sparktuner.driver._observers import Observer
from sparktuner.driver._options import SearchOptions, Seeds
from sparktuner.driver._reproducible import OrderedView
from sparktuner.driver._stopping import SameFailure, StopRules
from sparktuner.execute import (
    Cancelled,
    Ended,
    Event,
    Executor,
    Failed,
    Finished,
    Started,
    Submission,
)
from sparktuner.records import Document, advance, configuration_of, normalise_result
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    FailureKind,
)

# How long a search that ends waits for its cancelled trials before it goes on without them.
GRACE = 1.0
_CANCEL_AGAIN = 0.2


class Loop:
    """One search: keeps the executor's slots filled until a rule says stop.

    Waits on the executor's events only. All other work of it (suggesting, writing the
    documents, observers) happens between two waits, in the caller's thread.

    Args:
        trials: where documents are written; a :class:`sparktuner.Trials`.
        domain: the objective and its space.
        executor: runs the objective.
        options: the search's arguments.
        observers: called after each event.
        deadline: when the search's time is up, on ``clock``.
        clock: seconds, monotonic.
        most_queued: how many of the trials in state NEW to run; None: all.
    """

    def __init__(
        self,
        trials: Any,
        domain: Domain,
        executor: Executor,
        options: SearchOptions,
        observers: Sequence[Observer] = (),
        deadline: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        most_queued: int | None = None,
    ) -> None:
        self._trials = trials
        self._domain = domain
        self._executor = executor
        self._options = options
        trials.refresh()
        # len(trials) is without those that raised or were cancelled before, and
        # max_evals=len(trials) + 1 has to mean one more.
        self._limit = options.limit + len(trials._dynamic_trials) - len(trials)
        self._observers = observers
        self._clock = clock
        self._seeds = Seeds.from_rstate(options.rstate)
        self._rules = StopRules(
            deadline, options.loss_threshold, options.early_stop_fn, options.deadline_margin
        )
        window = executor.free_slots()
        self._ordered = OrderedView(trials, window) if options.reproducible else None
        self._same_failure = SameFailure(max(2, window))
        new = (t for t in trials._dynamic_trials if t["state"] == JOB_STATE_NEW)
        self._queue: deque[Document] = deque(islice(new, most_queued))
        self._given = {t["tid"] for t in self._queue}
        self._in_flight: dict[Any, Document] = {}
        self._trial_deadlines: list[tuple[float, Any]] = []
        self._cancelled_for: dict[Any, tuple[str, str]] = {}
        self._exhausted = False

    def run(self) -> str | None:
        """Search until nothing is left to do, or a rule says stop.

        Returns:
            Why it stopped before ``max_evals``, or None.

        Raises:
            Exception: whatever the algorithm, the early stop or, where trials are not run
                asynchronously, the objective raises. Running trials are cancelled first, and
                results that came back are kept; so too on KeyboardInterrupt.
        """
        try:
            reason = self._search()
            self._drop_queue()
            return reason
        finally:
            self._wind_down()
            self._trials.refresh()

    def _search(self) -> str | None:
        while True:
            reason = self._rules.reason(self._clock())
            if reason is not None:
                return reason
            launched = self._launch()
            if not self._in_flight:
                return self._why_idle()
            patience = 0.0 if launched and self._executor.free_slots() else self._patience()
            self._apply(self._executor.wait(patience))
            self._enforce_trial_timeout()

    def _why_idle(self) -> str | None:
        if self._exhausted:
            return "exhausted: the algorithm has nothing more to suggest"
        if not self._rules.may_start(self._clock()):
            return "timeout: no trial could end in the time left (deadline_margin=None goes on)"
        return None

    # --- launching

    def _launch(self) -> bool:
        """Submit what one question to the algorithm gives; whether anything was submitted."""
        free = self._executor.free_slots()
        if not free or not self._rules.may_start(self._clock()):
            return False
        if not self._queue:
            self._ask(free)
        batch = [self._queue.popleft() for _ in range(min(free, len(self._queue)))]
        for document in batch:
            self._submit(document)
        return bool(batch)

    def _ask(self, free: int) -> None:
        left = self._limit - len(self._trials._dynamic_trials)
        n = min(int(self._options.max_queue_len), left)
        if self._trials.asynchronous:
            # What waits in a queue could have been suggested later, by more results.
            n = min(n, free)
        if self._ordered is not None:
            n = min(n, 1) if self._ordered.is_ready() else 0
        if n <= 0 or self._exhausted:
            return
        tids = self._trials.new_trial_ids(n)
        self._trials.refresh()
        known = self._trials if self._ordered is None else self._ordered.trials()
        seed = self._seeds.of_trial(tids[0])
        documents = self._options.suggest(tids, self._domain, known, seed)
        if not documents:
            self._exhausted = True
            return
        self._trials.insert_trial_docs(documents)
        self._trials.refresh()
        self._queue.extend(documents)

    def _submit(self, document: Document) -> None:
        tid = document["tid"]
        argument = self._domain.argument(document)
        self._in_flight[tid] = document
        seed = self._seeds.of_objective(tid)
        self._executor.submit(Submission(tid, argument, describe(document), seed))
        if self._options.trial_timeout is not None:
            self._watch(tid, self._options.trial_timeout)

    # --- events

    def _apply(self, events: list[Event]) -> None:
        """Record events, and raise what one of them ends the search with."""
        waiting = deque(events)
        try:
            while waiting:
                event = waiting.popleft()
                document = self._in_flight.get(event.tid)
                error = self._record(event)
                if error is not None:
                    raise error
                if document is not None and isinstance(event, Ended):
                    self._rules.after(document, self._trials)
        finally:
            # Nothing that came back is lost because something before it went wrong.
            for event in waiting:
                self._record(event)

    def _record(self, event: Event) -> BaseException | None:
        """Move the event's trial on; the exception that should end the search, if any."""
        document = self._in_flight.get(event.tid)
        if document is None:
            return None
        if isinstance(event, Ended):
            del self._in_flight[event.tid]
        elif not isinstance(event, Started):  # news of its slot, none for the document
            self._notify(event, document)
            return None
        error: BaseException | None = None
        match event:
            case Started():
                advance(document, JOB_STATE_RUNNING)
            case Finished():
                error = self._finish(document, event)
            case Failed():
                error = self._fail(document, event)
            case Cancelled():
                why = self._cancelled_for.pop(event.tid, None)
                advance(document, JOB_STATE_CANCEL, error=why)
        self._trials.update_trial_doc(document)
        self._notify(event, document)
        return error

    def _notify(self, event: Event, document: Document) -> None:
        for observer in self._observers:
            observer.on_event(event, document)

    def _finish(self, document: Document, event: Finished) -> BaseException | None:
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
            return self._fail(document, failed)
        attachments = result.pop("attachments", None)
        if attachments:
            self._trials.trial_attachments(document).update(attachments)
        advance(document, JOB_STATE_DONE, result=result, execution=dict(vars(event.execution)))
        self._same_failure.succeeded()
        return None

    def _fail(self, document: Document, event: Failed) -> BaseException | None:
        """Record the failure; the exception that ends the search for it, if it does."""
        advance(
            document,
            JOB_STATE_ERROR,
            error=(event.error_type, event.traceback or event.message),
            execution=None if event.execution is None else dict(vars(event.execution)),
        )
        if event.kind is FailureKind.SESSION_GONE:
            return errors.SparkUnavailable(event.message)
        if event.kind is FailureKind.WORKERS_NOT_READY:
            return errors.WorkersNotReady(event.message)
        if self._options.catch_eval_exceptions or event.kind is FailureKind.JOB_CANCELLED:
            return None
        if not self._trials.asynchronous and event.exception is not None:
            return event.exception
        try:
            self._same_failure.failed(event)
        except errors.ObjectiveFailed as error:
            return error
        return None

    # --- time

    def _patience(self) -> float | None:
        """Seconds until a time limit may have passed; None if there is no limit."""
        limits = [self._rules.deadline] if self._rules.deadline is not None else []
        limits += [when for when, _ in self._trial_deadlines[:1]]
        return max(0.0, min(limits) - self._clock()) if limits else None

    def _watch(self, tid: Any, seconds: float) -> None:
        heapq.heappush(self._trial_deadlines, (self._clock() + seconds, tid))

    def _enforce_trial_timeout(self) -> None:
        limit = self._options.trial_timeout
        while limit is not None and self._trial_deadlines:
            when, tid = self._trial_deadlines[0]
            if when > self._clock():
                return
            heapq.heappop(self._trial_deadlines)
            if tid not in self._in_flight:
                continue
            # A trial that waited for a slot has been running for less than since its submission.
            elapsed = self._executor.elapsed(tid)
            left = limit - (elapsed or 0.0)
            if left > 0:
                self._watch(tid, left)
                continue
            self._cancelled_for[tid] = (
                errors.TrialTimeout.__name__,
                f"cancelled after {elapsed:.1f} s: trial_timeout is {limit:g} s",
            )
            self._executor.cancel([tid])
            self._watch(tid, _CANCEL_AGAIN)

    # --- the end

    def _drop_queue(self) -> None:
        """Cancel suggestions that were never started.

        Not after an exception, and not what was NEW before: the next search starts that.
        """
        for document in self._queue:
            if document["tid"] in self._given:
                continue
            advance(document, JOB_STATE_CANCEL)
            self._trials.update_trial_doc(document)
            self._notify(Cancelled(document["tid"]), document)
        self._queue.clear()

    def _wind_down(self) -> None:
        """Cancel what runs, keep every result that still arrives, and leave no trial RUNNING."""
        end = self._clock() + GRACE
        try:
            while self._in_flight and self._clock() < end:
                self._executor.cancel(list(self._in_flight))
                for event in self._executor.wait(min(_CANCEL_AGAIN, end - self._clock())):
                    self._record(event)
        finally:  # a second Ctrl-C too
            for tid in list(self._in_flight):
                self._record(Cancelled(tid))


def describe(document: Document) -> str:
    """A trial in one line, e.g. for the Spark UI: ``trial 7: lr=0.01, clf=1``."""
    values = ", ".join(
        f"{label}={value:.6g}" if isinstance(value, float) else f"{label}={value}"
        for label, value in configuration_of(document).items()
    )
    return f"trial {document['tid']}: {values}"
