"""The Spark that a command runs on."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sparktuner.errors import SparkUnavailable
from sparktuner.execute.spark import active_session, forget_unanswered
from sparktuner.testing import local_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def session_at(master: str | None, cores: int | str) -> Iterator[SparkSession]:
    """Starts Spark in this process, or takes the cluster at ``master``; stops it at the end.

    Args:
        master: of an existing cluster, or ``local[4]``. None is that of ``spark-submit``, where
            it runs this process; else Spark starts inside this process.
        cores: how many trials can run at a time where Spark starts in this process, or a master
            such as ``"local[*]"``.

    Raises:
        SparkUnavailable: there is no Java that serves, or no Spark at ``master``.
        MissingExtra: pyspark is not installed.
    """
    under_spark_submit = "PYSPARK_GATEWAY_PORT" in os.environ
    if (master is None and not under_spark_submit) or (master or "").startswith("local"):
        with local_spark(master or cores) as session:
            yield session
        return
    if master is not None and master.startswith("sc://"):
        os.environ["SPARK_REMOTE"] = master
    elif master is not None:
        # The cluster's own settings hold, not those of our conf folder.
        os.environ["PYSPARK_SUBMIT_ARGS"] = f"--master {shlex.quote(master)} pyspark-shell"
    try:
        session = active_session()
    except SparkUnavailable:
        forget_unanswered()
        raise
    try:
        yield session
    finally:
        session.stop()


def master_named(master: str | None) -> str | None:
    """Returns the master that a user has named, in ``SPARK_REMOTE`` if nowhere else."""
    return master or os.environ.get("SPARK_REMOTE") or None
