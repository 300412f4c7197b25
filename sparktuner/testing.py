"""A small local Spark for tests of tuning code, in CI and on a laptop."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparktuner.execute.spark import require_launchable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CONF = {
    "spark.app.name": "sparktuner",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
}


@contextmanager
def local_spark(
    cores: int | str = 2, *, connect: bool = False, **conf: str
) -> Iterator[SparkSession]:
    """Start a local Spark session with sparktuner's settings, and stop it at the end.

    A session that runs already is used as it is, and left running. The settings come from
    sparktuner's ``conf`` folder (quiet console, FAIR scheduling, workers reused), unless
    ``SPARK_CONF_DIR`` is set; they are read when the JVM starts, once in a process. The UI is
    off, everything is bound to loopback, and the workers run this very Python.

    Args:
        cores: how many trials can run at a time, or a master such as ``"local[4]"``.
        connect: a Spark Connect session, whose server runs in this process; not beside a
            classic one. Needs the extra ``connect``.
        **conf: Spark settings, which come before all others:
            ``local_spark(4, **{"spark.ui.enabled": "true"})``.

    Yields:
        The session.

    Raises:
        SparkUnavailable: there is no Java that serves; says how to install one.
        MissingExtra: pyspark is not installed.
    """
    require_launchable()
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    master = cores if isinstance(cores, str) else f"local[{cores}]"
    builder = SparkSession.builder
    builder = builder.remote(master) if connect else builder.master(master)
    for key, value in {**_CONF, **conf}.items():
        builder = builder.config(key, value)
    with _environment():
        session = builder.getOrCreate()
    try:
        yield session
    finally:
        _end_idle_workers(session)
        session.stop()


def conf_directory() -> Path:
    """Return the folder of Spark settings that sparktuner brings, for ``SPARK_CONF_DIR``."""
    package = Path(__file__).parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"  # editable install


def _end_idle_workers(session: SparkSession) -> None:
    """End the JVM's Python workers, which it would cut off in mid-read.

    Spark 4.3 closes their sockets before it ends them, and those that notice in time each
    print a traceback (BrokenPipeError in pyspark/daemon.py) on the console.
    """
    # The session may have been stopped, the JVM killed, or be a Java 8 without ProcessHandle.
    with suppress(Exception):
        jvm: Any = session.sparkContext._jvm
        for child in jvm.java.lang.ProcessHandle.current().children().toArray():
            if "pyspark.daemon" in child.info().commandLine().orElse(""):
                child.destroy()


@contextmanager
def _environment() -> Iterator[None]:
    """Set what Spark reads from the environment when it starts, and put it back."""
    wanted = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    defaults = {"SPARK_CONF_DIR": str(conf_directory()), "SPARK_LOCAL_IP": "127.0.0.1"}
    wanted |= {name: value for name, value in defaults.items() if name not in os.environ}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
