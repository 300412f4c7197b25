"""The Spark session that a search runs on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sparktuner.errors import MissingExtra, SparkUnavailable
from sparktuner.execute.spark._environment import (
    STOPPED,
    connect_requested,
    found_session,
    is_client_alone,
    is_connect,
    is_session_stopped,
    needs_context,
    needs_jvm,
    workers_run_this_python,
)
from sparktuner.execute.spark._java import check_java
from sparktuner.execute.spark._quiet import in_kernel, launch_quietly

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_NO_SERVER = (
    "There is no Spark session, and pyspark-client, which is installed here, can only connect to "
    "a Spark elsewhere. Set SPARK_REMOTE to its address (sc://host:15002), or make a session and "
    "give it to SparkTrials: spark = SparkSession.builder.remote('sc://host:15002')"
    ".getOrCreate(), then SparkTrials(spark_session=spark)."
)


def active_session(spark_session: SparkSession | None = None) -> SparkSession:
    """Returns the session to use: the one given, else one that is there, else a new one.

    On Spark Connect, one that is there may be another thread's.

    Raises:
        SparkUnavailable: the session was stopped; or there is none, and no Java serves to
            start one.
        MissingExtra: pyspark is not installed.
    """
    session = spark_session if spark_session is not None else _found_or_new()
    _require_running(session)
    return session


def require_own_spark() -> None:
    """Checks that pyspark here has a Spark that can be started.

    Raises:
        SparkUnavailable: it is a client of Spark Connect alone.
    """
    if is_client_alone():
        raise SparkUnavailable(
            "pyspark-client, which is installed here, can only connect to a Spark elsewhere, and "
            "has none to start. Install pyspark in its place: pip uninstall pyspark-client, then "
            "pip install 'sparktuner[spark]'."
        )


def _require_running(session: SparkSession) -> None:
    """Check that the session was not stopped and that its JVM, or its server, answers."""
    if is_session_stopped(session):
        raise SparkUnavailable(STOPPED)
    if is_connect(session):
        from sparktuner.execute.spark.connect import require_answer

        require_answer(session)


def require_launchable() -> None:
    """Checks, where a JVM would have to be launched, that there is a Java that serves.

    There is nothing to launch where a session is there already.

    Raises:
        SparkUnavailable: there is none; says which ones serve and how to install one.
        MissingExtra: pyspark is not installed.
    """
    try:
        import pyspark
    except ImportError as error:
        raise MissingExtra(
            "pyspark is not installed: pip install 'sparktuner[spark]', or 'sparktuner[client]' "
            "where Spark is a Connect server elsewhere. A managed platform (Databricks, EMR, "
            "Dataproc) brings its own."
        ) from error
    # The launch would fail with a stack trace that does not say what to install.
    if found_session() is None and needs_jvm():
        check_java(pyspark.__version__)


def _found_or_new() -> SparkSession:
    require_launchable()
    found = found_session()
    if found is not None:
        return found
    from pyspark.sql import SparkSession

    try:
        # A server in this process reads it when it starts. On a cluster, where this path need
        # not exist, a classic session goes on with what its own settings say.
        if connect_requested():
            with workers_run_this_python():
                return SparkSession.builder.getOrCreate()
        if needs_jvm() and in_kernel():
            launch_quietly()
        builder = SparkSession.builder
        # Spark's own stage bars, on where Python starts Spark, would write over the search's. A
        # session of another thread's stays as it is, and so does what spark-submit was told.
        if needs_context():
            builder = builder.config("spark.ui.showConsoleProgress", "false")
        return builder.getOrCreate()
    except Exception as error:  # pyspark raises a dozen kinds here
        raise SparkUnavailable(_why_none_started(error)) from error


def _why_none_started(error: Exception) -> str:
    if is_client_alone() and "SPARK_REMOTE" not in os.environ:
        return _NO_SERVER
    return f"No Spark session could be started: {error}"
