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


def test_a_trial_that_exceeds_its_worker_s_memory_fails_alone() -> None:
    answer = in_new_process(
        """
from sparktuner import SparkTrials, fmin, hp
with local_spark(2, **{"spark.executor.pyspark.memory": "400m"}) as spark:
    trials = SparkTrials(1, spark_session=spark)
    points = [{"size": 1}, {"size": 2 * 10**9}, {"size": 2}]
    fmin(
        lambda size: len(bytearray(int(size))), hp.quniform("size", 1, 2 * 10**9, 1), max_evals=1,
        points_to_evaluate=points, trials=trials, verbose=False,
    )
    for document in trials.all_trials[:3]:
        execution = document["misc"]["execution"]
        print("OUT", document["result"].get("loss"), document["misc"].get("error", "")[:1],
              execution["attempt"])
"""
    )
    told = [line for line in answer.stdout.splitlines() if line.startswith("OUT")]
    assert told == ["OUT 1.0  0", "OUT None ('MemoryError',) 0", "OUT 2.0  0"], answer.stderr
