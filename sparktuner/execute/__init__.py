"""Running the objective: the executor's seam, and the two ways that need no Spark.

Reading order: ``_protocol`` (what the driver sees), ``_task`` (one call of the objective, here
or on a worker; ``_current``, ``_pickling``, ``_probe`` and ``_threads`` travel with it),
``_inbox`` (how events reach the driver), ``_lanes`` (threads), ``_local`` (in this process);
then ``sparktuner.execute.spark``.
"""

from sparktuner.execute._current import CurrentTrial, current_trial
from sparktuner.execute._local import SerialExecutor, ThreadExecutor
from sparktuner.execute._protocol import (
    Cancelled,
    Event,
    Execution,
    Executor,
    Failed,
    Finished,
    Started,
)

__all__ = [
    "Executor",
    "Event",
    "Started",
    "Finished",
    "Failed",
    "Cancelled",
    "Execution",
    "SerialExecutor",
    "ThreadExecutor",
    "CurrentTrial",
    "current_trial",
]
