"""Trials on a session that has a SparkContext.

Reading order: ``_transport`` (trials as RDD jobs), ``_task_attempts`` (what Spark's own
bookkeeping says of them), ``_failures`` (what its exceptions mean), ``_trial_jobs`` (jobs that a
trial launches itself).
"""

from sparktuner.execute.spark.classic._transport import ClassicTransport
from sparktuner.execute.spark.classic._trial_jobs import ClassicTrialJobs

__all__ = ["ClassicTransport", "ClassicTrialJobs"]
