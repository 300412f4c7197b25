"""The seam between the window and one kind of Spark session."""

from __future__ import annotations

from abc import ABC, abstractmethod


class JobFailed(Exception):
    """A trial's Spark job ended without a report.

    Attributes:
        error_type: ``"WorkerDied"``, ``"SparkUnavailable"``, ``"JobCancelled"`` (by somebody
            else), or the type that Spark names.
        message: the last reason that Spark gives.
        traceback: of the Python worker, where there is one.
        host: where the task ran, if Spark tells.
        is_lost: the executor or its host went away, which is not the trial's doing.
    """

    def __init__(
        self,
        error_type: str,
        message: str,
        traceback: str = "",
        host: str = "",
        is_lost: bool = False,
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.traceback = traceback
        self.host = host
        self.is_lost = is_lost


class Transport(ABC):
    """Brings a pickled argument to the objective on a worker, and an encoded report back.

    Called from many threads at once. The objective is shipped when the transport is made.
    """

    @abstractmethod
    def run(self, task: bytes, tag: str, description: str) -> bytes:
        """Run one trial as one Spark job and return its encoded report; blocks.

        Args:
            task: the pickled argument.
            tag: the trial's own tag; the job carries it.
            description: one line for the Spark UI.

        Raises:
            JobFailed: the job ended without a report. The caller decides whether to run the
                trial again.
        """

    @abstractmethod
    def cancel(self, tag: str) -> None:
        """Cancel the job with this tag, if there is one by now; does not raise."""

    @abstractmethod
    def running_since(self, tag: str) -> float | None:
        """Return when the trial's task got a slot, in seconds since the epoch; does not raise.

        None while it waits for one. May ask Spark, until it has got one.
        """

    @abstractmethod
    def close(self) -> None:
        """Release what was shipped; called once, after the last :meth:`run` has returned."""
