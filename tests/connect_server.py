"""A Spark Connect server of its own process, as on a cluster."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyspark

from sparktuner.testing import conf_directory

PATIENCE = 180.0


class ConnectServer:
    """``start-connect-server.sh`` of the pip package, on a free port of loopback."""

    def __init__(self, folder: Path, cores: int = 4) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"sc://127.0.0.1:{self.port}"
        self.folder = folder
        self._log = folder / "server.log"
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self.port),
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            # Artifacts of sessions go there.
            "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder}",
        }
        home = Path(pyspark.__file__).parent
        command = [str(home / "sbin" / "start-connect-server.sh"), "--master", f"local[{cores}]"]
        for key, value in settings.items():
            command += ["--conf", f"{key}={value}"]
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_CONF_DIR": str(conf_directory()),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_LOG_DIR": str(folder),
            "PYSPARK_PYTHON": sys.executable,
        }
        # What a session in this process has set is not the server's.
        for name in ("SPARK_REMOTE", "SPARK_LOCAL_REMOTE", "PYSPARK_GATEWAY_PORT"):
            environment.pop(name, None)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
                return
            except OSError:
                gone = self._process.poll() is not None or time.monotonic() > deadline
                assert not gone, self._log.read_text()[-3000:]
                time.sleep(0.1)

    def session(self) -> Any:
        """A new session; beside a classic one too, which the public builder refuses."""
        from pyspark.sql.connect.session import SparkSession

        return SparkSession.builder.remote(self.url).create()

    def kill(self) -> None:
        """End the server at once, with everything it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait()
