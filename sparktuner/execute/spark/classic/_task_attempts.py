"""What Spark's own bookkeeping says of a trial's task."""

from __future__ import annotations

from typing import NamedTuple

from sparktuner.execute.spark._environment import JavaObject

# More attempts than this of one task are not worth a look.
_MAX_ATTEMPTS = 16


class TaskAttempt(NamedTuple):
    """An attempt of a trial's task.

    Attributes:
        launched: seconds since the epoch, by the driver's clock.
        running: whether it still runs.
        error: why it ended, in Spark's words; empty where it did not fail.
        host: where it ran.
    """

    launched: float
    running: bool
    error: str
    host: str


def task_attempts(java_context: JavaObject, job: JavaObject) -> list[TaskAttempt]:
    """Returns the attempts of a one-task job, first one first.

    The store is filled by Spark's listeners, so a job a few milliseconds old may not be in it
    yet. pyspark's public ``statusTracker`` knows no times; the store behind the UI does, and
    is there without the UI.

    Args:
        java_context: the Scala ``SparkContext``.
        job: a ``JavaFutureAction``.

    Raises:
        py4j.protocol.Py4JError: the job is not known (yet), or the JVM is gone.
    """
    store = java_context.statusStore()
    stage = store.job(job.jobIds().get(0)).stageIds().head()
    stage_attempt = store.lastStageAttempt(stage).attemptId()
    tasks = store.taskList(stage, stage_attempt, _MAX_ATTEMPTS)
    attempts = [_attempt(tasks.apply(index)) for index in range(tasks.size())]
    return sorted(attempts)


def _attempt(task: JavaObject) -> TaskAttempt:
    error = task.errorMessage()
    return TaskAttempt(
        launched=task.launchTime().getTime() / 1000,
        running=str(task.status()) == "RUNNING",
        error=str(error.get()) if error.isDefined() else "",
        host=str(task.host()),
    )
