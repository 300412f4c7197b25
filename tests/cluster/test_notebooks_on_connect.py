"""Notebooks run unchanged where a platform gives them a session of Spark Connect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connect_server import ConnectServer
from tests.execute_notebook import NOTEBOOKS, execute

pytestmark = pytest.mark.cluster

_GIVEN = """\
from pyspark.sql import SparkSession

spark = SparkSession.builder.remote({url!r}).getOrCreate()
"""
# A search, what is Spark's own in one, and a model that Spark sends to its workers.
_RUN = [path for path in NOTEBOOKS if path.name[:2] in ("01", "05", "06")]


@pytest.mark.parametrize("path", _RUN, ids=lambda path: path.name)
def test_it_runs_with_the_spark_that_a_platform_gives(
    path: Path, connect_server: ConnectServer
) -> None:
    notebook = execute(path, _GIVEN.format(url=connect_server.url))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    shown = "".join(output.get("text", "") for cell in code for output in cell.outputs)
    assert "Spark " in shown and "Traceback" not in shown
    if path.name == "05_spark.ipynb":
        assert "This session is the platform's: pyspark.sql.connect" in shown
