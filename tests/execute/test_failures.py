"""What went wrong on the driver's side, and what was not the session's end."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import Any

import pytest

from sparktuner.errors import SparkUnavailable
from sparktuner.execute import Failed, Finished, Submission
from sparktuner.execute.spark import make_executor
from sparktuner.execute.spark._environment import environment_of
from sparktuner.execute.spark.connect._failures import connect_failed
from sparktuner.status import FailureKind
from tests.waiting import last_events


def out_of_files() -> OSError:
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_a_driver_out_of_file_descriptors_is_told_so_on_connect() -> None:
    failure = connect_failed(out_of_files())
    assert failure.kind is FailureKind.SPARK
    assert "ulimit -n 4096" in failure.message


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (out_of_files(), "ulimit -n 4096"),
        (RuntimeError("no such thing"), "RuntimeError: no such thing"),
        (UnicodeError("surrogates not allowed"), "UnicodeError: surrogates not allowed"),
    ],
)
def test_an_error_in_the_driver_is_named_and_no_stopped_session(
    spark: Any, error: Exception, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_executor(spark, abs, 1) as executor:
        executor.submit(Submission(0, -1))
        last_events(executor, 1)

        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr(spark.sparkContext, "addJobTag", fail)
        executor.submit(Submission(1, -1))
        event = last_events(executor, 1)[1]
    assert isinstance(event, Failed)
    assert event.kind is FailureKind.SPARK
    assert event.error_type == type(error).__name__
    assert says in event.message
    assert "SparkSession" not in event.message


def test_a_label_that_is_no_valid_text_hurts_no_trial(spark: Any) -> None:
    with make_executor(spark, abs, 1) as executor:
        executor.submit(Submission(0, -1, "trial 0: \ud800=1"))
        assert isinstance(last_events(executor, 1)[0], Finished)


def test_a_spark_without_job_tags_says_so() -> None:
    session: Any = SimpleNamespace(version="3.4.1")
    with pytest.raises(SparkUnavailable, match=r"Spark 3\.5 or later.*is 3\.4\.1"):
        environment_of(session)
