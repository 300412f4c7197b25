"""The states of a trial (what the driver did with it) and the statuses of a result."""

from __future__ import annotations

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
