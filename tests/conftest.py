"""Shared by all tests: one local Spark session, started when the first test asks for it."""

from __future__ import annotations

from typing import Any

import pytest

pytest_plugins = ["sparktuner.pytest_plugin"]


@pytest.fixture(scope="session")
def local_spark_options() -> dict[str, Any]:
    return {"cores": 4}


@pytest.fixture
def spark(local_spark: Any) -> Any:
    return local_spark


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "local_spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
