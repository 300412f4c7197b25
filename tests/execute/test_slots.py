"""Slots, resources and threads of a real cluster: local-cluster, with executors of their own."""

from __future__ import annotations

import logging
import math
import os
import time
from pathlib import Path
from typing import Any

import pytest

from sparktuner import SparkTrials, fmin, hp, rand, tpe
from sparktuner.execute import Finished, Started
from sparktuner.execute.spark import Slots, make_executor
from tests.faults.test_classic_faults import in_new_process

PRELUDE = """
import json, logging, sys
from pathlib import Path
from sparktuner import SparkTrials, current_trial, fmin, hp, rand
from sparktuner.execute.spark import Slots

def wait_for(executor, condition):
    events, deadline = [], time.monotonic() + 120
    while not condition(events):
        assert time.monotonic() < deadline, (events, executor.parallelism)
        events += executor.wait(0.2)
    return events

def holding(config):
    while not os.path.exists(config):
        time.sleep(0.05)
    names = "OMP OPENBLAS MKL NUMEXPR".split()
    threads = [os.environ.get(name + "_NUM_THREADS") for name in names]
    return dict(current_trial().addresses), threads
"""


@pytest.mark.spark
def test_a_cluster_s_executors_and_resources_are_the_trials_limits(tmp_path: Path) -> None:
    script = tmp_path / "gpus.sh"
    script.write_text("""#!/bin/sh\necho '{"name": "gpu", "addresses": ["3", "5"]}'\n""")
    script.chmod(0o755)
    (tmp_path / "versioned.py").write_text("__version__ = '1.0'\ndef loss(x): return x\n")
    answer = in_new_process(
        PRELUDE
        + f"""
from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
folder = Path({str(tmp_path)!r})
os.environ["PYTHONPATH"] = str(folder) + os.pathsep + os.environ["PYTHONPATH"]
sys.path.insert(0, str(folder))
conf = {{
    "spark.worker.resource.gpu.amount": "2",
    "spark.worker.resource.gpu.discoveryScript": {str(script)!r},
    "spark.executor.resource.gpu.amount": "2",
    "spark.executor.resource.gpu.discoveryScript": {str(script)!r},
    "spark.executorEnv.MKL_NUM_THREADS": "7",
}}
with local_spark("local-cluster[2,2,1024]", **conf) as spark:
    scala = spark.sparkContext._jsc.sc()
    while Slots(spark).count() < 4:  # the second executor comes up
        time.sleep(0.1)
    print("slots", Slots(spark).count(), SparkTrials(spark_session=spark).parallelism)

    def profile(cpus, gpus):
        return ResourceProfileBuilder().require(
            TaskResourceRequests().cpus(cpus).resource("gpu", gpus)).build

    big, one = profile(2, 1), profile(1, 1)
    print("profile", SparkTrials(spark_session=spark, resource_profile=big).parallelism)
    executor = make_executor(spark, holding, None, one)
    for tid in range(executor.parallelism):
        executor.submit(tid, str(folder / "go"))
    wait_for(executor, lambda _: all(executor.elapsed(tid) is not None for tid in range(4)))
    (folder / "go").touch()
    ended = last_events(executor, 4)
    print("addresses", sorted(event.value[0]["gpu"] for event in ended.values()))
    print("threads", ended[0].value[1])
    executor.close()

    executor = make_executor(spark, holding, None, big)
    executor.submit(0, str(folder / "go"))
    print("threads", last_events(executor, 1)[0].value[1])
    executor.close()

    executor = make_executor(spark, holding, None)
    for tid in range(4):
        executor.submit(tid, str(folder / "later"))
    wait_for(executor, lambda _: all(executor.elapsed(tid) is not None for tid in range(4)))
    scala.killExecutor("0")
    events = wait_for(executor, lambda events: sum(e.waits for e in events) == 2)
    wait_for(executor, lambda _: executor.parallelism == 2)
    print("after a loss", executor.parallelism, executor.free_slots(), len(events))
    (folder / "later").touch()
    ended = last_events(executor, 4)
    print(sorted(event.execution.attempt for event in ended.values()))
    executor.close()

    import versioned
    (folder / "versioned.py").write_text("__version__ = '2.0.1'\\ndef loss(x): return x\\n")
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    fmin(versioned.loss, hp.uniform("x", 0, 1), rand.suggest, 2, verbose=False,
         trials=SparkTrials(2, spark_session=spark))
""",
        timeout=480.0,
    )
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[:7] == [
        "slots 4 4",
        "profile 2",
        "addresses [('3',), ('3',), ('5',), ('5',)]",
        "threads ['1', '1', '7', '1']",
        "threads ['2', '2', '7', '2']",
        "after a loss 2 0 2",
        "[0, 0, 1, 1]",
    ], answer.stderr
    assert len(lines) == 8
    assert "has other versions than the driver" in lines[7]
    assert lines[7].endswith("versioned 2.0.1 (driver: 1.0)")


@pytest.mark.spark
def test_trials_that_wait_make_dynamic_allocation_add_executors(tmp_path: Path) -> None:
    answer = in_new_process(
        PRELUDE
        + f"""
conf = {{
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
    "spark.dynamicAllocation.initialExecutors": "1",
    "spark.dynamicAllocation.minExecutors": "1",
    "spark.dynamicAllocation.maxExecutors": "2",
    "spark.dynamicAllocation.executorIdleTimeout": "2s",
    "spark.executorEnv.OMP_NUM_THREADS": "3",
}}
go = {str(tmp_path / "go")!r}
with local_spark("local-cluster[2,1,1024]", **conf) as spark:
    slots = Slots(spark)
    while slots._session.sparkContext._jsc.sc().getExecutorIds().size() < 1:
        time.sleep(0.1)
    executor = make_executor(spark, holding, None)
    print("begin", slots.count(), slots.can_grow(), executor.parallelism)
    for tid in range(executor.parallelism):
        executor.submit(tid, go)
    wait_for(executor, lambda _: all(executor.elapsed(tid) is not None for tid in (0, 1)))
    print("grown", slots.count(), slots.can_grow(), executor.parallelism)
    Path(go).touch()
    print(last_events(executor, 2)[0].value[1])
    executor.close()
    deadline = time.monotonic() + 60
    while not slots.can_grow() and time.monotonic() < deadline:
        time.sleep(0.1)
    print("idle", slots.count())
""",
        timeout=480.0,
    )
    assert answer.stdout.splitlines() == [
        "begin 1 True 2",
        "grown 2 False 2",
        "['3', '1', '1', '1']",
        "idle 1",
    ], answer.stderr


@pytest.mark.parametrize("session", ["local_spark", "connect_spark"])
@pytest.mark.spark
def test_a_trial_that_waits_for_a_slot_is_told_from_those_that_run(
    session: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    go = str(tmp_path / "go")

    def objective(config: Any) -> int:
        while not os.path.exists(go):
            time.sleep(0.05)
        return 1

    waits: dict[Any, bool] = {}
    deadline = time.monotonic() + 120
    with make_executor(request.getfixturevalue(session), objective, 5) as executor:
        for tid in range(5):
            executor.submit(tid, None)
        while sum(waits.values()) != 1 or sum(executor.elapsed(t) is not None for t in waits) != 4:
            assert time.monotonic() < deadline, waits
            waits |= {e.tid: e.waits for e in executor.wait(1.0) if isinstance(e, Started)}
        (late,) = (tid for tid, late in waits.items() if late)
        assert executor.elapsed(late) is None
        Path(go).touch()
        ended: list[Any] = []
        while len(ended) < 5:
            ended += [e for e in executor.wait(60) if not isinstance(e, Started)]
    assert all(isinstance(event, Finished) for event in ended)


def test_a_number_above_the_slots_is_kept_and_said_once(
    spark: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparktuner.execute.spark._watch._PERIOD", 0.02)

    def objective(x: float) -> float:
        time.sleep(0.1)
        return x

    for parallelism, times in ((6, 1), (4, 1)):
        trials = SparkTrials(parallelism, spark_session=spark)
        fmin(objective, hp.uniform("x", 0, 1), rand.suggest, 20, trials=trials, verbose=False)
        assert trials.parallelism == parallelism
        warnings = [record.getMessage() for record in caplog.records]
        assert len(warnings) == times
    assert "parallelism=6 exceeds the 4 task slots that the cluster has now" in warnings[0]


def test_what_users_raise_is_how_far_the_window_follows(spark: Any) -> None:
    trials = SparkTrials(spark_session=spark)
    assert trials.parallelism == 4
    trials.MAX_CONCURRENT_JOBS_ALLOWED = 3
    assert trials.parallelism == 3
    with trials._make_executor(abs) as executor:
        assert executor.free_slots() == 3


def test_connect_tells_its_slots_without_a_job(connect_spark: Any) -> None:
    slots = Slots(connect_spark)
    assert (slots.count(), slots.can_grow(), slots.width()) == (4, False, 4)
    connect_spark.conf.set("spark.sql.leafNodeDefaultParallelism", "9")  # as if cores had come
    try:
        assert slots.width() == 9
    finally:
        connect_spark.conf.unset("spark.sql.leafNodeDefaultParallelism")


@pytest.mark.parametrize(
    ("algo", "parallelism", "max_evals", "warns"),
    [
        (None, 8, 15, True),
        (tpe.suggest, 8, 15, True),
        (tpe.suggest, 8, 16, False),
        (tpe.suggest, 1, 1, False),
        (rand.suggest, 8, 8, False),
    ],
)
def test_a_window_that_leaves_nothing_to_learn_from_is_said(
    algo: Any, parallelism: int, max_evals: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    from sparktuner import ThreadTrials

    trials = ThreadTrials(parallelism)
    x = hp.uniform("x", 0, 1)
    fmin(math.sqrt, x, algo, max_evals, trials=trials, verbose=False, rstate=0)
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert bool(said) == warns
    assert all(f"is so near max_evals={max_evals}" in text for text in said)
