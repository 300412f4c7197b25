"""The seam between the window and one kind of Spark session."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sparktuner import errors
from sparktuner.status import FailureKind

# How each kind is called in documents, where Spark itself names no type.
_ERROR_TYPES = {
    FailureKind.WORKER_DIED: errors.WorkerDied.__name__,
    FailureKind.JOB_CANCELLED: errors.JobCancelled.__name__,
    FailureKind.WORKERS_NOT_READY: errors.WorkersNotReady.__name__,
    FailureKind.SESSION_GONE: errors.SparkUnavailable.__name__,
}


class JobFailed(Exception):
    """The failure of a Spark job that ended without an outcome of its trial.

    Attributes:
        kind: why, for code.
        error_type: why, for people: the name of an error of ours, or the type that Spark names.
        message: the last reason that Spark gives.
        traceback: of the Python worker, where there is one.
        host: where the task ran, if Spark tells.
        is_lost: the executor or its host went away, which is not the trial's doing.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        traceback: str = "",
        error_type: str = "",
        host: str = "",
        is_lost: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.error_type = error_type or _ERROR_TYPES.get(kind, kind.value)
        self.message = message
        self.traceback = traceback
        self.host = host
        self.is_lost = is_lost


class Transport(ABC):
    """A way to bring a task to the objective on a worker, and an encoded outcome back.

    Called from many threads at once. The objective is shipped when the transport is made.
    """

    @abstractmethod
    def run(self, task: bytes, tag: str, description: str) -> bytes:
        """Runs one trial as one Spark job and returns its encoded outcome; blocks.

        Args:
            task: what ``pack_task`` made.
            tag: the trial's own tag; the job carries it.
            description: one line for the Spark UI.

        Raises:
            JobFailed: the job ended without an outcome. The caller decides whether to run the
                trial again.
        """

    @abstractmethod
    def take(self, request: bytes, tag: str, description: str, spread: int) -> bytes:
        """Takes a piece of a file that a trial has left on its worker's disk; blocks.

        Args:
            request: what ``execute.worker.take`` is called with, pickled.
            tag: the trial's own tag; the job carries it.
            description: one line for the Spark UI.
            spread: in so many tasks at a time, so that one of them may be where the file is;
                no more than one where there is one executor.

        Returns:
            The piece; empty where no task has found the file.

        Raises:
            JobFailed: the job ended without an answer.
        """

    @abstractmethod
    def cancel(self, tag: str) -> None:
        """Cancels the job with this tag, if there is one by now; does not raise."""

    @abstractmethod
    def running_since(self, tag: str) -> float | None:
        """Returns when the trial's task got a slot, in seconds since the epoch; does not raise.

        None while it waits for one, infinity while it is not known yet whether it has one. May
        ask Spark, until it has got one.
        """

    def is_gone(self) -> bool:
        """Returns whether the session is gone though jobs on it have not ended; does not raise.

        May ask, and wait some seconds for an answer. A session whose end fails its jobs at
        once has nothing to add.
        """
        return False

    @abstractmethod
    def close(self) -> None:
        """Releases what was shipped; called once, after the last :meth:`run` has returned."""
