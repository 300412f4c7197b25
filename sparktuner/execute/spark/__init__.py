"""Running trials on Spark, one job each; importing this does not import pyspark.

Reading order: ``_runners`` (what users choose), ``_environment`` (which Spark is this),
``_session`` (which session to use; ``_java``), ``_slots`` (how much it runs at a time),
``_executor`` (the window of jobs; with ``_slot_monitor``, ``_preflight`` and ``_attempts``),
``_transport`` (the seam between the two kinds of session), ``_shipping`` (what goes to the
workers), ``_failures`` (what comes back instead of a result), ``classic`` and ``connect`` (the
two kinds), ``_trial_jobs`` (jobs that a trial launches itself), ``_interrupt`` (Ctrl-C),
``_factories`` (puts an executor together),
``_facts`` (what can be told without a search).
"""

from sparktuner.execute.spark._environment import has_session, read_conf, running_session
from sparktuner.execute.spark._executor import SparkExecutor
from sparktuner.execute.spark._factories import make_executor, make_thread_executor, trial_jobs
from sparktuner.execute.spark._facts import (
    SessionFacts,
    ask_worker,
    forget_unanswered,
    java_found,
    pyspark_found,
    session_facts,
)
from sparktuner.execute.spark._runners import SparkRunner, ThreadRunner
from sparktuner.execute.spark._session import (
    active_session,
    require_launchable,
    require_own_spark,
)
from sparktuner.execute.spark._slots import Slots
from sparktuner.execute.spark._transport import JobFailed, Transport

__all__ = [
    "SparkRunner",
    "ThreadRunner",
    "active_session",
    "has_session",
    "require_launchable",
    "require_own_spark",
    "running_session",
    "read_conf",
    "Slots",
    "make_executor",
    "make_thread_executor",
    "SparkExecutor",
    "Transport",
    "JobFailed",
    "trial_jobs",
    "pyspark_found",
    "java_found",
    "session_facts",
    "SessionFacts",
    "ask_worker",
    "forget_unanswered",
]
