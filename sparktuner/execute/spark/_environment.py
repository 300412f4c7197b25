"""Every question about the kind and the version of Spark, asked here and answered as a value.

Three things differ, each by itself: the process (is there a session, would one need a JVM), the
session with its cluster (:class:`Environment`), and the Python client of a Spark Connect session
(:class:`ConnectClient`), whose version is not the server's.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sparktuner.errors import SparkUnavailable
from sparktuner.execute.worker import OMP

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

# A Connect session is of a class of its own in each version of pyspark, and on some platforms;
# what is asked of it beyond SparkSession's methods, no common type declares.
ConnectSession: TypeAlias = Any
# What py4j hands out for an object in the JVM; it has whatever attributes that one has.
JavaObject: TypeAlias = Any

STOPPED = (
    "The SparkSession was stopped. Make a new one (SparkSession.builder.getOrCreate()), and "
    "give it to SparkTrials if it was given the old one."
)

_OLDEST = (3, 5)
# With spark.speculation alone, a task is copied when others of its stage have finished.
_SINGLE_TASK_SPECULATION = (
    "spark.speculation.task.duration.threshold",
    "spark.executor.decommission.killInterval",
)


@dataclass(frozen=True)
class Environment:
    """The kind of Spark that a session stands for, and what its cluster's settings say.

    Attributes:
        is_connect: a Spark Connect session, which has no SparkContext.
        version: (major, minor) of Spark; of the server's, on Spark Connect.
        in_driver: the driver's JVM is the only executor (``local[...]``).
        omp: ``OMP_NUM_THREADS`` as the user set it for the workers; empty if not at all.
        speculates: Spark may start a second copy of a task that still runs.
    """

    is_connect: bool
    version: tuple[int, int]
    in_driver: bool
    omp: str = ""
    speculates: bool = False


@dataclass(frozen=True)
class ConnectClient:
    """The abilities of the Python client of a Spark Connect session.

    Told by its methods, not by its version: platforms bring clients of their own.

    Attributes:
        keeps_session_id: its channel builder has a method to set one (Spark 4.0).
        has_retry_policies: they can be set (Spark 4.0).
        releases_sessions: it can end a session (Spark 4.0). If not, to close it ends threads
            that all clients share.
        clones_sessions: it can ask for a clone (Spark 4.1); the server may refuse.
        tells_progress: a function can be called with an operation's progress (Spark 4.0).
        collects_tables: a result can be had as an Arrow table (Spark 4.0).
        tracks_releases: it tells what its server has not been told yet to let go (Spark 4.1).
        exit_hooks: names of its methods that are called when the interpreter exits.
    """

    keeps_session_id: bool
    has_retry_policies: bool
    releases_sessions: bool
    clones_sessions: bool
    tells_progress: bool
    collects_tables: bool
    tracks_releases: bool
    exit_hooks: tuple[str, ...]


def connect_client(session: ConnectSession) -> ConnectClient:
    """Returns what the client of a Spark Connect session can do; asks no server."""
    from pyspark.sql.connect.dataframe import DataFrame

    client = getattr(session, "client", None)
    hooks = ("_on_exit", "_cleanup_ml")  # the latter in Spark 4.0
    return ConnectClient(
        keeps_session_id=hasattr(getattr(client, "_builder", None), "set"),
        has_retry_policies=hasattr(client, "set_retry_policies"),
        releases_sessions=hasattr(client, "release_session"),
        clones_sessions=hasattr(session, "cloneSession"),
        tells_progress=hasattr(session, "registerProgressHandler"),
        collects_tables=hasattr(DataFrame, "_to_table"),
        tracks_releases=hasattr(client, "_release_futures"),
        exit_hooks=tuple(name for name in hooks if hasattr(client, name)),
    )


def environment_of(session: SparkSession) -> Environment:
    """Returns what a session is, and what its cluster's settings say.

    Args:
        session: usable, see ``active_session``.

    Raises:
        SparkUnavailable: it was started in a way that cannot be used.
    """
    version = parse_spark_version(session.version)
    if version < _OLDEST:
        raise SparkUnavailable(
            f"sparktuner needs Spark 3.5 or later, which can tag each trial's job; this session's "
            f"is {session.version}. Use a cluster with a newer one, or Trials() without Spark."
        )
    if is_connect(session):
        return _connect_environment(session, version)
    context = session.sparkContext
    _require_pinned_threads(context)
    conf = context.getConf()
    master = str(context.master)
    omp = conf.get(f"spark.executorEnv.{OMP}") or ""
    return Environment(
        is_connect=False,
        version=version,
        in_driver=is_local(master),
        # In local mode the driver's environment is the workers', but for what Spark sets.
        omp=omp or (os.environ.get(OMP, "") if is_local(master) else ""),
        speculates=_speculates(lambda key: conf.get(key) or ""),
    )


def _connect_environment(session: ConnectSession, version: tuple[int, int]) -> Environment:
    master = read_conf(session, "spark.master")  # a managed service may not say
    return Environment(
        is_connect=True,
        version=version,
        in_driver=is_local(master),
        omp=read_conf(session, f"spark.executorEnv.{OMP}"),
        speculates=_speculates(lambda key: read_conf(session, key)),
    )


def _speculates(setting: Callable[[str], str]) -> bool:
    """Whether Spark would speculate on the only task of a job."""
    return setting("spark.speculation") == "true" and any(map(setting, _SINGLE_TASK_SPECULATION))


def read_conf(session: SparkSession, key: str) -> str:
    """Returns a setting of the cluster's; empty where it is not set or hidden."""
    try:
        return str(session.conf.get(key, None) or "")
    except Exception:  # a managed service refuses to tell some of them
        return ""


def is_local(master: str) -> bool:
    """Returns whether the driver's JVM is the only executor."""
    return master == "local" or master.startswith("local[")


def is_connect(session: SparkSession) -> bool:
    """Returns whether this is a Spark Connect session."""
    return ".connect." in type(session).__module__


def is_session_stopped(session: SparkSession) -> bool:
    """Returns whether a session was stopped here, or its JVM is gone; asks no server."""
    if is_connect(session):
        return bool(getattr(session, "is_stopped", False))
    return is_context_stopped(session.sparkContext)


def is_context_stopped(context: SparkContext) -> bool:
    """Returns whether a context was stopped, or its JVM is gone."""
    try:
        return context._jsc is None or bool(context._jsc.sc().isStopped())
    except Exception:  # py4j: the JVM is gone; pyspark: its gateway was forgotten
        return True


def parse_spark_version(text: str) -> tuple[int, int]:
    """Returns (major, minor) of a version such as ``"4.3.0"`` or ``"3.5.0-amzn-1"``.

    Raises:
        SparkUnavailable: the text begins with no version.
    """
    match = re.match(r"(\d+)\.(\d+)", text)
    if match is None:
        raise SparkUnavailable(f"Spark calls itself {text!r}, which is no version.")
    return int(match.group(1)), int(match.group(2))


def _require_pinned_threads(context: SparkContext) -> None:
    from py4j.clientserver import ClientServer

    if not isinstance(context._gateway, ClientServer):
        raise SparkUnavailable(
            "Spark was started with PYSPARK_PIN_THREAD=false, so that a trial's tag and pool "
            "could end up on another thread's job. Unset it and start the session again."
        )


def needs_context() -> bool:
    """Returns whether ``getOrCreate`` would make a SparkContext whose settings are all its own.

    In a new JVM or in one that has had another context; not in one that spark-submit has set up.

    Raises:
        ImportError: pyspark is not installed.
    """
    if is_client_alone() or connect_requested() or "PYSPARK_GATEWAY_PORT" in os.environ:
        return False
    from pyspark import SparkContext

    return SparkContext._active_spark_context is None


def needs_jvm() -> bool:
    """Returns whether ``getOrCreate`` would have to launch a JVM in this process.

    Raises:
        ImportError: pyspark is not installed.
    """
    if not needs_context():
        return False
    from pyspark import SparkContext

    return SparkContext._gateway is None


def is_client_alone() -> bool:
    """Returns whether pyspark here is a client of Spark Connect only, and has no Spark to start.

    That is what the distribution ``pyspark-client`` installs.

    Raises:
        ImportError: pyspark is not installed.
    """
    import pyspark

    return not hasattr(pyspark, "SparkContext")


def connect_requested() -> bool:
    """Returns whether ``getOrCreate`` would make a Spark Connect session."""
    return "SPARK_REMOTE" in os.environ or os.environ.get("SPARK_API_MODE") == "connect"


@contextmanager
def workers_run_this_python(context: SparkContext | None = None) -> Iterator[None]:
    """Lets workers that are set up within this block run the driver's interpreter.

    Spark would take the path's ``python3``, which has not what a virtual environment or a
    notebook's kernel has. A user's own choice stays, and so does it for workers elsewhere.

    Args:
        context: where the workers are set up; None: in a session that is started in this block.
    """
    if not sys.executable or "PYSPARK_PYTHON" in os.environ:
        yield
    elif context is None:
        os.environ["PYSPARK_PYTHON"] = sys.executable
        try:
            yield
        finally:
            os.environ.pop("PYSPARK_PYTHON", None)
    elif is_local(str(context.master)) and not context.getConf().get("spark.pyspark.python"):
        before, context.pythonExec = context.pythonExec, sys.executable
        try:
            yield
        finally:
            context.pythonExec = before
    else:
        yield


def has_session() -> bool:
    """Returns whether this process has a Spark session, made by whatever thread.

    Imports nothing: a program that has not imported pyspark has no session, and need not have
    pyspark.
    """
    pyspark, sql = sys.modules.get("pyspark"), sys.modules.get("pyspark.sql")
    if pyspark is None or sql is None:
        return False
    return found_session() is not None or _has_context()


def found_session() -> SparkSession | None:
    """Returns this thread's session, else that of Spark Connect which another thread made.

    Starts none. A classic session of another thread is what pyspark's builder gives; on Spark
    Connect the builder would ask for the server's address once more.

    Raises:
        ImportError: pyspark is not installed.
    """
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None or _has_context():
        return active
    connect = sys.modules.get("pyspark.sql.connect.session")
    default: SparkSession | None = getattr(
        getattr(connect, "SparkSession", None), "_default_session", None
    )
    return None if default is None or is_session_stopped(default) else default


def running_session() -> SparkSession | None:
    """Returns a session that is there, of whatever thread; starts none."""
    found = found_session()
    if found is not None or not _has_context():
        return found
    from pyspark.sql import SparkSession

    # Another thread's context, on which this makes a session.
    return SparkSession.builder.getOrCreate()


def _has_context() -> bool:
    if is_client_alone():
        return False
    from pyspark import SparkContext

    return SparkContext._active_spark_context is not None
