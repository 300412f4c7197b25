"""Running the objective: the executor's seam, and the two ways that need no Spark.

Reading order: ``_protocol`` (what the driver sees), ``worker`` (one call of the objective, here
or on a worker), ``_inbox`` (how events reach the driver), ``_daemon_threads``, ``_local`` (in
this process), ``_by_value`` (how modules reach workers), ``_within`` (what is not waited for too
long); then ``sparktuner.execute.spark``.
"""

from sparktuner.execute._by_value import modules_by_value
from sparktuner.execute._local import SerialExecutor, SerialRunner, ThreadExecutor
from sparktuner.execute._protocol import (
    Attached,
    Cancelled,
    Checkpointed,
    EarlierAttempt,
    Ended,
    Event,
    Execution,
    Executor,
    Failed,
    Finished,
    Injected,
    Limits,
    Objective,
    Posted,
    Runner,
    SlotChanged,
    Started,
    Submission,
    Tid,
    utc_now,
)
from sparktuner.execute._within import within
from sparktuner.execute.worker import CurrentTrial, current_trial

__all__ = [
    "Tid",
    "Objective",
    "Runner",
    "Limits",
    "Executor",
    "Submission",
    "Event",
    "Started",
    "SlotChanged",
    "Posted",
    "Checkpointed",
    "Injected",
    "Attached",
    "Ended",
    "Finished",
    "Failed",
    "Cancelled",
    "Execution",
    "EarlierAttempt",
    "utc_now",
    "SerialRunner",
    "SerialExecutor",
    "ThreadExecutor",
    "CurrentTrial",
    "current_trial",
    "modules_by_value",
    "within",
]
