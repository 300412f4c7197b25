"""What a search may rely on, wherever its trials run."""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sparktuner.execute import Finished, Limits, Runner, SerialRunner, Submission
from sparktuner.execute.spark import SparkRunner, ThreadRunner
from tests.waiting import last_events


@dataclass
class Kind:
    name: str
    make: Callable[[], Runner]


@pytest.fixture(
    params=[
        "serial",
        "threads",
        pytest.param("threads beside Spark", marks=pytest.mark.spark),
        pytest.param("spark", marks=pytest.mark.spark),
        pytest.param("connect", marks=[pytest.mark.spark, pytest.mark.service]),
    ]
)
def kind(request: pytest.FixtureRequest) -> Kind:
    name = request.param
    if name == "serial":
        return Kind(name, SerialRunner)
    if name == "threads":
        return Kind(name, lambda: ThreadRunner(2))
    spark = request.getfixturevalue("connect_spark" if name == "connect" else "local_spark")
    if name == "threads beside Spark":
        return Kind(name, lambda: ThreadRunner(2, spark))
    return Kind(name, lambda: SparkRunner(2, spark))


def test_what_is_opened_runs_the_objective(kind: Kind) -> None:
    with kind.make().open(lambda x: x + 1) as executor:
        executor.submit(Submission(0, 1))
        event = last_events(executor)[0]
    assert isinstance(event, Finished)
    assert event.value == 2


def test_a_runner_can_be_opened_again_and_twice_at_a_time(kind: Kind) -> None:
    runner = kind.make()
    with runner.open(lambda x: x) as first, runner.open(lambda x: -x) as second:
        first.submit(Submission(0, 1))
        second.submit(Submission(0, 1))
        ends = last_events(first)[0], last_events(second)[0]
    assert [end.value for end in ends] == [1, -1]  # type: ignore[union-attr]


def test_asynchronous_says_whether_trials_run_beside_the_driver(kind: Kind) -> None:
    runner = kind.make()
    here = threading.get_ident()
    with runner.open(lambda x: threading.get_ident()) as executor:
        executor.submit(Submission(0, None))
        event = last_events(executor)[0]
    in_this_thread = kind.name == "serial" and event.value == here  # type: ignore[union-attr]
    assert runner.asynchronous == (not in_this_thread)


def test_without_limits_there_are_none(kind: Kind) -> None:
    assert kind.make().limits == Limits(None, None, None)


def test_a_runner_can_be_pickled_and_leaves_its_session_behind(kind: Kind) -> None:
    runner: Any = kind.make()
    copy = pickle.loads(pickle.dumps(runner))
    assert type(copy) is type(runner)
    assert copy.limits == runner.limits
    expected = dict(vars(runner))
    for name in ("spark_session", "resource_profile"):
        if name in expected:
            expected[name] = None
    assert vars(copy) == expected


def test_the_limits_are_those_that_were_given_or_set_since() -> None:
    runner = SparkRunner(timeout=10.0, loss_threshold=0.5, trial_timeout=2.0)
    assert runner.limits == Limits(10.0, 0.5, 2.0)
    runner.timeout = None
    assert runner.limits.timeout is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parallelism": 0}, "parallelism must be at least 1"),
        ({"timeout": 0}, "timeout must be None or a number of seconds above 0"),
        ({"trial_timeout": -1}, "trial_timeout must be None or a number of seconds above 0"),
        ({"loss_threshold": float("nan")}, "loss_threshold must be None or a real number"),
        ({"max_trial_retries": -1}, "max_trial_retries must be at least 0, got -1"),
    ],
)
def test_arguments_out_of_their_range_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SparkRunner(**arguments)


def test_threads_need_a_number() -> None:
    with pytest.raises(ValueError, match="parallelism must be at least 1"):
        ThreadRunner(0)
    with pytest.raises(TypeError, match="parallelism must be an integer"):
        ThreadRunner(None)  # type: ignore[arg-type]


def test_no_more_trials_run_at_a_time_than_the_runner_allows(
    local_spark: Any, caplog: pytest.LogCaptureFixture
) -> None:
    runner = SparkRunner(3, local_spark)
    runner.max_concurrent = 2
    assert runner.width == 2
    with caplog.at_level(logging.WARNING, "sparktuner"), runner.open(abs) as executor:
        assert executor.free_slots() == 2
    assert "parallelism=3 is above" in caplog.text


def test_without_a_number_the_width_is_the_cluster_s(local_spark: Any) -> None:
    runner = SparkRunner(spark_session=local_spark)
    assert runner.width == 4
    runner.max_concurrent = 3
    assert runner.width == 3
