"""A small local Spark for tests of tuning code, in CI and on a laptop."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparktuner.checks import check_flag, check_whole
from sparktuner.errors import SparkUnavailable
from sparktuner.execute.spark import require_launchable, require_own_spark, running_session
from sparktuner.execute.worker import set_variables

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
    """Starts a local Spark session with sparktuner's settings, and stops it at the end.

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
        SparkUnavailable: there is no Java that serves, no Connect server, or no Spark at all
            beside pyspark-client; says how to install one.
        MissingExtra: pyspark is not installed.
        ValueError, TypeError: ``cores`` is no number above 0, and no master.

    Example:
        >>> from sparktuner import SparkTrials, fmin, hp
        >>> from sparktuner.testing import local_spark
        >>> with local_spark(2) as spark:
        ...     trials = SparkTrials(parallelism=2, spark_session=spark)
        ...     best = fmin(abs, hp.uniform("x", -1, 1), max_evals=4, trials=trials, verbose=False)
        >>> len(trials)
        4
    """
    if not isinstance(cores, str):
        check_whole("cores", cores, least=1)
        cores = int(cores)
    check_flag("connect", connect)
    require_launchable()
    from pyspark.sql import SparkSession

    # Two sessions with different settings cannot be in one JVM.
    running = running_session()
    if running is not None:
        yield running
        return
    require_own_spark()
    if connect:
        _require_connect_server()
    master = cores if isinstance(cores, str) else f"local[{cores}]"
    builder = SparkSession.builder
    builder = builder.remote(master) if connect else builder.master(master)
    # The caller's own settings come last, and win.
    for key, value in {**_CONF, **conf}.items():
        builder = builder.config(key, value)
    with _environment(), warnings.catch_warnings():
        if connect:
            _find_a_port({"spark.master": master, **_CONF, **conf})
            # What is the server's cannot be set on the session; pyspark tries nevertheless.
            warnings.filterwarnings("ignore", "Failed to set spark", UserWarning)
        session = builder.getOrCreate()
    try:
        yield session
    finally:
        # In this order: workers first, then what the client still has to say, then the JVM.
        _end_idle_workers(session)
        _let_finish(session)
        session.stop()


def conf_directory() -> Path:
    """Returns the folder of Spark settings that sparktuner brings, for ``SPARK_CONF_DIR``.

    Example:
        >>> from sparktuner.testing import conf_directory
        >>> (conf_directory() / "spark-defaults.conf").is_file()
        True
    """
    package = Path(__file__).parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"  # editable install


def _find_a_port(conf: dict[str, str]) -> None:
    """Make pyspark start its next server on a free port, where it knows but 15002.

    It does so for its own tests. The JVM is launched before, and sees nothing of it.
    """
    from pyspark import SparkConf, SparkContext

    settings = SparkConf(loadDefaults=False).setAll(list(conf.items()))
    SparkContext._ensure_initialized(conf=settings)
    os.environ["SPARK_TESTING"] = "1"


def _require_connect_server() -> None:
    import pyspark

    home = Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)
    if not any((home / "jars").glob("spark-connect_*.jar")):
        raise SparkUnavailable(
            f"pyspark {pyspark.__version__} in {home} has no Spark Connect server, as version 4 "
            "has. Install pyspark 4, or put the jar org.apache.spark:spark-connect_2.12 of the "
            f"same version, from Maven Central, into {home / 'jars'}."
        )


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


def _let_finish(session: SparkSession) -> None:
    """Wait until a Connect client has told its server what it no longer needs.

    Told afterwards, the server logs an error for each.
    """
    with suppress(Exception):  # a classic session, or a client before Spark 4.1
        futures.wait(session.client._release_futures, timeout=5.0)


@contextmanager
def _environment() -> Iterator[None]:
    """Set what Spark reads from the environment when it starts, and put it back."""
    wanted = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    defaults = {"SPARK_CONF_DIR": str(conf_directory()), "SPARK_LOCAL_IP": "127.0.0.1"}
    wanted |= {name: value for name, value in defaults.items() if name not in os.environ}
    before = {name: os.environ.get(name) for name in (*wanted, "SPARK_TESTING")}
    os.environ.update(wanted)
    try:
        yield
    finally:
        set_variables(before)
