"""Every question about the session's kind and version, asked once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparktuner.errors import SparkUnavailable
from sparktuner.execute.worker import OMP

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

STOPPED = (
    "The SparkSession was stopped. Make a new one (SparkSession.builder.getOrCreate()), and "
    "give it to SparkTrials if it was given the old one."
)

# With spark.speculation alone, a task is copied when others of its stage have finished.
_SINGLE_TASK_SPECULATION = (
    "spark.speculation.task.duration.threshold",
    "spark.executor.decommission.killInterval",
)


@dataclass(frozen=True)
class Cluster:
    """What kind of Spark a session stands for.

    Attributes:
        connect: a Spark Connect session, which has no SparkContext.
        version: (major, minor) of Spark.
        in_driver: the driver's JVM is the only executor (``local[...]``).
        omp: ``OMP_NUM_THREADS`` as the user set it for the workers; empty if not at all.
        copies: Spark may start a second copy of a task that still runs.
    """

    connect: bool
    version: tuple[int, int]
    in_driver: bool
    omp: str = ""
    copies: bool = False


def inspect(session: SparkSession) -> Cluster:
    """Ask a session what it is.

    Args:
        session: usable, see ``active_session``.

    Raises:
        SparkUnavailable: it was stopped, or started in a way that cannot be used.
    """
    version = parse_spark_version(session.version)
    if is_connect(session):
        return _connect_cluster(session, version)
    context = session.sparkContext
    _require_pinned_threads(context)
    conf = context.getConf()
    master = str(context.master)
    omp = conf.get(f"spark.executorEnv.{OMP}") or ""
    return Cluster(
        connect=False,
        version=version,
        in_driver=is_local(master),
        # In local mode the driver's environment is the workers', but for what Spark sets.
        omp=omp or (os.environ.get(OMP, "") if is_local(master) else ""),
        copies=_copies(lambda key: conf.get(key) or ""),
    )


def _connect_cluster(session: Any, version: tuple[int, int]) -> Cluster:
    master = read_conf(session, "spark.master")  # a managed service may not say
    return Cluster(
        connect=True,
        version=version,
        in_driver=is_local(master),
        omp=read_conf(session, f"spark.executorEnv.{OMP}"),
        copies=_copies(lambda key: read_conf(session, key)),
    )


def _copies(setting: Callable[[str], str]) -> bool:
    """Whether Spark would speculate on the only task of a job."""
    return setting("spark.speculation") == "true" and any(map(setting, _SINGLE_TASK_SPECULATION))


def read_conf(session: Any, key: str) -> str:
    """Return a setting of the cluster's; empty where it is not set or hidden."""
    try:
        return str(session.conf.get(key, None) or "")
    except Exception:  # a managed service refuses to tell some of them
        return ""


def is_local(master: str) -> bool:
    """Whether the driver's JVM is the only executor."""
    return master == "local" or master.startswith("local[")


def is_connect(session: SparkSession) -> bool:
    """Whether this is a Spark Connect session."""
    return ".connect." in type(session).__module__


def require_running(session: SparkSession) -> None:
    """Check that the session was not stopped and that its JVM, or its server, answers.

    Raises:
        SparkUnavailable: otherwise.
    """
    if is_connect(session):
        if getattr(session, "is_stopped", False):
            raise SparkUnavailable(STOPPED)
        from sparktuner.execute.spark.connect import require_answer

        require_answer(session)
        return
    if is_stopped(session.sparkContext):
        raise SparkUnavailable(STOPPED)


def is_stopped(context: SparkContext) -> bool:
    """Whether a context was stopped, or its JVM is gone."""
    try:
        return context._jsc is None or bool(context._jsc.sc().isStopped())
    except Exception:  # py4j: the JVM is gone; pyspark: its gateway was forgotten
        return True


def parse_spark_version(text: str) -> tuple[int, int]:
    """Return (major, minor) of a version such as ``"4.3.0"`` or ``"3.5.0-amzn-1"``."""
    match = re.match(r"(\d+)\.(\d+)", text)
    if match is None:
        raise SparkUnavailable(f"Spark calls itself {text!r}, which is no version.")
    return int(match.group(1)), int(match.group(2))


def _require_pinned_threads(context: Any) -> None:
    from py4j.clientserver import ClientServer

    if not isinstance(context._gateway, ClientServer):
        raise SparkUnavailable(
            "Spark was started with PYSPARK_PIN_THREAD=false, so that a trial's tag and pool "
            "could end up on another thread's job. Unset it and start the session again."
        )


def connect_requested() -> bool:
    """Whether ``getOrCreate`` would make a Spark Connect session."""
    return "SPARK_REMOTE" in os.environ or os.environ.get("SPARK_API_MODE") == "connect"
