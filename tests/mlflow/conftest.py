"""One MLflow server for all tests that need a real one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.mlflow import MlflowServer, Proxy, proxy_to


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    yield server
    server.kill()


@pytest.fixture
def proxy(mlflow_server: MlflowServer) -> Iterator[Proxy]:
    with proxy_to(mlflow_server) as proxy:
        yield proxy


@pytest.fixture
def experiment() -> str:
    """The name of an experiment that nobody has used."""
    return f"e{uuid.uuid4().hex[:10]}"


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what could not be written; settings of the machine do not count."""
    folder = tmp_path / "kept"
    monkeypatch.setenv("SPARKTUNER_SPILL_DIR", str(folder))
    for name in ("SPARKTUNER_MLFLOW", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return folder


@pytest.fixture
def client(mlflow_server: MlflowServer) -> Any:
    mlflow = pytest.importorskip("mlflow")
    return mlflow.MlflowClient(tracking_uri=mlflow_server.url)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "mlflow_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.service)
