"""What real faults leave behind on Spark Classic: each trial ends, and the run can go on."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktuner.errors import UnpicklableObjective
from sparktuner.execute import Failed, Finished, Started
from sparktuner.execute.spark import SparkExecutor, make_executor
from tests.new_process import in_new_process

pytestmark = pytest.mark.spark
PATIENCE = 60.0


@pytest.fixture
def opened(spark: Any) -> Iterator[Callable[..., SparkExecutor]]:
    executors: list[SparkExecutor] = []

    def make(objective: Callable[[Any], Any], parallelism: int = 4) -> SparkExecutor:
        executors.append(make_executor(spark, objective, parallelism))
        return executors[-1]

    yield make
    for executor in executors:
        executor.close()


def last_events(executor: SparkExecutor, count: int) -> dict[Any, Any]:
    ended: dict[Any, Any] = {}
    deadline = time.monotonic() + PATIENCE
    while len(ended) < count:
        assert time.monotonic() < deadline
        ended |= {e.tid: e for e in executor.wait(1.0) if not isinstance(e, Started)}
    return ended


def die(how: str) -> None:
    if how == "exit":
        os._exit(1)
    if how == "exit 0":
        os._exit(0)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segfault":
        ctypes.string_at(0)


die.__module__ = "__main__"  # shipped by value: workers cannot import this file


@pytest.mark.parametrize("how", ["exit", "exit 0", "kill", "segfault"])
def test_a_trial_whose_worker_dies_twice_fails_and_takes_no_other_with_it(
    opened: Any, tmp_path: Path, how: str
) -> None:
    log, mortal = str(tmp_path / "log"), die

    def objective(config: Any) -> int:
        with open(log, "a") as file:
            file.write(f"{config['n']}\n")
        if config["die"]:
            while os.path.getsize(log) < len("0\n1\n2\n3\n"):  # until the others run
                time.sleep(0.01)
            mortal(how)
        time.sleep(1.0)
        return int(config["n"])

    executor = opened(objective)
    for n in range(4):
        executor.submit(n, {"n": n, "die": n == 2})
    ended = last_events(executor, 4)
    event = ended.pop(2)
    assert isinstance(event, Failed)
    assert event.error_type == "WorkerDied"
    assert "Python worker exited unexpectedly" in event.message
    assert "\tat org.apache" not in event.message
    assert sorted(e.value for e in ended.values() if isinstance(e, Finished)) == [0, 1, 3]
    assert sorted(Path(log).read_text().split()) == ["0", "1", "2", "2", "3"]
    assert event.execution is not None
    assert event.execution.attempt == 1
    assert event.execution.host
    (earlier,) = event.execution.earlier
    assert earlier["host"] == event.execution.host
    assert earlier["duration"] > 0
    assert "Python worker exited unexpectedly" in earlier["reason"]
    executor.submit(9, {"n": 9, "die": False})
    assert isinstance(last_events(executor, 1)[9], Finished)


def test_a_trial_whose_worker_dies_once_is_run_again_and_says_so(
    spark: Any, opened: Any, tmp_path: Path
) -> None:
    marker = str(tmp_path / "marker")

    def objective(config: Any) -> int:
        if not os.path.exists(marker):
            open(marker, "w").close()
            os._exit(1)
        return 1

    executor = opened(objective)
    executor.submit(0, None)
    event = last_events(executor, 1)[0]
    assert isinstance(event, Finished)
    assert (event.execution.attempt, len(event.execution.earlier)) == (1, 1)


def test_without_retries_a_trial_whose_worker_dies_is_one_run(spark: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def objective(config: Any) -> None:
        with log.open("a") as file:
            file.write("x")
        os._exit(1)

    with make_executor(spark, objective, 1, max_retries=0) as executor:
        executor.submit(0, None)
        assert last_events(executor, 1)[0].error_type == "WorkerDied"
    assert log.read_text() == "x"


def test_an_objective_that_raises_is_one_run(opened: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def objective(config: Any) -> None:
        with log.open("a") as file:
            file.write("x")
        raise ValueError

    executor = opened(objective)
    executor.submit(0, None)
    assert last_events(executor, 1)[0].error_type == "ValueError"
    assert log.read_text() == "x"


def test_a_result_that_cannot_be_pickled_is_one_run_and_names_the_field(
    opened: Any, tmp_path: Path
) -> None:
    log = str(tmp_path / "log")

    def objective(config: Any) -> Any:
        with open(log, "a") as file:
            file.write("run\n")
        return {"loss": 0.0, "status": "ok", "model": {"lock": threading.Lock()}}

    executor = opened(objective)
    executor.submit(0, {})
    event = last_events(executor, 1)[0]
    assert isinstance(event, Failed)
    assert event.error_type == "UnpicklableResult"
    assert "result['model']['lock'] is a _thread.lock" in event.message
    assert Path(log).read_text() == "run\n"
    assert event.execution is not None


def test_an_objective_that_cannot_be_pickled_is_refused_and_named(spark: Any) -> None:
    lock = threading.Lock()
    with pytest.raises(UnpicklableObjective, match=r"it uses variable 'lock', a _thread\.lock"):
        make_executor(spark, lambda config: lock, 1)


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


def test_an_objective_whose_module_is_missing_on_the_workers_names_it(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_on_the_driver.py").write_text("def objective(config):\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_on_the_driver  # type: ignore[import-not-found]

    executor = opened(only_on_the_driver.objective)
    executor.submit(0, {})
    event = last_events(executor, 1)[0]
    assert event.error_type == "WorkersNotReady"
    assert "ModuleNotFoundError" in event.message
    assert "No module named 'only_on_the_driver'" in event.message
    assert "could not be unpickled on the worker" in event.message


def test_a_job_that_somebody_else_cancels_fails_its_trial(spark: Any, opened: Any) -> None:
    executor = opened(lambda config: time.sleep(600))
    executor.submit(0, {})
    deadline = time.monotonic() + PATIENCE
    while executor.elapsed(0) is None:
        assert time.monotonic() < deadline
        executor.wait(0.02)
    spark.sparkContext.cancelJobsWithTag(executor.tag(0))
    event = last_events(executor, 1)[0]
    assert isinstance(event, Failed)
    assert event.error_type == "JobCancelled"
    assert "was cancelled" in event.message


@pytest.mark.parametrize("end", ["spark.stop()", "os.kill(jvm, signal.SIGKILL)"])
def test_a_session_that_ends_in_mid_run_fails_every_trial_in_flight(end: str) -> None:
    answer = in_new_process(
        f"""
with local_spark(2) as spark:
    jvm = spark.sparkContext._gateway.proc.pid
    executor = start_two(spark)
    {end}
    start = time.monotonic()
    for tid, event in sorted(last_events(executor, 2).items()):
        print(tid, event.error_type, "results that came back are kept" in event.message.lower())
    executor.close()
    print(time.monotonic() - start < 15.0)
    print([t.name for t in threading.enumerate() if "sparktuner" in t.name])
    for use in (active_session, lambda stopped: make_executor(stopped, abs, 1)):
        try:
            use(spark)
        except Exception as error:
            print(type(error).__name__, "SparkSession was stopped" in str(error))
    os._exit(0)
"""
    )
    assert answer.stdout.splitlines() == [
        "1 SparkUnavailable True",
        "2 SparkUnavailable True",
        "True",
        "[]",
        "SparkUnavailable True",
        "SparkUnavailable True",
    ], answer.stderr


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


def test_a_worker_is_tried_again_once_at_most_however_often_spark_would(tmp_path: Path) -> None:
    log = tmp_path / "log"
    answer = in_new_process(
        f"""
with local_spark("local[2,4]") as spark:  # 4 attempts, as on a cluster
    def dies(config):
        with open({str(log)!r}, "a") as file:
            file.write("x")
        os._exit(1)
    executor = make_executor(spark, dies, 2)
    executor.submit(0, None)
    event = last_events(executor, 1)[0]
    print(event.error_type)
    print(event.message)
    executor.close()
"""
    )
    first, second = answer.stdout.splitlines()
    assert first == "WorkerDied"
    assert "Python worker exited unexpectedly" in second
    assert log.read_text() == "xx"
