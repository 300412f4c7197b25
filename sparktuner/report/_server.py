"""The page of a search that goes on, served to the browsers of this machine alone."""

from __future__ import annotations

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from sparktuner.errors import StoreError
from sparktuner.records import finite_loss
from sparktuner.report._data import Plain, dumps, report_data
from sparktuner.report._page import page
from sparktuner.trials import Trials

_HOST = "127.0.0.1"
# A page elsewhere may let its own name lead here; a browser then says that name.
_NAMES = (_HOST, "localhost")
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The forest takes seconds, and a few more trials change little.
_GROWTH = 1.1


class LiveData:
    """What the page shows of trials, as new as it is asked for, made anew only when it changed."""

    def __init__(self, trials: Trials, seconds: float) -> None:
        """Shows ``trials``, which are read from their store at most every ``seconds``."""
        self._trials = trials
        self._seconds = seconds
        self._lock = threading.Lock()
        self._read: float | None = None
        self._mark = ""
        self._data: dict[str, Plain] = {}
        self._known = -1.0

    def newest(self) -> tuple[str, dict[str, Plain]]:
        """Returns a mark that changes with the data, and the data.

        Raises:
            StoreError: the store does not answer.
        """
        with self._lock:
            now = time.monotonic()
            if self._read is None or now - self._read >= self._seconds:
                self._trials.refresh()
                self._read = now
                self._renew()
            return self._mark, self._data

    def _renew(self) -> None:
        documents = self._trials.all_trials
        facts = [(d["tid"], d["state"], d["version"], str(d["refresh_time"])) for d in documents]
        mark = hashlib.sha256(repr(facts).encode("utf-8", "replace")).hexdigest()[:32]
        if mark == self._mark:
            return
        ranked = sum(finite_loss(document) is not None for document in documents)
        is_due = ranked >= self._known * _GROWTH or ranked < self._known
        self._data = report_data(self._trials, None if is_due else self._data["importance"])
        self._mark = mark
        if is_due:
            self._known = max(ranked, 1)


class PageServer(ThreadingHTTPServer):
    """Serves the page at :attr:`url`; use it as a context, and call ``serve_forever``.

    It answers on the loopback address only, changes nothing, and refuses requests that were
    meant for another name. Who can log in to this machine can read the page.
    """

    daemon_threads = True

    def __init__(self, trials: Trials, port: int = 0, seconds: float = 2.0) -> None:
        """Listens.

        Args:
            trials: what is shown; they are read anew from their store.
            port: where; 0 is one that is free.
            seconds: between two looks for something new.

        Raises:
            OSError: the port is taken.
        """
        self.live = LiveData(trials, seconds / 2)
        self.seconds = seconds
        super().__init__((_HOST, port), _Handler)

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{_HOST}:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version = "sparktuner"
    sys_version = ""
    # A connection that says nothing holds a thread.
    timeout = 10

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in _NAMES:
            self._answer(403, f"ask for http://{_HOST} or http://localhost")
        elif path not in ("/", "/data.json"):
            self._answer(404, "there is / and /data.json")
        else:
            self._show(path)

    do_HEAD = do_GET

    def _show(self, path: str) -> None:
        try:
            mark, data = self.server.live.newest()
        except StoreError as error:
            return self._answer(503, str(error))
        if path == "/":
            return self._answer(200, page(data, self.server.seconds), "text/html")
        if self.headers.get("If-None-Match") == f'"{mark}"':
            return self._answer(304, "")
        return self._answer(200, dumps(data), "application/json", f'"{mark}"')

    def _answer(self, status: int, text: str, kind: str = "text/plain", mark: str = "") -> None:
        content = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if mark:
            self.send_header("ETag", mark)
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a line every two seconds is for nobody."""
