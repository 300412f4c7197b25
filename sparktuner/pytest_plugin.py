"""A pytest fixture with one local Spark session for the whole test run.

In ``conftest.py``::

    pytest_plugins = ["sparktuner.pytest_plugin"]

and in a test::

    def test_my_search(local_spark):
        trials = SparkTrials(parallelism=2, spark_session=local_spark)
        ...

Override ``local_spark_options`` to change the session. With pytest-xdist each process has one of
its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sparktuner import testing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def local_spark_options() -> dict[str, Any]:
    """Returns arguments for ``sparktuner.testing.local_spark``; override it in conftest.py."""
    return {}


@pytest.fixture(scope="session")
def local_spark(
    local_spark_options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkSession]:
    """Starts a local Spark session when the first test asks for it, and stops it at the end.

    Its tables are in a temporary folder, and not in the one where pytest was started: there the
    next run, and other processes of this one, would find them.
    """
    tables = str(tmp_path_factory.mktemp("tables"))
    options = {"spark.sql.warehouse.dir": tables, **local_spark_options}
    with testing.local_spark(**options) as session:
        yield session
