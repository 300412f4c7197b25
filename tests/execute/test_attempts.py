"""Which trials are run again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sparktuner import SparkTrials
from sparktuner.execute import Ended, Failed, Finished, Started, Submission
from sparktuner.execute.spark import JobFailed, SparkExecutor
from sparktuner.execute.spark._failures import worker_died
from sparktuner.status import FailureKind
from tests.fake_transport import FakeTransport

CRASH = "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)"
LOSS = "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: killed"


class Flaky(FakeTransport):
    """Fails each trial with the given failures first, one after another."""

    def __init__(self, objective: Any, failures: list[JobFailed]) -> None:
        super().__init__(objective)
        self._left = failures
        self.runs = 0

    def run(self, task: bytes, tag: str, description: str) -> bytes:
        self.runs += 1
        if self._left:
            raise self._left.pop(0)
        return super().run(task, tag, description)


def outcome(transport: Flaky, max_retries: int = 1, submission: Submission | None = None) -> Any:
    with SparkExecutor(transport, 1, max_retries=max_retries) as executor:
        executor.submit(submission or Submission(0, 5))
        events: list[Any] = []
        while not events or not isinstance(events[-1], Ended):
            events += executor.wait(30)
        assert sum(isinstance(event, Started) for event in events) == 1
        return events[-1]


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_worker_that_keeps_dying_is_tried_again_as_often_as_allowed(retries: int) -> None:
    transport = Flaky(abs, [worker_died(CRASH, "h")] * 9)
    event = outcome(transport, retries)
    assert isinstance(event, Failed)
    assert event.error_type == "WorkerDied"
    assert event.kind is FailureKind.WORKER_DIED
    assert transport.runs == retries + 1
    assert event.execution is not None
    assert event.execution.attempt == len(event.execution.earlier) == retries


def test_a_last_attempt_that_dies_begins_when_the_one_before_it_ended() -> None:
    submission = Submission(0, 5)
    transport = Flaky(abs, [worker_died(CRASH, "h")] * 9)
    execution = outcome(transport, max_retries=2, submission=submission).execution
    before = sum(attempt["duration"] for attempt in execution.earlier)
    assert before > 0
    assert execution.started == submission.submitted + timedelta(seconds=before)


def test_a_lost_executor_is_not_charged_to_the_trial_but_has_a_limit() -> None:
    losses = [worker_died(LOSS, "a"), worker_died(LOSS, "b")]
    transport = Flaky(abs, [*losses, worker_died(CRASH, "c")])
    event = outcome(transport, max_retries=1)
    assert isinstance(event, Finished)
    assert event.value == 5
    assert event.execution.attempt == 3
    assert [attempt["host"] for attempt in event.execution.earlier] == ["a", "b", "c"]
    assert "was lost" in event.execution.earlier[0]["reason"]
    transport = Flaky(abs, [worker_died(LOSS)] * 9)
    assert isinstance(outcome(transport, max_retries=0), Failed)
    assert transport.runs == 4


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        (FailureKind.SESSION_GONE, "SparkUnavailable"),
        (FailureKind.JOB_CANCELLED, "JobCancelled"),
        (FailureKind.SPARK, "ModuleNotFoundError"),
    ],
)
def test_other_failures_of_the_job_are_no_reason_to_run_it_again(
    kind: FailureKind, error_type: str
) -> None:
    transport = Flaky(abs, [JobFailed(kind, "no", error_type=error_type)])
    event = outcome(transport)
    assert (event.kind, event.error_type) == (kind, error_type)
    assert transport.runs == 1


def test_an_objective_that_raises_is_run_once() -> None:
    transport = Flaky(lambda config: 1 / 0, [])
    assert outcome(transport).error_type == "ZeroDivisionError"
    assert transport.runs == 1


def test_a_negative_number_of_retries_is_refused() -> None:
    with pytest.raises(ValueError, match="max_trial_retries must be at least 0, got -1"):
        SparkTrials(max_trial_retries=-1)
