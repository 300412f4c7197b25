"""The states of a trial, the statuses of a result, and the kinds of failure."""

from __future__ import annotations

from enum import Enum
from typing import Final

JOB_STATE_NEW: Final = 0
JOB_STATE_RUNNING: Final = 1
JOB_STATE_DONE: Final = 2
JOB_STATE_ERROR: Final = 3
JOB_STATE_CANCEL: Final = 4
JOB_STATES: Final = (
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_CANCEL,
)

STATUS_NEW: Final = "new"
STATUS_RUNNING: Final = "running"
STATUS_SUSPENDED: Final = "suspended"
STATUS_OK: Final = "ok"
STATUS_FAIL: Final = "fail"
STATUS_STRINGS: Final = (STATUS_NEW, STATUS_RUNNING, STATUS_SUSPENDED, STATUS_OK, STATUS_FAIL)
# Set by sparktuner's pruners only; not one of hyperopt's five.
STATUS_PRUNED: Final = "pruned"


class FailureKind(str, Enum):
    """Why a trial has no result, for code to tell apart; error types and messages are for people.

    Attributes:
        OBJECTIVE: the objective raised.
        RESULT: what the objective returned is no result, or cannot be sent back.
        ARGUMENT: the configuration, or the objective with it, cannot be sent to the worker.
        WORKER_DIED: the worker process ended in mid-trial, or its executor was lost.
        JOB_CANCELLED: somebody else cancelled the trial's Spark job.
        WORKERS_NOT_READY: no worker can run the objective; found out before the first trial.
        SESSION_GONE: the Spark session was stopped, or its JVM or server does not answer.
        SPARK: whatever else Spark reports.
        TIMEOUT: the trial ran longer than it may.
    """

    OBJECTIVE = "objective"
    RESULT = "result"
    ARGUMENT = "argument"
    WORKER_DIED = "worker died"
    JOB_CANCELLED = "job cancelled"
    WORKERS_NOT_READY = "workers not ready"
    SESSION_GONE = "session gone"
    SPARK = "spark"
    TIMEOUT = "timeout"
