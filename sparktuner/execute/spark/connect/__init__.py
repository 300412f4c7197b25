"""Trials on a Spark Connect session, which may have no JVM on its side.

Reading order: ``_transport`` (trials as DataFrame jobs), ``_session`` (a client of the search's
own), ``_failures`` (what its exceptions mean), ``_trial_jobs`` (jobs that a trial launches
itself).
"""

from sparktuner.execute.spark.connect._session import require_answer
from sparktuner.execute.spark.connect._transport import ConnectTransport
from sparktuner.execute.spark.connect._trial_jobs import ConnectTrialJobs

__all__ = ["ConnectTransport", "ConnectTrialJobs", "require_answer"]
