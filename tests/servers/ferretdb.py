"""A server that speaks MongoDB's protocol: FerretDB, built once from the Go module proxy."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).parent / "ferretdb"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sparktuner-tests"


class ServerMissing(Exception):
    """The server's program cannot be had here; the text says why."""


class FerretDB:
    """A server on loopback, with its data in a folder.

    Attributes:
        port: where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self._program = built()
        self._folder = folder
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        """Its address, without a database."""
        return f"mongodb://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, on the same port and data each time."""
        self._log = (self._folder / "log").open("ab")
        data = self._folder / "data"
        data.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [self._program, f"127.0.0.1:{self.port}", str(data)],
            stdout=self._log,
            stderr=self._log,
        )
        wait_for_port(self.port, self.process)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.wait()
        self._log.close()


@contextmanager
def ferretdb() -> Iterator[FerretDB]:
    """A running server.

    Raises:
        ServerMissing: its program cannot be built.
    """
    with tempfile.TemporaryDirectory(prefix="ferretdb-") as folder:
        server = FerretDB(Path(folder))
        try:
            yield server
        finally:
            server.kill()


def built() -> str:
    """Returns the program, which is built when it is asked for the first time.

    Raises:
        ServerMissing: there is no Go, or the build fails.
    """
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise ServerMissing("FerretDB is built with Go, which is not installed")
    digest = hashlib.sha256()
    for name in ("main.go", "go.mod", "go.sum"):
        digest.update((SOURCE / name).read_bytes())
    program = CACHE / f"ferretdb-{digest.hexdigest()[:12]}"
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Under another name first: several test processes may build it at once.
        fresh = program.with_suffix(f".{os.getpid()}")
        build = [go, "build", "-tags", "ferretdb_sqlite", "-o", str(fresh), "."]
        made = subprocess.run(build, cwd=SOURCE, capture_output=True, text=True, check=False)
        if made.returncode:
            raise ServerMissing(f"FerretDB could not be built: {made.stderr[-300:]}")
        fresh.replace(program)
    return str(program)


def free_port() -> int:
    """Returns a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 30.0) -> None:
    """Returns once something listens on a port.

    Raises:
        RuntimeError: the process has ended, or nothing listens in time.
    """
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"the server on port {port} does not listen (exit code {process.poll()})")
