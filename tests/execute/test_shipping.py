"""An objective with large data: on its way once, and gone after the search."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.cloudpickle import list_registry_pickle_by_value

from sparktuner.execute import Finished, Submission, modules_by_value
from sparktuner.execute.spark import make_executor
from sparktuner.execute.spark._shipping import pickled_by_value
from tests import connect_server as connect_server_module
from tests.connect_server import ConnectServer
from tests.waiting import PATIENCE, wait_until

SIZE = 24 * 2**20
TRIALS = 4


def test_searches_side_by_side_ship_the_worker_s_part_by_value_both() -> None:
    def by_value() -> set[str]:
        return {name for name in list_registry_pickle_by_value() if name.startswith("sparktuner")}

    first, second = pickled_by_value(), pickled_by_value()
    with second:
        with first:
            assert by_value() == {"sparktuner.execute.worker"}
        assert by_value() == {"sparktuner.execute.worker"}
    assert by_value() == set()


def test_what_the_installed_pickler_ships_by_value_pysparks_does_too() -> None:
    with modules_by_value(connect_server_module), pickled_by_value():
        assert "tests.connect_server" in list_registry_pickle_by_value()
    assert "tests.connect_server" not in list_registry_pickle_by_value()


class CountingProxy:
    """Passes connections on to a server of this machine, and counts what is sent to it."""

    def __init__(self, port: int) -> None:
        self.sent = 0
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        self._pump(client, server, self._count)

    def _count(self, size: int) -> None:
        self.sent += size  # the client has one connection at a time for what is large

    def _pump(
        self,
        source: socket.socket,
        target: socket.socket,
        count: Callable[[int], None] = lambda size: None,
    ) -> None:
        try:
            while chunk := source.recv(2**16):
                count(len(chunk))
                target.sendall(chunk)
        except OSError:  # the other end was closed
            pass
        for end in (source, target):
            end.close()


class Objective:
    """Holds data, and counts on the driver how often it is pickled."""

    def __init__(self) -> None:
        self.pickled = 0
        self._data = os.urandom(SIZE)

    def __reduce__(self) -> Any:
        self.pickled += 1
        return lambda data: lambda config: len(data) + config, (self._data,)


@pytest.fixture
def proxy(connect_server: ConnectServer) -> Iterator[CountingProxy]:
    proxy = CountingProxy(connect_server.port)
    yield proxy
    proxy.close()


def run_trials(executor: Any) -> None:
    for tid in range(TRIALS):
        executor.submit(Submission(tid, tid))
        ended: list[Any] = []
        while not ended:
            ended = [event for event in executor.wait(PATIENCE) if hasattr(event, "execution")]
        assert isinstance(ended[0], Finished), ended
        assert ended[0].value == SIZE + tid


def large_files(folder: Path, pattern: str = "**/*") -> list[Path]:
    return [p for p in folder.glob(pattern) if p.is_file() and p.stat().st_size >= SIZE]


def test_on_classic_large_data_is_broadcast_once_and_destroyed(spark: Any) -> None:
    context = spark.sparkContext
    folder = Path(context._temp_dir)

    def memory_left() -> int:
        # (most, left) of the only executor, this JVM.
        return int(context._jsc.sc().getExecutorMemoryStatus().values().head()._2())

    before = memory_left()
    objective = Objective()
    with make_executor(spark, objective, 2) as executor:
        run_trials(executor)
        assert objective.pickled == 1
        assert len(large_files(folder)) == 1
        assert SIZE <= before - memory_left() < 2 * SIZE
    assert large_files(folder) == []
    wait_until(lambda: memory_left() > before - SIZE // 4)


def test_on_connect_large_data_is_uploaded_once_and_ends_with_the_search(
    connect_server: ConnectServer,
    proxy: CountingProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pyspark.sql.connect.session import SparkSession

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{proxy.port}").create()
    objective = Objective()

    def artifacts() -> list[Path]:
        return large_files(connect_server.folder, "artifacts-*/**/*.pickle")

    try:
        with make_executor(session, objective, 2) as executor:
            run_trials(executor)
            assert objective.pickled == 1
            assert len(artifacts()) == 1
            assert SIZE <= proxy.sent < 1.1 * SIZE
        assert large_files(tmp_path) == []
        wait_until(lambda: not artifacts())
    finally:
        session.client.close()


def test_on_connect_a_small_objective_leaves_no_session_and_no_artifact(
    connect_server: ConnectServer, connect_spark: Any
) -> None:
    def artifacts() -> set[Path]:
        return set(connect_server.folder.glob("artifacts-*/**/sparktuner-*"))

    before = artifacts()
    with make_executor(connect_spark, lambda config: SIZE + config, 2) as executor:
        assert executor._transport.session.session_id == connect_spark.session_id  # type: ignore[attr-defined]
        run_trials(executor)
        assert artifacts() == before
    assert connect_spark.range(3).count() == 3
