"""Large attachments come from executors whose disks nobody else can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import apart
from tests.cluster.test_local_cluster import MASTER, linked_home, run
from tests.connect_server import ConnectServer, require_connect_server

pytestmark = [pytest.mark.spark, pytest.mark.service, pytest.mark.cluster]

PROGRAM = """
from tests.cluster import apart
apart.keep_apart()
with local_spark({master!r}, **{{"spark.executor.memory": "512m"}}) as spark:
    wait_for_slots(spark, 4)
    apart.check(apart.search(spark))
    print("whole")
"""


def test_they_come_whole_on_classic(tmp_path: Path) -> None:
    assert run(PROGRAM.format(master=MASTER), tmp_path)[-1] == "whole"
    assert not list(tmp_path.rglob("sparktuner-left*"))


@pytest.fixture
def connect_cluster(tmp_path: Path) -> Iterator[ConnectServer]:
    require_connect_server()
    home = {"SPARK_HOME": linked_home(tmp_path / "home")}
    server = ConnectServer(tmp_path, MASTER, {"spark.executor.memory": "512m"}, home)
    yield server
    server.kill()


def test_they_come_whole_on_connect(
    connect_cluster: ConnectServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for module in (apart._classic_task, apart._connect_task):
        monkeypatch.setattr(module, "take", apart.take)  # so that it is put back
    apart.keep_apart()
    session = connect_cluster.session()
    with caplog.at_level("WARNING", "sparktuner"):
        apart.check(apart.search(session))
    session.client.close()
    assert "missing" not in caplog.text
