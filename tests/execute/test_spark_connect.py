"""What holds on Spark Connect beside the contract: shipping once, sessions left as they were."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktuner import SparkTrials, fmin, hp, rand
from sparktuner.execute import Cancelled, Finished, Submission
from sparktuner.execute.spark import Slots, SparkExecutor, make_executor, make_thread_executor
from sparktuner.execute.spark._environment import environment_of
from sparktuner.execute.spark.connect._session import SearchSession, attach
from tests.connect_server import IS_BROUGHT
from tests.new_process import in_new_process
from tests.waiting import closing_all, last_events, wait_until_running


@pytest.fixture
def opened(connect_spark: Any) -> Iterator[Callable[..., SparkExecutor]]:
    with closing_all(
        lambda objective, slots=2: make_executor(connect_spark, objective, slots)
    ) as make:
        yield make


def test_a_connect_session_is_known_by_itself_and_its_slots_are_counted(
    connect_spark: Any,
) -> None:
    environment = environment_of(connect_spark)
    assert environment.is_connect
    assert environment.in_driver
    assert Slots(connect_spark).count() == 4


def test_the_objective_is_unpickled_once_in_each_worker_process(
    opened: Any, tmp_path: Path
) -> None:
    log = str(tmp_path / "log")

    def unpickle() -> Any:
        with open(log, "a") as file:
            file.write(f"{os.getpid()}\n")
        return lambda config: os.getpid()

    class Objective:
        def __call__(self, config: Any) -> int:
            return os.getpid()

        def __reduce__(self) -> Any:
            return unpickle, ()

    executor = opened(Objective(), 1)
    ran_in: list[str] = []
    while len(ran_in) < 2 + len(set(ran_in)):  # the session's idle processes take turns
        assert len(ran_in) < 100
        executor.submit(Submission(len(ran_in), None))
        (event,) = last_events(executor, 1).values()
        assert isinstance(event, Finished)
        ran_in.append(str(event.value))
    unpickled_in = Path(log).read_text().split()
    assert len(unpickled_in) == len(set(unpickled_in))
    assert set(ran_in) <= set(unpickled_in)


def test_an_objective_larger_than_a_grpc_message_is_shipped_and_leaves_no_file(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = os.urandom(140 * 2**20)  # the server takes messages of 128 MB
    executor = opened(lambda config: len(data))
    assert list(tmp_path.iterdir()) == []
    executor.submit(Submission(0, None))
    assert last_events(executor, 1)[0].value == len(data)


def test_large_arguments_and_results_travel(opened: Any) -> None:
    executor = opened(lambda config: config * 2)
    executor.submit(Submission(0, b"x" * 2**22))
    assert len(last_events(executor, 1)[0].value) == 2**23


def test_to_collect_a_search_s_session_closes_nothing(connect_spark: Any) -> None:
    # The collector may do so in the midst of another operation of pyspark's.
    own = attach(connect_spark)
    assert not own.is_shared
    own.session.__del__()
    assert environment_of(own.session).is_connect
    own.close(server_is_gone=False)
    with pytest.raises(Exception, match="closed|No active"):
        own.session.range(1).count()


def test_the_user_s_session_is_left_as_it_was(connect_spark: Any, opened: Any) -> None:
    connect_spark.addTag("mine")
    try:
        executor = opened(lambda config: config)
        executor.submit(Submission(0, 1))
        last_events(executor, 1)
        executor.close()
        assert connect_spark.getTags() == {"mine"}
        assert connect_spark.range(3).count() == 3
    finally:
        connect_spark.clearTags()


def test_cancelling_every_trial_leaves_an_operation_of_the_user_alone(
    connect_spark: Any, opened: Any
) -> None:
    counted: list[int] = []

    def slow(batches: Any) -> Any:
        for batch in batches:
            time.sleep(3)
            yield batch

    frame = connect_spark.range(0, 1, 1, 1).mapInArrow(slow, "id long")
    thread = threading.Thread(target=lambda: counted.append(frame.count()))
    executor = opened(time.sleep)
    for tid in range(2):
        executor.submit(Submission(tid, 600))
    thread.start()
    wait_until_running(executor, 0, 1)
    executor.cancel([0, 1])
    assert last_events(executor, 2) == {0: Cancelled(0), 1: Cancelled(1)}
    thread.join()
    assert counted == [1]


def test_an_operation_that_somebody_else_interrupts_fails_its_trial(opened: Any) -> None:
    executor = opened(time.sleep)
    executor.submit(Submission(0, 600))
    while executor.elapsed(0) is None or executor.elapsed(0) < 1.0:
        executor.wait(0.05)
    executor._transport.session.interruptAll()
    event = last_events(executor, 1)[0]
    assert event.error_type == "JobCancelled"


def test_fmin_runs_on_a_connect_session_and_says_where(connect_spark: Any) -> None:
    trials = SparkTrials(spark_session=connect_spark)
    assert trials.parallelism == 4
    x = hp.uniform("x", -5, 5)
    fmin(lambda v: v**2, x, rand.suggest, max_evals=8, trials=trials, rstate=0, verbose=False)
    assert trials.count_successful_trials() == 8
    assert {t["misc"]["execution"]["executor"] for t in trials.trials} == {"driver"}


def test_cancelling_a_thread_trial_interrupts_its_own_operation(connect_spark: Any) -> None:
    def slow(batches: Any) -> Any:
        time.sleep(600)
        yield from batches

    def objective(seconds: float) -> int:
        frame = connect_spark.range(0, 1, 1, 1)
        return int(frame.mapInArrow(slow, "id long").count() if seconds else frame.count())

    executor = make_thread_executor(connect_spark, objective, 2)
    try:
        executor.submit(Submission(0, 600))
        executor.submit(Submission(1, 0))
        assert last_events(executor, 1)[1].value == 1
        while executor.elapsed(0) is None or executor.elapsed(0) < 2.0:
            executor.wait(0.1)
        executor.cancel([0])
        assert last_events(executor, 1) == {0: Cancelled(0)}
    finally:
        executor.close()


LOCAL = """
import socket
from contextlib import suppress
with suppress(OSError):  # somebody else has taken it, which is as good
    taken = socket.create_server(("127.0.0.1", 15002))
with local_spark(2, connect=True) as spark:
    executor = make_executor(spark, abs, 1)
    executor.submit(Submission(0, -3))
    print(last_events(executor, 1)[0].value, "SPARK_TESTING" in os.environ)
    executor.close()
"""


@pytest.mark.spark
@pytest.mark.skipif(not IS_BROUGHT, reason="this pyspark brings no Connect server")
def test_a_local_server_starts_beside_another_one_and_says_nothing() -> None:
    answer = in_new_process(LOCAL)
    assert answer.stdout.split() == ["3", "False"], answer.stderr
    assert "UserWarning" not in answer.stderr


IN_A_THREAD = """
from sparktuner import ThreadTrials, fmin, hp, rand

tags, active = [], []

def search():
    trials = ThreadTrials(2)
    fmin(objective, hp.uniform("x", 0, 1), rand.suggest, 2, trials=trials, verbose=False)

with local_spark(2, connect=True) as spark:
    def objective(x):
        tags.append(set(spark.getTags()))
        active.append(type(spark).getActiveSession() is spark)  # which Spark ML asks for
        return x

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
print(len(tags), all(tags), all(active))
"""


@pytest.mark.skipif(not IS_BROUGHT, reason="this pyspark brings no Connect server")
def test_thread_trials_that_are_searched_in_a_thread_find_the_session() -> None:
    answer = in_new_process(IN_A_THREAD)
    assert answer.stdout.split() == ["2", "True", "True"], answer.stderr


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_shipping_that_comes_to_nothing_ends_the_session_that_it_began(
    connect_spark: Any, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []
    close = SearchSession.close

    def noting(own: SearchSession, server_is_gone: bool) -> None:
        ended.append(own.is_shared)
        close(own, server_is_gone)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(SearchSession, "close", noting)
    monkeypatch.setattr(type(connect_spark), "addArtifact", fail)
    data = os.urandom(2**20)
    ended.clear()
    with pytest.raises(type(error)):
        make_executor(connect_spark, lambda config: len(data), 1)
    # The first one is the look whether the server answers.
    assert ended == [False, False]


OTHER_THREAD = """
from pyspark.sql import SparkSession
from sparktuner import SparkTrials, ThreadTrials, fmin, hp, rand
session = SparkSession.builder.remote({url!r}).getOrCreate()

def search():
    for trials in (SparkTrials(2), ThreadTrials(2)):
        fmin(abs, hp.uniform("x", -1, 1), algo=rand.suggest, max_evals=2, trials=trials,
             verbose=False)
        print(len(trials), active_session() is session)

thread = threading.Thread(target=search)
thread.start()
thread.join()
session.client.close()
"""


def test_a_search_in_a_thread_finds_the_session_of_the_main_thread(connect_server: Any) -> None:
    answer = in_new_process(OTHER_THREAD.format(url=connect_server.url))
    assert answer.stdout.splitlines() == ["2 True", "2 True"], answer.stderr
