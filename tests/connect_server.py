"""A Spark Connect server of its own process, as on a cluster."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyspark
import pytest

from sparktuner.testing import conf_directory

PATIENCE = 180.0
HOME = Path(pyspark.__file__).parent
# Spark 3.5's pip package brings no server: the path of spark-connect_2.12-3.5.x.jar, from
# Maven Central.
JAR = os.environ.get("SPARK_CONNECT_JAR", "")
IS_BROUGHT = any((HOME / "jars").glob("spark-connect_*.jar"))
# A socket's path has room for 107 characters, of which its name takes 42: the folder of a test,
# where Spark would make it, may leave too few.
SOCKETS = Path("/tmp") / f"sparktuner-{os.getuid()}"


def require_connect_server() -> None:
    """Skip the test where there is no Connect server to start."""
    if not IS_BROUGHT and not JAR:
        pytest.skip(f"pyspark {pyspark.__version__} has no Connect server; see SPARK_CONNECT_JAR")


def _launcher() -> list[str]:
    script = HOME / "sbin" / "start-connect-server.sh"  # in Spark 4.1 and later
    if script.exists():
        return [str(script)]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    jar = [] if IS_BROUGHT else ["--jars", JAR]
    return [str(HOME / "bin" / "spark-submit"), "--class", server, *jar]


class ConnectServer:
    """``start-connect-server.sh`` of the pip package, on a free port of loopback.

    Its temporary files, those that a session ships included, are in ``folder``.
    """

    def __init__(
        self,
        folder: Path,
        master: str = "local[4]",
        conf: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"sc://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        SOCKETS.mkdir(mode=0o700, exist_ok=True)
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self.port),
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.python.unix.domain.socket.dir": str(SOCKETS),
            **(conf or {}),
        }
        command = [*_launcher(), "--master", master]
        for key, value in settings.items():
            command += ["--conf", f"{key}={value}"]
        java_options = os.environ.get("JDK_JAVA_OPTIONS", "")
        environment = {
            **os.environ,
            "SPARK_HOME": str(HOME),
            "SPARK_CONF_DIR": str(conf_directory()),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_LOG_DIR": str(folder),
            "SPARK_LOCAL_DIRS": str(folder),
            # Artifacts of sessions go there.
            "JDK_JAVA_OPTIONS": f"{java_options} -Djava.io.tmpdir={folder}",
            "PYSPARK_PYTHON": sys.executable,
            **(variables or {}),
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
