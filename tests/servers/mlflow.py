"""An MLflow tracking server, and a proxy before it that counts requests and makes them fail."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.servers.ferretdb import free_port

_SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class MlflowServer:
    """A server process on loopback, its data in SQLite in a folder.

    Args:
        folder: where its data are.

    Attributes:
        port: where it listens.
    """

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("mlflow.server", reason="needs mlflow, with its server")
        self._folder = folder
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        """Its tracking URI."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, on the same port and data each time."""
        self._log = (self._folder / "log").open("ab")
        program = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        program += ["--port", str(self.port), "--workers", "1"]
        program += ["--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db"]
        program += ["--artifacts-destination", str(self._folder / "artifacts")]
        environment = {**os.environ, **_SETTINGS}
        environment.pop("MLFLOW_TRACKING_URI", None)
        self.process = subprocess.Popen(
            program,
            stdout=self._log,
            stderr=self._log,
            cwd=self._folder,
            env=environment,
            start_new_session=True,
        )
        end = time.monotonic() + 120
        while not self._answers():
            assert self.process.poll() is None, (self._folder / "log").read_text()[-3000:]
            assert time.monotonic() < end, "the MLflow server does not come up"
            time.sleep(0.1)

    def kill(self) -> None:
        """Ends it as a power cut would, with the processes that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._log.close()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


class Proxy:
    """A server before another one.

    Args:
        port: of the other one, on loopback.

    Attributes:
        requests: (method, path without its query) of each request that was passed on.
        faults: HTTP statuses that the next requests are answered with, in place of their
            answers; 0 breaks off the connection after the request was done.
        delay: seconds that each request takes longer.
    """

    def __init__(self, port: int) -> None:
        self.requests: list[tuple[str, str]] = []
        self.faults: list[int] = []
        self.delay = 0.0
        self._port = port
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address, as a tracking URI."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def count(self, ending: str) -> int:
        """Returns how many requests have a path that ends so."""
        return sum(path.endswith(ending) for _, path in self.requests)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one piece

            def pass_on(self) -> None:
                proxy.requests.append((self.command, self.path.partition("?")[0]))
                time.sleep(proxy.delay)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fault = proxy.faults.pop(0) if proxy.faults else None
                if fault:
                    self._answer(fault, b"{}")
                    return
                try:
                    there = http.client.HTTPConnection("127.0.0.1", proxy._port, timeout=60)
                    there.request(self.command, self.path, body, dict(self.headers))
                    answer = there.getresponse()
                    status, text = answer.status, answer.read()
                    there.close()
                except OSError:
                    fault = 0
                if fault == 0:
                    self.close_connection = True
                    return
                self._answer(status, text)

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextlib.contextmanager
def proxy_to(server: MlflowServer) -> Iterator[Proxy]:
    """Runs a proxy before a server."""
    proxy = Proxy(server.port)
    try:
        yield proxy
    finally:
        proxy.close()
