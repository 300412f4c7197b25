"""A standalone Spark cluster on loopback: a master and workers, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pyspark

from sparktuner.testing import conf_directory
from tests.waiting import wait_until

CORES = 2  # of each worker
HOME = Path(pyspark.__file__).parent


class StandaloneCluster:
    """A master of the pip package, and the workers that are added to it.

    Each process leads a group of its own, and is ended by that group's id: a worker together
    with the executors that it started.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        port, self._web_port = free_port(), free_port()
        self.url = f"spark://127.0.0.1:{port}"
        self._start("master.Master", "127.0.0.1", port, self._web_port)
        wait_until(lambda: self.status().get("status") == "ALIVE", self._logs)

    def add_workers(self, count: int) -> list[subprocess.Popen[bytes]]:
        """Start workers, and return their processes once the master knows them.

        Each is a host of its own, as far as Spark knows.
        """
        known = self.status()["aliveworkers"]
        workers = [
            self._start(
                "worker.Worker",
                *(f"127.0.0.{len(self._processes) + 1}", 0, 0),
                *("--cores", str(CORES), "--memory", "1g"),
                *("--work-dir", str(self._folder / "work"), self.url),
            )
            for _ in range(count)
        ]
        wait_until(lambda: self.status()["aliveworkers"] == known + count, self._logs)
        return workers

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """End a worker and its executors at once, as a lost host does."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        """End everything, at once."""
        for process in self._processes:
            if process.poll() is None:
                self.kill(process)

    def status(self) -> dict[str, Any]:
        """What the master's page says; nothing as long as it does not answer."""
        try:
            url = f"http://127.0.0.1:{self._web_port}/json/"
            with urllib.request.urlopen(url, timeout=5.0) as page:
                return dict(json.load(page))
        except OSError:
            return {}

    def environment(self) -> dict[str, str]:
        """What a program on this cluster, and the cluster itself, is started with."""
        kept = {name: value for name, value in os.environ.items() if "SPARK" not in name}
        return kept | {
            "SPARK_HOME": str(HOME),
            "SPARK_CONF_DIR": str(conf_directory()),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(self._folder / "local"),
            "SPARK_DAEMON_MEMORY": "256m",
            # Its port is fixed, and another cluster of this machine may have it.
            "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }

    def _start(
        self, kind: str, host: str, port: int, web_port: int, *arguments: str
    ) -> subprocess.Popen[bytes]:
        command = [str(HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}"]
        command += ["--host", host, "--port", str(port), "--webui-port", str(web_port)]
        with (self._folder / f"{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *arguments],
                env=self.environment(),
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def _logs(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in self._folder.glob("*.log"))


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def descends_from(pid: int, ancestor: int) -> bool:
    """Whether a process is alive, and below another one."""
    while pid not in (0, ancestor):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:  # it has ended
            return False
        state, parent = stat.rsplit(")", 1)[1].split()[:2]
        pid = 0 if state == "Z" else int(parent)
    return pid == ancestor
