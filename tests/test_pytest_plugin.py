"""The pytest fixture with one local Spark session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_tables_of_tests_are_in_a_temporary_folder(
    local_spark: Any,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = Path(local_spark.conf.get("spark.sql.warehouse.dir").removeprefix("file:"))
    assert tmp_path_factory.getbasetemp() in tables.parents
    local_spark.range(2).write.saveAsTable("kept")
    try:
        assert [path.name for path in tables.iterdir()] == ["kept"]
        assert not list(tmp_path.iterdir())
    finally:
        local_spark.sql("DROP TABLE kept")
