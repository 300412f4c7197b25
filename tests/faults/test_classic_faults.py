"""Faults that only Spark Classic has, beside those of ``test_matrix.py``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sparktuner.errors import UnpicklableObjective
from sparktuner.execute import Failed, Submission
from sparktuner.execute.spark import SparkExecutor, make_executor
from tests.new_process import in_new_process
from tests.waiting import closing_all, last_events, wait_until_running

pytestmark = pytest.mark.spark


@pytest.fixture
def opened(spark: Any) -> Iterator[Callable[..., SparkExecutor]]:
    with closing_all(lambda objective, slots=4: make_executor(spark, objective, slots)) as make:
        yield make


def test_an_objective_that_holds_the_session_is_told_what_to_do(spark: Any) -> None:
    frame = spark.range(3)

    def with_session(config: Any) -> Any:
        return spark.range(3).count()

    def with_frame(config: Any) -> Any:
        return frame.count()

    for objective, name in ((with_session, "'spark'"), (with_frame, "'frame'")):
        with pytest.raises(UnpicklableObjective, match=f"variable {name}") as caught:
            make_executor(spark, objective, 1)
        assert "ThreadTrials" in str(caught.value)


def test_a_job_that_somebody_else_cancels_fails_its_trial(spark: Any, opened: Any) -> None:
    executor = opened(lambda config: time.sleep(600))
    executor.submit(Submission(0, {}))
    wait_until_running(executor, 0)
    spark.sparkContext.cancelJobsWithTag(executor.tag(0))
    event = last_events(executor, 1)[0]
    assert isinstance(event, Failed)
    assert event.error_type == "JobCancelled"
    assert "was cancelled" in event.message


def test_ctrl_c_cancels_no_job_but_the_trials() -> None:
    answer = in_new_process(
        """
with local_spark(4) as spark:
    context, outcome = spark.sparkContext, []
    def users_job():
        context.setJobGroup("user", "user")
        outcome.extend(context.parallelize([1], 1).map(lambda x: (time.sleep(3), x)[1]).collect())
    thread = threading.Thread(target=users_job)
    before = signal.getsignal(signal.SIGINT)
    executor = start_two(spark)
    thread.start()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        executor.wait(60)
        print("not interrupted")
    except KeyboardInterrupt:
        print("interrupted")
    executor.cancel([1, 2])
    start = time.monotonic()
    print(sorted(type(e).__name__ for e in last_events(executor, 2).values()))
    print(time.monotonic() - start < 1.0)
    executor.close()
    print(signal.getsignal(signal.SIGINT) is before)
    thread.join()
    print(outcome)
"""
    )
    assert answer.stdout.splitlines() == [
        "interrupted",
        "['Cancelled', 'Cancelled']",
        "True",
        "True",
        "[1]",
    ], answer.stderr
