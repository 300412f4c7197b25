"""Running trials on Spark, one job each; importing this does not import pyspark.

Reading order: ``_session`` and ``_cluster`` (which Spark is this; ``_java``), ``_slots`` (how
much it runs at a time), ``_window`` (the executor; with ``_watch``, ``_preflight`` and
``_attempts``), ``_transport`` (the seam between the two kinds of session), ``_classic`` (RDD jobs;
with ``_shipping``, ``_worker``, ``_failures`` and ``_status``), ``_connect`` (DataFrame jobs; with
``_connect_worker`` and ``_connect_session``, a client of the search's own), ``_scope`` (jobs that
a trial launches itself), ``_interrupt`` (Ctrl-C), ``_executors`` (puts it together).
"""

from sparktuner.execute.spark._executors import make_executor, make_thread_executor, trial_scope
from sparktuner.execute.spark._session import active_session, require_launchable
from sparktuner.execute.spark._slots import Slots
from sparktuner.execute.spark._transport import JobFailed, Transport
from sparktuner.execute.spark._window import SparkExecutor

__all__ = [
    "active_session",
    "require_launchable",
    "Slots",
    "make_executor",
    "make_thread_executor",
    "SparkExecutor",
    "Transport",
    "JobFailed",
    "trial_scope",
]
