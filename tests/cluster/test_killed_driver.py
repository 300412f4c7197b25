"""A driver on Spark that is killed: the next one goes on, and nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.crash_spark import kill_until_done

pytestmark = [pytest.mark.spark, pytest.mark.cluster]


def test_a_driver_on_spark_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    assert kill_until_done(f"sqlite:///{tmp_path}/t.db?lease=5", 2, tmp_path) == 2
