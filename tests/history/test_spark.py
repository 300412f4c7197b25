"""Trials as a Spark DataFrame, in both kinds of session."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp, trials_from_docs
from sparktuner.errors import SparkUnavailable
from sparktuner.fmin import generate_trial
from tests.history.searches import searched


@pytest.fixture(params=["classic", "connect"])
def session(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("spark" if request.param == "classic" else "connect_spark")


def schema_of(frame: Any) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in frame.schema.fields}


def test_each_trial_is_a_row_of_a_stated_schema(session: Any) -> None:
    trials = searched()
    frame = trials.to_spark(session)
    assert schema_of(frame) == {
        "tid": "bigint",
        "state": "string",
        "status": "string",
        "loss": "double",
        "params": "struct<C:double,act:string,depth:bigint,drop:double,layers:bigint,lr:double,"
        "model:string>",
        "result": "struct<note:string,rows:bigint>",
        "start": "timestamp",
        "end": "timestamp",
        "duration": "double",
        "host": "string",
        "attempts": "bigint",
        "error": "string",
        "traceback": "string",
        "exp_key": "string",
        "owner": "string",
    }
    assert frame.count() == len(trials.all_trials)


def test_rows_hold_what_the_trials_hold(session: Any) -> None:
    trials = searched()
    frame = trials.to_spark(session)
    best = frame.where("state = 'done'").orderBy("loss").select("tid", "params.lr", "loss")
    assert best.first().asDict() == {
        "tid": trials.best_trial["tid"],
        "lr": trials.argmin["lr"],
        "loss": trials.best_trial["result"]["loss"],
    }
    failed = {row["error"] for row in frame.where("loss IS NULL").select("error").collect()}
    assert failed == {"ValueError"}
    inactive = frame.where("(params.C IS NULL) = (params.depth IS NULL)").count()
    assert inactive == 0


def test_times_are_the_same_moments_in_every_time_zone(session: Any) -> None:
    trials = searched(max_evals=1)
    started = trials.all_trials[0]["misc"]["execution"]["started"]
    settings = {
        "spark.sql.session.timeZone": "Asia/Tokyo",
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
    }
    before = {key: session.conf.get(key) for key in settings}
    for key, value in settings.items():
        session.conf.set(key, value)
    try:
        frame = trials.to_spark(session)
        [row] = frame.selectExpr("unix_micros(start) AS micros").collect()
    finally:
        for key, value in before.items():
            session.conf.set(key, value)
    since = (started - started.__class__(1970, 1, 1)).total_seconds()
    assert row["micros"] == round(since * 1e6)


def test_no_trials_and_none_with_values_have_a_schema(session: Any) -> None:
    assert Trials().to_spark(session).count() == 0
    assert "params" not in schema_of(Trials().to_spark(session))
    searched_in_vain = Trials()
    space = hp.uniform("x", 0, 1)
    fmin(abs, space, max_evals=0, trials=searched_in_vain, verbose=False)
    assert schema_of(searched_in_vain.to_spark(session))["params"] == "struct<x:double>"
    waiting = trials_from_docs([generate_trial(0, {"x": 0.5})])
    [row] = waiting.to_spark(session).collect()
    assert (row["loss"], row["start"], row["host"], row["params"]["x"]) == (None, None, None, 0.5)


def test_labels_may_hold_whatever_a_name_may_hold(session: Any) -> None:
    trials = trials_from_docs([generate_trial(0, {"a.b": 1, "c`d": 2.5, "e, f: g>": 3})])
    [row] = trials.to_spark(session).collect()
    assert row["params"].asDict() == {"a.b": 1, "c`d": 2.5, "e, f: g>": 3}


def test_a_loss_that_is_nan_is_not_a_missing_one(session: Any) -> None:
    trials = Trials()
    fmin(lambda x: x, hp.uniform("x", 1, 2), max_evals=1, trials=trials, verbose=False)
    trials.all_trials[0]["result"] = {"status": "fail", "loss": math.nan}
    [row] = trials.to_spark(session).collect()
    assert math.isnan(row["loss"])


def test_without_a_session_the_active_one_is_taken(spark: Any) -> None:
    assert searched(max_evals=2).to_spark().count() == 2


def test_what_is_no_session_is_refused() -> None:
    with pytest.raises(TypeError, match="spark must be a SparkSession or None, got 'local'"):
        Trials().to_spark("local")  # type: ignore[arg-type]


@pytest.mark.spark
def test_a_classic_session_needs_no_pandas() -> None:
    program = (
        "import sys; sys.modules['pandas'] = None\n"
        "from sparktuner.testing import local_spark\n"
        "from tests.history.searches import searched\n"
        "with local_spark(cores=1) as spark: print(searched(max_evals=3).to_spark(spark).count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.stdout.strip() == "3", done.stderr


def test_a_stopped_session_is_refused(monkeypatch: pytest.MonkeyPatch, spark: Any) -> None:
    monkeypatch.setattr("sparktuner.execute.spark._session.is_session_stopped", lambda _: True)
    with pytest.raises(SparkUnavailable, match="was stopped"):
        Trials().to_spark(spark)
