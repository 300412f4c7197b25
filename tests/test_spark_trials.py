"""fmin on SparkTrials and ThreadTrials, on a real local Spark."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktuner import SparkTrials, ThreadTrials, Trials, fmin, hp, rand, tpe
from sparktuner.errors import AllTrialsFailed, ObjectiveFailed
from sparktuner.execute.spark import SparkRunner
from sparktuner.records import MemoryStore

X = hp.uniform("x", -5, 5)


def search(fn: Any, trials: Trials, **kw: Any) -> Any:
    arguments = {"algo": rand.suggest, "max_evals": 8, "rstate": 0, "verbose": False, **kw}
    return fmin(
        fn,
        kw.pop("space", X),
        trials=trials,
        **{k: v for k, v in arguments.items() if k != "space"},
    )


def parabola(x: float) -> float:
    return (x - 1) ** 2


def slow_unless(file: Path) -> Any:
    """An objective that returns at once for the first trial, and never for the others."""

    def objective(x: float) -> float:
        try:
            file.touch(exist_ok=False)
        except FileExistsError:
            time.sleep(600)
        return x

    return objective


class UserJob:
    """A Spark job of the user's own, running beside the search in another thread."""

    def __init__(self, spark: Any) -> None:
        self._context = spark.sparkContext
        self.error: BaseException | None = None
        self.release = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> UserJob:
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self.answer = self._context.parallelize([0], 1).map(_sleep_and_answer).collect()
        except BaseException as error:
            self.error = error

    def __exit__(self, *exc: object) -> None:
        self._thread.join(60)


def _sleep_and_answer(_: int) -> int:
    time.sleep(6)
    return 42


def test_a_search_with_tpe_on_spark_finds_the_minimum(spark: Any) -> None:
    trials = SparkTrials(parallelism=4, spark_session=spark)
    best = search(parabola, trials, algo=tpe.suggest, max_evals=60)
    assert best["x"] == pytest.approx(1, abs=0.7)
    assert trials.count_successful_trials() == trials.count_total_trials() == 60
    assert trials.best_params == best["x"]


def test_a_session_in_the_place_of_parallelism_is_told_where_to_go(spark: Any) -> None:
    with pytest.raises(TypeError, match="got a Spark session.*write spark_session=spark"):
        SparkTrials(spark)
    with pytest.raises(TypeError, match="write spark_session=spark"):
        ThreadTrials(spark)


def test_a_change_of_what_the_objective_captures_is_told_once(
    spark: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(0)
    space = hp.uniform("x", 0, 1)
    options: Any = {"max_evals": 6, "verbose": False, "rstate": 0}
    fmin(lambda x: x + rng.random(), space, trials=SparkTrials(2, spark_session=spark), **options)
    told = [r.getMessage() for r in caplog.records if "captures" in r.getMessage()]
    assert len(told) == 1
    assert "the trials of a worker process share it" in told[0]
    caplog.clear()
    fmin(lambda x: x, space, trials=SparkTrials(2, spark_session=spark), **options)
    assert "captures" not in caplog.text


def test_where_trials_run_and_where_they_are_kept_are_independent(spark: Any) -> None:
    store = MemoryStore()
    on_spark = Trials(store=store, runner=SparkRunner(parallelism=2, spark_session=spark))
    search(lambda x: {"status": "ok", "loss": x, "pid": os.getpid()}, on_spark, max_evals=4)
    here = Trials(store=store)
    search(lambda x: {"status": "ok", "loss": x, "pid": os.getpid()}, here, max_evals=6)
    pids = [result["pid"] for result in here.results]
    assert os.getpid() not in pids[:4]
    assert pids[4:] == [os.getpid()] * 2
    assert on_spark.asynchronous
    assert not here.asynchronous
    assert len({document["owner"] for document in here.trials}) == 2


def test_without_a_number_parallelism_is_the_number_of_slots(spark: Any) -> None:
    assert SparkTrials(spark_session=spark).parallelism == spark.sparkContext.defaultParallelism


def test_each_document_says_where_its_trial_ran(spark: Any) -> None:
    trials = SparkTrials(parallelism=2, spark_session=spark)
    search(lambda x: {"status": "ok", "loss": x, "pid": os.getpid()}, trials, max_evals=4)
    for document in trials.trials:
        execution = document["misc"]["execution"]
        assert execution["pid"] == document["result"]["pid"] != os.getpid()
        assert execution["host"]
        assert execution["attempt"] == 0
        assert execution["duration"] >= 0
        assert execution["queue_time"] >= 0
        assert execution["started"].tzinfo is None


def test_a_trial_that_raises_is_recorded_with_its_remote_traceback(spark: Any) -> None:
    def objective(x: float) -> float:
        if x < 0:
            raise ValueError("negative width")
        return x

    trials = SparkTrials(parallelism=2, spark_session=spark)
    search(objective, trials, max_evals=12)
    failed = [t for t in trials.all_trials if t["state"] == 3]
    assert trials.count_failed_trials() == len(failed) > 0
    kind, traceback = failed[0]["misc"]["error"]
    assert kind == "ValueError"
    assert 'raise ValueError("negative width")' in traceback
    assert trials.count_successful_trials() == 12 - len(failed)


def test_an_objective_that_cannot_work_stops_the_search_early(spark: Any) -> None:
    def objective(x: float) -> float:
        import package_that_is_not_there  # type: ignore[import-not-found]

        return package_that_is_not_there.loss(x)  # type: ignore[no-any-return]

    trials = SparkTrials(parallelism=3, spark_session=spark)
    with pytest.raises(ObjectiveFailed, match="package_that_is_not_there"):
        search(objective, trials, max_evals=100)
    assert trials.count_total_trials() < 10


def test_with_catch_eval_exceptions_even_that_goes_on_to_the_end(spark: Any) -> None:
    trials = SparkTrials(parallelism=3, spark_session=spark)
    with pytest.raises(AllTrialsFailed, match="ZeroDivisionError"):
        search(lambda x: 1 / 0, trials, max_evals=7, catch_eval_exceptions=True)
    assert trials.count_failed_trials() == 7


def test_a_timeout_keeps_the_results_spares_the_users_job_and_leaves_the_trials_usable(
    spark: Any, tmp_path: Path
) -> None:
    trials = SparkTrials(parallelism=2, spark_session=spark)
    search(parabola, trials, max_evals=2)
    with UserJob(spark) as job:
        began = time.monotonic()
        search(slow_unless(tmp_path / "first"), trials, max_evals=20, timeout=8)
        assert time.monotonic() - began < 8 + 1.5
    assert job.error is None
    assert job.answer == [42]
    assert trials.fmin_cancelled_reason is not None
    assert trials.fmin_cancelled_reason.startswith("timeout")
    assert trials.count_successful_trials() == 3
    assert trials.count_cancelled_trials() == 2
    search(parabola, trials, max_evals=10)
    assert trials.count_successful_trials() == 10
    assert trials.fmin_cancelled_reason is None


def test_a_loss_threshold_does_not_wait_for_stragglers(spark: Any, tmp_path: Path) -> None:
    trials = SparkTrials(parallelism=2, spark_session=spark, loss_threshold=10.0)
    began = time.monotonic()
    search(slow_unless(tmp_path / "first"), trials, max_evals=20)
    assert time.monotonic() - began < 30
    assert trials.count_successful_trials() == 1
    assert "loss_threshold" in str(trials.fmin_cancelled_reason)


def test_trial_timeout_cancels_that_trial_alone(spark: Any) -> None:
    def objective(x: float) -> float:
        if x > 0:
            time.sleep(600)
        return x

    # Longer than a cold worker takes to start on a busy machine: that counts as running.
    trials = SparkTrials(parallelism=2, spark_session=spark, trial_timeout=5.0)
    search(objective, trials, max_evals=6)
    by_state: dict[int, list[bool]] = {2: [], 4: []}
    for t in trials.all_trials:
        by_state[t["state"]].append(t["misc"]["vals"]["x"][0] > 0)
    assert by_state[4] and all(by_state[4])
    assert by_state[2] and not any(by_state[2])
    assert (
        trials.all_trials[next(i for i, t in enumerate(trials.all_trials) if t["state"] == 4)][
            "misc"
        ]["error"][0]
        == "TrialTimeout"
    )


def test_an_early_stop_that_raises_ends_the_search_with_its_exception(spark: Any) -> None:
    def early_stop(trials: Trials, *args: Any) -> Any:
        raise KeyError("mine")

    trials = SparkTrials(parallelism=2, spark_session=spark)
    with pytest.raises(KeyError, match="mine"):
        search(parabola, trials, early_stop_fn=early_stop)
    assert all(t["state"] in (2, 4) for t in trials.all_trials)


def test_two_searches_in_two_threads_do_not_touch_each_others_jobs(
    spark: Any, tmp_path: Path
) -> None:
    steady = SparkTrials(parallelism=2, spark_session=spark)
    stopped = SparkTrials(parallelism=2, spark_session=spark)

    def slowly(x: float) -> float:
        time.sleep(0.2)
        return x

    thread = threading.Thread(target=search, args=(slowly, steady), kwargs={"max_evals": 24})
    thread.start()
    search(slow_unless(tmp_path / "first"), stopped, max_evals=20, loss_threshold=10.0)
    thread.join(120)
    assert steady.count_successful_trials() == 24
    assert stopped.count_cancelled_trials() > 0


def test_a_search_is_resumed_on_another_kind_of_trials(spark: Any, tmp_path: Path) -> None:
    file = tmp_path / "trials.pkl"
    first = SparkTrials(parallelism=2, spark_session=spark)
    search(parabola, first, trials_save_file=str(file), max_evals=5)
    assert pickle.loads(file.read_bytes()).vals == first.vals
    second = Trials()
    search(parabola, second, trials_save_file=str(file), max_evals=7)
    assert second.tids == list(range(7))
    assert second.vals["x"][:5] == first.vals["x"]
    assert len(second) == 7


def test_attachments_and_points_work_on_spark(spark: Any) -> None:
    trials = SparkTrials(parallelism=2, spark_session=spark)
    search(
        lambda x: {"status": "ok", "loss": x, "attachments": {"blob": bytes(3)}},
        trials,
        points_to_evaluate=[{"x": 4.5}],
        max_evals=3,
    )
    assert trials.vals["x"][0] == 4.5
    assert trials.trial_attachments(trials.trials[0])["blob"] == bytes(3)


def test_the_spark_ui_shows_each_trials_number_and_parameters(spark: Any) -> None:
    trials = SparkTrials(parallelism=1, spark_session=spark)
    search(parabola, trials, max_evals=2)
    jobs = spark.sparkContext._jsc.sc().statusStore().jobsList(None)
    descriptions = {
        jobs.apply(i).description().get()
        for i in range(jobs.size())
        if jobs.apply(i).description().isDefined()
    }
    assert f"trial 1: x={trials.vals['x'][1]:.6g}" in descriptions


def test_thread_trials_may_use_spark_each_in_a_pool_of_its_own(spark: Any) -> None:
    context = spark.sparkContext
    pools: set[str] = set()

    def objective(x: float) -> float:
        pools.add(context.getLocalProperty("spark.scheduler.pool"))
        time.sleep(0.05)
        return float(context.parallelize([x, x], 2).map(lambda v: v * v).sum())

    trials = ThreadTrials(3, spark_session=spark)
    search(objective, trials, max_evals=9)
    assert len(trials.losses()) == 9
    assert 1 < len(pools) <= 3
    assert context.getLocalProperty("spark.scheduler.pool") is None


def test_thread_trials_that_are_searched_in_a_thread_find_the_session(spark: Any) -> None:
    pools: set[str] = set()

    def objective(x: float) -> float:
        pools.add(spark.sparkContext.getLocalProperty("spark.scheduler.pool"))
        return x

    thread = threading.Thread(target=lambda: search(objective, ThreadTrials(2), max_evals=2))
    thread.start()
    thread.join(60)
    assert pools
    assert None not in pools


def test_a_timeout_cancels_the_spark_jobs_that_thread_trials_launched(spark: Any) -> None:
    context = spark.sparkContext

    def objective(x: float) -> float:
        context.parallelize([x], 1).map(lambda v: time.sleep(600)).collect()
        return x

    trials = ThreadTrials(2, spark_session=spark)
    began = time.monotonic()
    with UserJob(spark) as job:
        with pytest.raises(AllTrialsFailed):
            search(objective, trials, timeout=2)
        assert time.monotonic() - began < 2 + 2
    assert job.error is None
    deadline = time.monotonic() + 20
    while context.statusTracker().getActiveJobsIds() and time.monotonic() < deadline:
        threading.Event().wait(0.1)
    assert not context.statusTracker().getActiveJobsIds()


def test_thread_trials_run_beside_each_other() -> None:
    barrier = threading.Barrier(3, timeout=30)

    def objective(x: float) -> float:
        barrier.wait()
        return x

    trials = ThreadTrials(3)
    search(objective, trials, max_evals=9)
    assert len(trials.losses()) == 9


PROGRAM = """
import os, signal, threading, time
from sparktuner import SparkTrials, fmin, hp, rand
from sparktuner.testing import local_spark

def objective(x):
    if x > 0:
        time.sleep(600)
    return x

def wait_until(condition):
    while not condition():
        time.sleep(0.05)

def never_ending(trials):
    return [t for t in list(trials.all_trials)
            if t["state"] == 1 and t["misc"]["vals"]["x"][0] > 0]

def finished(trials):
    return [t for t in list(trials.all_trials) if t["state"] == 2]

def interfere(trials, spark):
    {interfere}

def afterwards(spark):
    {afterwards}

with local_spark(2) as spark:
    trials = SparkTrials(2, spark_session=spark)
    thread = threading.Thread(target=interfere, args=(trials, spark), daemon=True)
    thread.start()
    if {before}:
        thread.join()
    try:
        fmin(objective, hp.uniform("x", -1, 1), algo=rand.suggest, max_evals=50,
             trials=trials, rstate=0, verbose=False)
    except (RuntimeError, KeyboardInterrupt) as error:
        print(type(error).__name__, str(error)[:200])
    states = [t["state"] for t in trials.all_trials]
    print("left", states.count(0) + states.count(1), "done", states.count(2))
    thread.join()  # pyspark does not bear two threads that stop one session
    afterwards(spark)
"""


def run_program(interfere: str, afterwards: str = "pass", before: bool = False) -> str:
    program = PROGRAM.format(interfere=interfere, afterwards=afterwards, before=before)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.spark
def test_ctrl_c_cancels_the_running_trials_keeps_results_and_leaves_the_session_usable() -> None:
    out = run_program(
        "wait_until(lambda: len(never_ending(trials)) == 2); time.sleep(1);"
        " os.kill(os.getpid(), signal.SIGINT)",
        afterwards='print("sum", spark.sparkContext.parallelize([1, 2], 1).sum())',
    )
    assert "KeyboardInterrupt" in out
    assert "left 0 done" in out
    assert "done 0" not in out
    assert "sum 3" in out


@pytest.mark.spark
def test_a_stopped_session_is_refused_before_anything_runs() -> None:
    out = run_program("spark.stop()", before=True)
    assert "SparkUnavailable" in out
    assert "stopped" in out
    assert "left 0 done 0" in out
