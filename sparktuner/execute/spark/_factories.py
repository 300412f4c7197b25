"""Puts an executor together for a session."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from sparktuner.execute._inbox import require_parallelism
from sparktuner.execute._local import ThreadExecutor
from sparktuner.execute._protocol import Objective
from sparktuner.execute.spark._environment import environment_of
from sparktuner.execute.spark._executor import SparkExecutor
from sparktuner.execute.spark._executor_watch import ExecutorWatch
from sparktuner.execute.spark._interrupt import spare_other_jobs
from sparktuner.execute.spark._preflight_settings import worker_settings
from sparktuner.execute.spark._session import active_session
from sparktuner.execute.spark._slots import Slots, fixed_width, following_width
from sparktuner.execute.spark._transport import Transport
from sparktuner.execute.spark._trial_jobs import TrialJobs

if TYPE_CHECKING:
    from pyspark.resource import ResourceProfile
    from pyspark.sql import SparkSession


def make_executor(
    session: SparkSession | None,
    objective: Objective,
    parallelism: int | None = None,
    resource_profile: ResourceProfile | None = None,
    max_retries: int = 1,
    at_most: int = sys.maxsize,
) -> SparkExecutor:
    """Ships the objective and returns the executor that runs it on this session.

    The first trial is preceded by one probe task: where workers cannot unpickle the objective,
    trials fail with ``WorkersNotReady``.

    Until the executor is closed, Ctrl-C in the main thread raises ``KeyboardInterrupt`` but
    does not cancel the application's other jobs, as pyspark's handler would.

    Args:
        session: None takes the active one, or starts one.
        objective: called with one argument on the workers.
        parallelism: how many trials run at a time; None follows the cluster's task slots.
        resource_profile: what each trial's task needs (stage-level scheduling).
        max_retries: how often a trial is run again whose Python worker died.
        at_most: the widest window that follows the cluster.

    Raises:
        UnpicklableObjective: the objective cannot be sent; names the variable.
        SparkUnavailable: the session was stopped, or none can be started.
        ValueError: ``parallelism`` is below 1.
    """
    session = active_session(session)
    if parallelism is not None:
        require_parallelism(parallelism)
    # Ctrl-C and errors while the objective is shipped must leave nothing behind.
    with ExitStack() as undo:
        restore = spare_other_jobs()
        undo.callback(restore)
        transport, session = _make_transport(session, objective, resource_profile)
        undo.callback(transport.close)
        slots = Slots(session, resource_profile)
        if parallelism is None:
            # Asked once here, before the first trial; afterwards by the monitor's thread.
            width = following_width(slots, at_most)
            parallelism = width()
        else:
            width = fixed_width(slots, parallelism)
        watch = ExecutorWatch(session)

        def width_now() -> int:
            watch.look()  # first, so that the log has a change's cause before it
            return width()

        executor = SparkExecutor(
            transport,
            parallelism,
            restore,
            max_retries,
            preflight=True,
            width=width_now,
            settings=partial(worker_settings, session),
            capacity=lambda: slots.counted,
        )
        undo.pop_all()  # the executor's close() does the same from here on
        return executor


def _make_transport(
    session: SparkSession,
    objective: Objective,
    resource_profile: ResourceProfile | None,
) -> tuple[Transport, SparkSession]:
    """The transport, and the session to ask about the cluster while trials run."""
    # Imported on use: what serves one kind of session may need what the other kind lacks.
    environment = environment_of(session)
    if environment.is_connect:
        from sparktuner.execute.spark.connect import ConnectTransport

        connect = ConnectTransport(session, objective, environment, resource_profile)
        return connect, connect.session  # whose client gives up soon when the server is gone
    from sparktuner.execute.spark.classic import ClassicTransport

    classic = ClassicTransport(session.sparkContext, objective, environment, resource_profile)
    return classic, session


def make_thread_executor(
    session: SparkSession | None, objective: Objective, parallelism: int
) -> ThreadExecutor:
    """Returns an executor for objectives that launch Spark jobs from threads of the driver.

    Each thread has a FAIR pool, and each trial's jobs a tag of their own, by which they are
    cancelled; Ctrl-C is as in :func:`make_executor`.

    Args:
        session: None takes the active one, or starts one.
        objective: called in threads of this process.
        parallelism: how many trials run at a time.

    Raises:
        SparkUnavailable: the session was stopped, or none can be started.
        ValueError: ``parallelism`` is below 1.
    """
    require_parallelism(parallelism)
    jobs = trial_jobs(session)
    return ThreadExecutor(
        objective,
        parallelism,
        jobs.around,
        jobs.cancel,
        on_close=spare_other_jobs(),
        why_gone=jobs.why_gone,
    )


def trial_jobs(session: SparkSession | None = None) -> TrialJobs:
    """Returns what tags and cancels the jobs that trials launch from threads of the driver.

    Args:
        session: None takes the active one, or starts one.

    Raises:
        SparkUnavailable: the session was stopped, or none can be started.
    """
    session = active_session(session)
    if environment_of(session).is_connect:
        from sparktuner.execute.spark.connect import ConnectTrialJobs

        return ConnectTrialJobs(session)
    from sparktuner.execute.spark.classic import ClassicTrialJobs

    return ClassicTrialJobs(session.sparkContext)
