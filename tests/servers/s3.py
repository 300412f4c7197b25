"""An S3 server: moto's, in a process of its own, with the faults that real ones have.

``python -m tests.servers.s3`` runs one until its standard input is closed, and prints its port.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
# What a request is to end in: see S3Server.fail_next.
_FAULT = "/_fault/"


class S3Server:
    """A running server.

    Attributes:
        port: on 127.0.0.1.
        process: the server's.
    """

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.s3"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": str(64 << 20)},
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def url(self, bucket: str, folder: str = "trials") -> str:
        """Returns a store's URL in a bucket, which is created."""
        self.request("PUT", f"/{bucket}")
        return (
            f"s3://{bucket}/{folder}?endpoint=http://127.0.0.1:{self.port}&region=us-east-1"
            "&access_key_id=me&secret_access_key=MY-SECRET"
        )

    def fail_next(self, method: str, fault: str, times: int = 1) -> None:
        """Lets the next requests of a method fail.

        Args:
            method: of HTTP.
            fault: ``409`` and other numbers: answered so, nothing is done; ``lost``: done, but
                answered 500; ``cut``: the connection ends after it was done.
            times: how many of them.
        """
        self.request("POST", f"{_FAULT}{method}/{fault}/{times}")

    def forget_faults(self) -> None:
        """Lets no more requests fail."""
        self.request("POST", f"{_FAULT}none")

    def count(self) -> int:
        """Returns how many requests there were."""
        return int(self.request("POST", f"{_FAULT}count"))

    def request(self, method: str, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def stop(self) -> None:
        """Ends the server's process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()


@contextlib.contextmanager
def s3_server() -> Iterator[S3Server]:
    """Runs a server; the test is skipped where it is not installed."""
    pytest.importorskip("moto.server", reason="needs moto[server,s3]")
    server = S3Server()
    try:
        yield server
    finally:
        server.stop()


class _Faulty:
    """The server's application, one request at a time, and a fault where one is wanted."""

    def __init__(self, app: App) -> None:
        self._app = app
        # moto looks whether there is an object and then writes it; S3 does both at once.
        self._lock = threading.Lock()
        self._faults: list[tuple[str, str]] = []
        self._count = 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        with self._lock:
            if path.startswith(_FAULT):
                return self._order(path[len(_FAULT) :].split("/"), start)
            self._count += 1
            method = environ["REQUEST_METHOD"]
            fault = next((f for m, f in self._faults if m == method), None)
            if fault is None:
                return list(self._app(environ, start))
            self._faults.remove((method, fault))
            if fault.isdecimal():
                start(f"{fault} Fault", [("Content-Length", "0"), ("Connection", "close")])
                return [b""]
            list(self._app(environ, lambda *_: None))
            if fault == "cut":
                environ["werkzeug.socket"].close()
            start("500 Lost", [("Content-Length", "0"), ("Connection", "close")])
            return [b""]

    def _order(self, words: list[str], start: Callable[..., Any]) -> list[bytes]:
        if words == ["none"]:
            self._faults.clear()
        elif words != ["count"]:
            method, fault, times = words
            self._faults += [(method, fault)] * int(times)
        start("200 OK", [("Content-Type", "text/plain")])
        return [str(self._count).encode()]


def _serve() -> None:
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, _Faulty(app), threaded=True)
    print(server.server_port, flush=True)  # noqa: T201
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    _serve()
