"""How many threads native libraries may start in a trial."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from sparktuner.execute import Ended, Submission
from sparktuner.execute.spark import make_executor
from sparktuner.execute.worker import _native_threads
from sparktuner.execute.worker._native_threads import limit_threads

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A fresh worker process whose task has 4 CPUs, with Spark's idea of OpenMP."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(_native_threads, "_task_cpus", lambda: 4)
    monkeypatch.setitem(vars(sys), "_sparktuner_variables", None)
    del vars(sys)["_sparktuner_variables"]
    return monkeypatch


def seen() -> list[str | None]:
    return [os.environ.get(name) for name in VARIABLES]


def test_each_variable_is_the_task_s_cpus(worker: pytest.MonkeyPatch) -> None:
    limit_threads("")
    assert seen() == ["4"] * 5


def test_what_the_user_set_stays(worker: pytest.MonkeyPatch) -> None:
    worker.setenv("MKL_NUM_THREADS", "2")
    limit_threads(omp="3")
    assert seen() == ["3", "4", "2", "4", "4"]
    worker.setenv("OPENBLAS_NUM_THREADS", "8")  # by the objective
    limit_threads(omp="3")
    assert seen() == ["3", "8", "2", "4", "4"]


def test_a_worker_that_is_used_again_follows_its_next_task(worker: pytest.MonkeyPatch) -> None:
    limit_threads("")
    worker.setattr(_native_threads, "_task_cpus", lambda: 2)
    limit_threads("")
    assert seen() == ["2"] * 5


def test_libraries_that_are_loaded_already_are_told(worker: pytest.MonkeyPatch) -> None:
    import numpy  # noqa: F401
    import threadpoolctl  # type: ignore[import-not-found]

    with threadpoolctl.threadpool_limits(4):  # put back at the end
        worker.setattr(_native_threads, "_task_cpus", lambda: 2)
        limit_threads("")
        blas = [each for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"]
        assert blas
        assert all(each["num_threads"] <= 2 for each in blas)


def test_numbers_for_nested_regions_are_left_to_openmp(worker: pytest.MonkeyPatch) -> None:
    import threadpoolctl

    told: list[int] = []
    worker.setattr(threadpoolctl, "threadpool_limits", told.append)
    limit_threads(omp="3,2")
    limit_threads(omp="")
    assert seen()[0] == "4"
    limit_threads(omp="many")
    assert told == [3, 4]


def test_outside_spark_nothing_is_set(worker: pytest.MonkeyPatch) -> None:
    worker.setattr(_native_threads, "_task_cpus", lambda: 0)
    limit_threads("3")
    assert seen() == ["1", None, None, None, None]


def look(config: Any) -> list[str | None]:
    return [os.environ.get(name) for name in VARIABLES]


look.__module__ = "__main__"  # shipped by value: workers cannot import this file


@pytest.mark.parametrize("session", ["local_spark", "connect_spark"])
@pytest.mark.spark
def test_trials_on_spark_see_the_task_s_cpus_or_what_the_user_set(
    session: str, request: pytest.FixtureRequest
) -> None:
    spark = request.getfixturevalue(session)
    with make_executor(spark, look, 1) as executor:
        executor.submit(Submission(0, None))
        events: list[Any] = []
        while not events or not isinstance(events[-1], Ended):
            events += executor.wait(60)
    value = events[-1].value
    # Spark sets OMP_NUM_THREADS over what a server of its own process inherited.
    omp = os.environ.get(VARIABLES[0], "1") if session == "local_spark" else "1"
    assert value == [omp, *(os.environ.get(name, "1") for name in VARIABLES[1:])]
