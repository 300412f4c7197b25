"""Shared by all tests: one local Spark session, started when the first test asks for it."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from sparktuner import fmin, hp
from tests.connect_server import ConnectServer, require_connect_server
from tests.servers.ferretdb import FerretDB, ServerMissing, ferretdb
from tests.servers.postgres import PostgresServer
from tests.servers.s3 import S3Server, s3_server

# What takes a JVM long to start is left out: most of these live for seconds.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# A busy machine takes its time; how long something takes is for the benchmarks.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

pytest_plugins = ["sparktuner.pytest_plugin", "tests.side_by_side"]


@pytest.fixture(scope="session")
def local_spark_options() -> dict[str, Any]:
    return {"cores": 4}


@pytest.fixture
def spark(local_spark: Any) -> Any:
    return local_spark


@pytest.fixture(scope="session")
def saved_search(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A save file with a search."""
    path = str(tmp_path_factory.mktemp("saved") / "search")
    space = {"x": hp.uniform("x", 0, 1), "act": hp.choice("act", ["relu", "tanh"])}
    fmin(lambda p: p["x"], space, max_evals=15, trials_save_file=path, rstate=0, verbose=False)
    return path


@pytest.fixture(scope="session")
def connect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectServer]:
    require_connect_server()
    server = ConnectServer(tmp_path_factory.mktemp("connect"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def connect_spark(connect_server: ConnectServer) -> Iterator[Any]:
    session = connect_server.session()
    yield session
    session.client.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[FerretDB]:
    pytest.importorskip("pymongo")
    try:
        with ferretdb() as server:
            yield server
    except ServerMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def mongo_url(mongo_server: FerretDB) -> str:
    """The URL of a database that nobody has used."""
    return f"{mongo_server.url}/d{uuid.uuid4().hex[:10]}"


def _forget_spark() -> None:
    """Lets a forked child have no Spark: its parent's connections are not its own."""
    gateway = sys.modules.get("py4j.java_gateway")
    if gateway is not None:
        # Or the end of each of its objects would be told on the parent's connection.
        vars(gateway)["_garbage_collect_object"] = lambda *_: None
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyspark"]:
        del sys.modules[name]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_spark)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "local_spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
        if "connect_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
            item.add_marker(pytest.mark.service)
        if "mongo_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.service)
