"""``sparktuner watch``: the page live, on loopback, read only, and for this machine's names."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp
from sparktuner.cli import main
from sparktuner.errors import StoreError
from sparktuner.records import MemoryStore
from sparktuner.report import PageServer


@pytest.fixture
def trials() -> Trials:
    return Trials(store=MemoryStore())


@pytest.fixture
def server(trials: Trials) -> Iterator[PageServer]:
    # Read at every request.
    with PageServer(Trials(store=trials.store), seconds=0) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def asked(
    server: PageServer, path: str = "/data.json", method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def search(trials: Trials, n: int) -> None:
    fmin(abs, hp.uniform("x", -1, 1), max_evals=n, trials=trials, rstate=0, verbose=False)


def test_what_another_process_has_written_is_shown(server: PageServer, trials: Trials) -> None:
    assert json.loads(asked(server)[1])["tid"] == []
    search(trials, 12)
    data = json.loads(asked(server)[1])
    assert data["loss"] == trials.losses() and data["importance"]["shares"][0][0] == "x"
    search(trials, 13)
    assert len(json.loads(asked(server)[1])["tid"]) == 13


def test_the_page_looks_for_newer_data(server: PageServer) -> None:
    answer, text = asked(server, "/")
    assert answer.status == 200 and b'data-seconds="0"' in text and b"connect-src 'self'" in text
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_what_did_not_change_is_not_sent_again(server: PageServer, trials: Trials) -> None:
    search(trials, 3)
    mark = asked(server)[0].headers["ETag"]
    answer, text = asked(server, **{"If-None-Match": mark})
    assert answer.status == 304 and not text
    search(trials, 4)
    assert asked(server, **{"If-None-Match": mark})[0].status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_request_for_another_name_is_refused(server: PageServer, host: str) -> None:
    answer, text = asked(server, Host=host)
    assert answer.status == 403 and b"tid" not in text


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "LOCALHOST"])
def test_this_machines_names_are_served_behind_any_port(server: PageServer, host: str) -> None:
    assert asked(server, Host=host)[0].status == 200


def test_nothing_can_be_written_and_there_is_nothing_else(server: PageServer) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert asked(server, method=method)[0].status == 501
    assert asked(server, "/../../etc/passwd")[0].status == 404
    answer, text = asked(server, "/", "HEAD")
    assert answer.status == 200 and not text


def test_it_listens_on_loopback_alone(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1" and server.url.startswith("http://127.0.0.1:")


def test_a_store_that_is_away_is_said_and_may_come_back(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise StoreError("the store does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Trials, "refresh", away)
        answer, text = asked(server)
        assert answer.status == 503 and text == b"the store does not answer"
    assert asked(server)[0].status == 200


def test_a_port_that_is_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/tuning.db"
    search(Trials(store=url), 2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["watch", "--store", url, "--port", port]) == 1
    assert f"--port {port} cannot be had" in capsys.readouterr().err
    assert main(["watch", "--store", f"sqlite:///{tmp_path}/none.db"]) == 3


@pytest.mark.parametrize("wrong", [["--port", "65536"], ["--interval", "0.1"], ["--port", "x"]])
def test_wrong_arguments_are_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["watch", "--store", "sqlite:///x.db", *wrong])


def test_the_command_serves_a_store_until_it_is_interrupted(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/tuning.db"
    search(Trials(store=url), 2)
    arguments = ["watch", "--store", url, "--port", "0"]
    program = f"import sys; from sparktuner.cli import main; sys.exit(main({arguments!r}))"
    with subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True
    ) as watch:
        assert watch.stderr is not None
        line = watch.stderr.readline()
        address = line.split()[2]
        connection = http.client.HTTPConnection(address.split("/")[2], timeout=20)
        connection.request("GET", "/data.json")
        assert len(json.loads(connection.getresponse().read())["tid"]) == 2
        connection.close()
        watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=20) == 130
        assert "stopped" in watch.stderr.read()
