"""What can be told of Spark without a search: for who looks whether all is in order."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sparktuner.errors import MissingExtra, WorkersNotReady
from sparktuner.execute._protocol import Ended, Failed, Finished, Submission
from sparktuner.execute.spark._environment import (
    connect_client,
    environment_of,
    found_session,
    is_client_alone,
    is_connect,
    needs_jvm,
    read_conf,
)
from sparktuner.execute.spark._executor import SparkExecutor
from sparktuner.execute.spark._factories import make_executor
from sparktuner.execute.spark._java import check_java
from sparktuner.execute.spark._preflight_settings import worker_settings
from sparktuner.execute.spark._slots import Slots
from sparktuner.execute.worker import WorkerFacts, worker_facts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class SessionFacts:
    """What a session is, and what its settings say.

    Attributes:
        is_connect: a Spark Connect session.
        version: of Spark; of the server's, on Spark Connect.
        master: the cluster's; empty where a managed service does not say.
        slots: how many trials can run at a time now.
        can_grow: whether waiting trials make Spark ask for more executors.
        task_cpus: how many cores a trial takes.
        speculates: Spark may start a second copy of a trial that still runs.
        cautions: on settings of the Python workers that make a search slow, or end its trials.
    """

    is_connect: bool
    version: str
    master: str
    slots: int
    can_grow: bool
    task_cpus: int
    speculates: bool
    cautions: Sequence[str]


def pyspark_found() -> str:
    """Returns which pyspark is installed, in words.

    Raises:
        MissingExtra: none is.
    """
    try:
        import pyspark
    except ImportError as error:
        raise MissingExtra(
            "pyspark is not installed: pip install 'sparktuner[spark]', or 'sparktuner[client]' "
            "where Spark is a Connect server elsewhere"
        ) from error
    kind = " (pyspark-client: Spark Connect alone)" if is_client_alone() else ""
    return f"{pyspark.__version__} in {os.path.dirname(pyspark.__file__)}{kind}"


def java_found() -> str | None:
    """Returns which Java would start Spark here, in words; None where none is needed.

    Raises:
        SparkUnavailable: there is none that serves; says which ones do and how to install one.
        ImportError: pyspark is not installed.
    """
    import pyspark

    return check_java(pyspark.__version__) if needs_jvm() else None


def forget_unanswered() -> None:
    """Lets the process end at once though a Spark Connect session is there that nobody answers.

    Its client would ask the server to let go of it when the interpreter exits, for minutes.
    """
    session = found_session()
    if session is not None and is_connect(session):
        for hook in connect_client(session).exit_hooks:
            atexit.unregister(getattr(session.client, hook))


def session_facts(session: SparkSession) -> SessionFacts:
    """Returns what a session is, and what its settings say.

    Args:
        session: usable, see ``active_session``.

    Raises:
        SparkUnavailable: it was started in a way that cannot be used.
    """
    environment = environment_of(session)
    slots = Slots(session)
    return SessionFacts(
        is_connect=environment.is_connect,
        version=session.version,
        master=read_conf(session, "spark.master"),
        slots=slots.count(),
        can_grow=slots.can_grow(),
        task_cpus=int(read_conf(session, "spark.task.cpus") or 1),
        speculates=environment.speculates,
        cautions=worker_settings(session).cautions(),
    )


def ask_worker(session: SparkSession, packages: Sequence[str], time_limit: float) -> WorkerFacts:
    """Returns what a worker tells of itself, in a job of one task that is a trial in all else.

    Args:
        session: usable, see ``active_session``.
        packages: top-level modules whose versions are told.
        time_limit: seconds that the job may take.

    Raises:
        WorkersNotReady: no worker could run it; the message says why.
    """
    executor = make_executor(session, worker_facts, parallelism=1)
    try:
        executor.submit(Submission(0, list(packages), "doctor: what is a worker?"))
        return _told(executor, time_limit)
    finally:
        executor.close()


def _told(executor: SparkExecutor, time_limit: float) -> WorkerFacts:
    deadline = time.monotonic() + time_limit
    while (left := deadline - time.monotonic()) > 0:
        for event in executor.wait(left):
            if isinstance(event, Finished):
                return cast(WorkerFacts, event.value)
            if isinstance(event, Failed):
                raise WorkersNotReady(f"{event.error_type}: {event.message}")
            if isinstance(event, Ended):
                raise WorkersNotReady("the job was cancelled")
    raise WorkersNotReady(
        f"no task has ended within {time_limit:g} s: no slot is free, or the cluster has no "
        "executors, or they cannot reach this driver (spark.driver.host). Look at the cluster's "
        "page of this application"
    )
