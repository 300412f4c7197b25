"""Trials as RDD jobs on a real local session, beyond the contract."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sparktuner.execute import Cancelled, Ended, Failed, Finished, Submission
from sparktuner.execute.spark import (
    Slots,
    SparkExecutor,
    make_executor,
    make_thread_executor,
    trial_jobs,
)
from tests.waiting import PATIENCE, closing_all, wait_until

pytestmark = pytest.mark.spark


@pytest.fixture
def opened(spark: Any) -> Iterator[Callable[..., SparkExecutor]]:
    with closing_all(lambda objective, slots=4: make_executor(spark, objective, slots)) as make:
        yield make


def run(executor: SparkExecutor, arguments: list[Any]) -> dict[int, Any]:
    """Submit all as slots get free; return the last events by tid."""
    waiting = list(enumerate(arguments))
    ended: dict[int, Any] = {}
    while len(ended) < len(arguments):
        while waiting and executor.free_slots():
            tid, argument = waiting.pop(0)
            executor.submit(Submission(tid, argument, f"trial {tid}: {argument}"))
        ended |= {e.tid: e for e in executor.wait(PATIENCE) if isinstance(e, Ended)}
    return ended


def job_of(spark: Any, tag: str) -> Any:
    """The status of the newest job with this tag, as the UI shows it."""
    scala = spark.sparkContext._jsc.sc()
    wait_until(lambda: list(scala.statusTracker().getJobIdsForTag(tag)))
    return scala.statusStore().job(max(scala.statusTracker().getJobIdsForTag(tag)))


def test_workers_are_reused_and_unpickle_the_objective_once_each(
    opened: Any, tmp_path: Any
) -> None:
    folder = str(tmp_path)

    class Counted:
        def __init__(self, folder: str) -> None:
            self.folder = folder

        def __setstate__(self, state: Any) -> None:
            self.__dict__.update(state)
            with open(os.path.join(self.folder, f"{os.getpid()}"), "a") as file:
                file.write("x")

        def __call__(self, config: Any) -> int:
            time.sleep(0.05)
            return os.getpid()

    executor = opened(Counted(folder))
    pids = {event.value for event in run(executor, [0] * 24).values()}
    assert len(pids) <= 4
    unpickled = {name: (tmp_path / name).read_text() for name in os.listdir(folder)}
    assert unpickled == {str(pid): "x" for pid in pids}


def test_workers_are_spared_collecting_what_was_there_before_the_trials(opened: Any) -> None:
    def frozen(config: Any) -> int:
        return gc.get_freeze_count()

    executor = opened(frozen, 1)
    ended = run(executor, [0, 1, 2, 3])
    assert max(event.value for event in ended.values()) > 1000


def test_a_user_s_broadcast_variable_can_be_used_in_the_objective(spark: Any, opened: Any) -> None:
    table = spark.sparkContext.broadcast({"a": 41})
    event = run(opened(lambda config: table.value["a"] + config), [1])[0]
    assert event.value == 42


def test_large_arguments_and_results_travel(opened: Any) -> None:
    event = run(opened(lambda config: config * 2), [b"x" * 3_000_000])[0]
    assert event.value == b"x" * 6_000_000


def test_the_ui_shows_the_trial_s_description_and_its_tag(spark: Any, opened: Any) -> None:
    executor = opened(lambda config: config)
    run(executor, ["lr=0.1"])
    job = job_of(spark, executor.tag(0))
    assert job.description().get() == "trial 0: lr=0.1"


def test_local_properties_of_the_maker_are_inherited_and_stay_as_they_are(
    spark: Any, opened: Any
) -> None:
    context = spark.sparkContext
    context.setLocalProperty("spark.scheduler.pool", "mine")
    context.setJobGroup("my-group", "my description")
    context.addJobTag("my-tag")
    try:
        executor = opened(_pool_and_group())
        event = run(executor, [0])[0]
        assert event.value == ("mine", "my-group")
        assert executor.tag(0) not in context.getJobTags()
        assert context.getLocalProperty("spark.job.description") == "my description"
        assert job_of(spark, "my-tag").description().get() == "trial 0: 0"
    finally:
        context.removeJobTag("my-tag")
        for name in ("spark.scheduler.pool", "spark.jobGroup.id", "spark.job.description"):
            context.setLocalProperty(name, None)


def _pool_and_group() -> Callable[[Any], Any]:
    def objective(config: Any) -> Any:
        from pyspark import TaskContext

        context: Any = TaskContext.get()
        names = ("spark.scheduler.pool", "spark.jobGroup.id")
        return tuple(context.getLocalProperty(name) for name in names)

    return objective


def test_ctrl_c_spares_other_jobs_while_the_objective_is_shipped_too(spark: Any) -> None:
    theirs = signal.getsignal(signal.SIGINT)
    assert theirs is not signal.default_int_handler
    seen: list[Any] = []

    class Data:
        def __reduce__(self) -> Any:
            seen.append(signal.getsignal(signal.SIGINT))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_executor(spark, partial(max, Data()))
    assert seen == [signal.default_int_handler]
    assert signal.getsignal(signal.SIGINT) is theirs


def test_ctrl_c_in_a_call_to_the_jvm_leaves_the_maker_its_job_group(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = spark.sparkContext

    def interrupted(*args: Any) -> Any:
        # py4j answers an interrupt with a new connection, which is a new thread in the JVM.
        context._jsc.sc().setLocalProperties(spark._jvm.java.util.Properties())
        raise KeyboardInterrupt

    context.setLocalProperty("spark.jobGroup.id", "mine")
    monkeypatch.setattr(context, "broadcast", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            make_executor(spark, abs)
        assert context.getLocalProperty("spark.jobGroup.id") == "mine"
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)


def test_cancelling_a_trial_leaves_a_job_of_the_user_alone(spark: Any, opened: Any) -> None:
    context = spark.sparkContext
    outcome: list[Any] = []

    def users_job() -> None:
        context.setJobGroup("user", "the user's own job")

        def slow(x: int) -> int:
            time.sleep(2.0)
            return x + 1

        outcome.extend(context.parallelize([1], 1).map(slow).collect())

    executor = opened(time.sleep)
    thread = threading.Thread(target=users_job)
    thread.start()
    executor.submit(Submission(0, 600))
    while executor.elapsed(0) is None:
        executor.wait(0.05)
    executor.cancel([0])
    assert executor.wait(PATIENCE)[-1] == Cancelled(0)
    executor.close()
    thread.join(PATIENCE)
    assert outcome == [2]


def test_two_executors_on_one_session_do_not_disturb_each_other(opened: Any) -> None:
    first = opened(time.sleep, 2)
    second = opened(lambda config: (time.sleep(0.5), "second")[1], 2)
    for tid in (0, 1):
        first.submit(Submission(tid, 600))
        second.submit(Submission(tid, None))
    while first.elapsed(0) is None:
        first.wait(0.05)
    first.close()
    ended: list[Any] = []
    while len(ended) < 2:
        ended += [e for e in second.wait(PATIENCE) if isinstance(e, Ended)]
    assert [event.value for event in ended] == ["second", "second"]


def test_a_trial_that_waits_for_a_slot_has_no_elapsed_time(opened: Any, tmp_path: Path) -> None:
    release = str(tmp_path / "release")

    def hold(config: Any) -> None:
        while not os.path.exists(release):
            time.sleep(0.02)

    executor = opened(hold, 6)  # on 4 slots
    submitted = time.monotonic()
    for tid in range(6):
        executor.submit(Submission(tid, None))
    deadline = submitted + PATIENCE
    while sum(executor.elapsed(tid) is not None for tid in range(6)) < 4:
        assert time.monotonic() < deadline
        executor.wait(0.2)
    assert [executor.elapsed(tid) for tid in range(6)].count(None) == 2
    held = time.monotonic() - submitted
    Path(release).touch()
    ended: list[Finished] = []
    while len(ended) < 6:
        ended += [e for e in executor.wait(PATIENCE) if isinstance(e, Finished)]
    waited = sorted(event.execution.queue_time for event in ended)
    assert waited[4] > held - 0.1  # those two; the first four waited for their workers only


def test_the_broadcast_is_gone_after_close(spark: Any) -> None:
    folder = spark.sparkContext._temp_dir
    before = set(os.listdir(folder))
    executor = make_executor(spark, lambda config: config, 1)
    run(executor, [1])
    assert set(os.listdir(folder)) - before
    executor.close()
    assert set(os.listdir(folder)) == before
    broadcast = executor._transport._broadcast._jbroadcast  # type: ignore[attr-defined]
    assert not broadcast.isValid()


def test_connections_to_the_jvm_end_with_their_threads(spark: Any) -> None:
    connections = spark.sparkContext._gateway._gateway_client.deque
    with make_executor(spark, lambda config: time.sleep(0.2), 4) as executor:
        run(executor, [0] * 4)
        during = len(connections)
    after = len(connections)
    assert after <= during - 4


def test_the_number_of_slots_is_that_of_the_session(spark: Any, opened: Any) -> None:
    assert Slots(spark).count() == 4
    assert opened(abs, None).parallelism == 4


def test_a_trial_s_own_spark_jobs_carry_its_pool_tag_and_description(spark: Any) -> None:
    context = spark.sparkContext
    context.setLocalProperty("spark.job.description", "outside")
    jobs = trial_jobs(spark)
    seen: dict[str, Any] = {}

    def work() -> None:
        with jobs.around(3, "trial 3"):
            seen["tags"] = set(context.getJobTags())
            seen["pool"] = context.getLocalProperty("spark.scheduler.pool")
            seen["sum"] = spark.range(10).count()
        pool = context.getLocalProperty("spark.scheduler.pool")
        seen["after"] = set(context.getJobTags()), pool

    thread = threading.Thread(target=work, name="thread-1")
    thread.start()
    thread.join(PATIENCE)
    context.setLocalProperty("spark.job.description", None)
    assert seen == {
        "tags": {jobs.tag(3)},
        "pool": "thread-1",
        "sum": 10,
        "after": (set(), None),
    }
    assert job_of(spark, jobs.tag(3)).description().get() == "trial 3"


def test_objectives_that_use_spark_run_side_by_side_in_pools_of_their_own(spark: Any) -> None:
    context = spark.sparkContext

    both = threading.Barrier(2, timeout=PATIENCE)

    def objective(n: int) -> Any:
        both.wait()
        return spark.range(n).count(), context.getLocalProperty("spark.scheduler.pool")

    with make_thread_executor(spark, objective, 2) as executor:
        executor.submit(Submission(0, 10, "trial 0"))
        executor.submit(Submission(1, 20, "trial 1"))
        ended: dict[Any, Any] = {}
        while len(ended) < 2:
            ended |= {e.tid: e.value for e in executor.wait(PATIENCE) if isinstance(e, Finished)}
    assert {tid: count for tid, (count, _) in ended.items()} == {0: 10, 1: 20}
    pools = {pool for _, pool in ended.values()}
    assert pools == {"sparktuner-trial-0", "sparktuner-trial-1"}


def test_cancelling_a_scope_ends_the_jobs_of_that_trial_only(spark: Any) -> None:
    context = spark.sparkContext
    jobs = trial_jobs(spark)
    outcome: dict[int, Any] = {}

    def work(tid: int, seconds: float) -> None:
        def slow(x: int) -> int:
            time.sleep(seconds)
            return x

        with jobs.around(tid, ""):
            try:
                outcome[tid] = context.parallelize([tid], 1).map(slow).collect()
            except Exception as error:
                outcome[tid] = error

    threads = [threading.Thread(target=work, args=a) for a in ((0, 600), (1, 2.0))]
    for thread in threads:
        thread.start()
    job_of(spark, jobs.tag(0)), job_of(spark, jobs.tag(1))
    jobs.cancel([0])
    for thread in threads:
        thread.join(PATIENCE)
    assert "cancelled" in str(outcome[0])
    assert outcome[1] == [1]


def test_an_unpickled_copy_is_shared_by_trials_but_arguments_are_their_own(opened: Any) -> None:
    def objective(config: Any) -> Any:
        config["x"] += 1
        return config["x"]

    argument = {"x": 1}
    ended = run(opened(objective), [argument, argument, argument])
    assert [event.value for event in ended.values()] == [2, 2, 2]
    assert argument == {"x": 1}


def test_an_objective_that_fails_says_so_with_the_remote_traceback(opened: Any) -> None:
    def inner(config: Any) -> float:
        raise LookupError(f"no {config}")

    def objective(config: Any) -> float:
        return inner(config)

    event = run(opened(objective), ["data"])[0]
    assert isinstance(event, Failed)
    assert (event.error_type, event.message) == ("LookupError", "no data")
    assert "in inner" in event.traceback
    assert "in objective" in event.traceback
    assert "pyspark" not in event.traceback
    assert event.execution is not None
    assert event.execution.pid != os.getpid()
