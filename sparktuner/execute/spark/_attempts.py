"""Which trials are run again, and what becomes known of the attempts that came to nothing."""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta

from sparktuner.execute._protocol import (
    EarlierAttempt,
    Execution,
    Failed,
    Finished,
    Submission,
)
from sparktuner.execute.spark._transport import JobFailed
from sparktuner.status import FailureKind

# As often as Spark itself would by default (spark.task.maxFailures is 4).
_MAX_LOSSES = 3


class Attempts:
    """A count of the attempts to run one trial, and of those that it has left.

    A trial whose Python worker died is run again ``max_retries`` times. An executor or a host
    that was lost is not charged to the trial, and has Spark's own limit. What the objective
    raised, and a result that cannot travel, are outcomes, and no reason to run it again.
    """

    def __init__(self, max_retries: int) -> None:
        """Begins the first attempt.

        Args:
            max_retries: how often the trial is run again whose Python worker died.
        """
        self._retries_left = max_retries
        self._losses_left = _MAX_LOSSES
        self._earlier: list[EarlierAttempt] = []
        self._began = time.monotonic()

    @property
    def number(self) -> int:
        """The number of attempts that came to nothing: 0 during the first one."""
        return len(self._earlier)

    def may_retry_after(self, failure: JobFailed) -> bool:
        """Notes how an attempt came to nothing and returns whether there may be another one."""
        if failure.kind is not FailureKind.WORKER_DIED:
            return False
        left = self._losses_left if failure.is_lost else self._retries_left
        if left <= 0:
            return False
        if failure.is_lost:
            self._losses_left -= 1
        else:
            self._retries_left -= 1
        # No worker is left to tell how long it ran: this includes the wait for a slot.
        now = time.monotonic()
        self._earlier.append(
            {"host": failure.host, "duration": now - self._began, "reason": failure.message}
        )
        self._began = now
        return True

    def annotate(self, event: Finished | Failed) -> Finished | Failed:
        """Returns the trial's end with what is known of the attempts before it."""
        if not self._earlier or event.execution is None:
            return event
        execution = dataclasses.replace(
            event.execution, attempt=len(self._earlier), earlier=self._earlier
        )
        return dataclasses.replace(event, execution=execution)

    def failed(self, submission: Submission, failure: JobFailed) -> Failed:
        """Returns the end of a trial whose last attempt brought no outcome either."""
        execution = None
        if failure.kind is FailureKind.WORKER_DIED:
            before = sum(attempt["duration"] for attempt in self._earlier)
            execution = Execution(
                host=failure.host,
                executor="",
                pid=0,
                attempt=len(self._earlier),
                started=submission.submitted + timedelta(seconds=before),
                duration=time.monotonic() - self._began,
                queue_time=0.0,
                earlier=self._earlier,
            )
        return Failed(
            submission.tid,
            failure.kind,
            failure.error_type,
            failure.message,
            failure.traceback,
            execution,
        )
