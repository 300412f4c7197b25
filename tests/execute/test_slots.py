"""The number of slots: what is said of it, and of trials that wait for one.

Real clusters, whose number of slots changes, are in ``tests/cluster/``.
"""

from __future__ import annotations

import logging
import math
import os
import time
from pathlib import Path
from typing import Any

import pytest

from sparktuner import SparkTrials, fmin, hp, rand, tpe
from sparktuner.execute import Ended, Finished, SlotChanged, Started, Submission
from sparktuner.execute.spark import Slots, make_executor


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
            executor.submit(Submission(tid, None))
        while sum(waits.values()) != 1 or sum(executor.elapsed(t) is not None for t in waits) != 4:
            assert time.monotonic() < deadline, waits
            for event in executor.wait(1.0):
                if isinstance(event, Started):
                    waits.setdefault(event.tid, False)
                elif isinstance(event, SlotChanged):
                    waits[event.tid] = event.waits
        (late,) = (tid for tid, late in waits.items() if late)
        assert executor.elapsed(late) is None
        Path(go).touch()
        ended: list[Any] = []
        while len(ended) < 5:
            ended += [e for e in executor.wait(60) if isinstance(e, Ended)]
    assert all(isinstance(event, Finished) for event in ended)


def test_a_number_above_the_slots_is_kept_and_said_once(
    spark: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparktuner.execute.spark._slot_monitor._PERIOD", 0.02)

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
    with trials.runner.open(abs) as executor:
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
