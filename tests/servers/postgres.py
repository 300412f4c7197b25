"""A PostgreSQL server of its own process, on a free port of loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0
PASSWORD = "s3cret-of-the-test"


def _programs() -> Path | None:
    """The folder of Debian's programs, or of whatever is on the PATH."""
    found = shutil.which("postgres")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return Path(found).resolve().parent if found else folders[-1] if folders else None


def require_postgres() -> Path:
    """The folder of its programs; skips the test where there is none."""
    folder = _programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    return folder


class PostgresServer:
    """A server with one user who has a password, and its data in a temporary folder.

    Args:
        durable: whether it waits for the disk, as servers do. What was written survives
            :meth:`kill` without that too, as the machine goes on.
    """

    def __init__(self, durable: bool = False) -> None:
        self._settings = [] if durable else ["-F"]
        self._bin = require_postgres()
        self.folder = Path(tempfile.mkdtemp(prefix="sparktuner-postgres-"))
        # It refuses to run as root.
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._initialize()
        self.start()

    @property
    def server(self) -> str:
        return f"postgresql://tuner:{PASSWORD}@127.0.0.1:{self.port}"

    def _initialize(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb",
            "-D",
            self.folder / "data",
            "-U",
            "tuner",
            "-A",
            "scram-sha-256",
            "-N",
            f"--pwfile={password}",
            "-E",
            "UTF8",
            "--locale=C",
        )

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [str(self._bin / program), *map(str, arguments)],
            check=False,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, "PGPASSWORD": PASSWORD},
            **self._as,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._bin / "postgres",
                    "-D",
                    self.folder / "data",
                    "-p",
                    str(self.port),
                    "-h",
                    "127.0.0.1",
                    "-k",
                    self.folder,
                    *self._settings,
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self._as,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "server.log").read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(f"{self.server}/postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def new_database(self, name: str) -> str:
        """The URL of a new, empty database."""
        import psycopg

        with psycopg.connect(f"{self.server}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"{self.server}/{name}"

    def signal(self, number: int) -> None:
        """Send a signal to the server and the processes of its connections."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        pids = [self._process.pid, *map(int, children.read_text().split())]
        for pid in pids:
            os.kill(pid, number)

    def kill(self) -> None:
        """End it as a crash does: it recovers when it is started again."""
        if self._process is not None and self._process.poll() is None:
            # At once, without waiting for clients. SIGKILL would leave its children.
            os.kill(self._process.pid, signal.SIGQUIT)
            self._process.wait(PATIENCE)

    def remove(self) -> None:
        """End it, and delete its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
