"""The Spark session that a search runs on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sparktuner.errors import MissingExtra, SparkUnavailable
from sparktuner.execute.spark._cluster import connect_requested, require_running
from sparktuner.execute.spark._java import check_java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def active_session(spark_session: SparkSession | None = None) -> SparkSession:
    """Return the session to use: the one given, else the active one, else a new one.

    Raises:
        SparkUnavailable: the session was stopped; or there is none, and no Java serves to
            start one.
        MissingExtra: pyspark is not installed.
    """
    session = spark_session if spark_session is not None else _found_or_new()
    require_running(session)
    return session


def require_launchable() -> None:
    """Check, where a JVM would have to be launched, that there is a Java that serves.

    Raises:
        SparkUnavailable: there is none; says which ones serve and how to install one.
        MissingExtra: pyspark is not installed.
    """
    try:
        import pyspark
        from pyspark import SparkContext
    except ImportError as error:
        raise MissingExtra(
            "pyspark is not installed: pip install 'sparktuner[spark]'. A managed platform "
            "(Databricks, EMR, Dataproc) brings its own."
        ) from error
    launched = SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ
    if not launched and not connect_requested():
        check_java(pyspark.__version__)


def _found_or_new() -> SparkSession:
    require_launchable()
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    try:
        return SparkSession.builder.getOrCreate()
    except Exception as error:  # pyspark raises a dozen kinds here
        raise SparkUnavailable(f"No Spark session could be started: {error}") from error
