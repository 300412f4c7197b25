"""The seam for Spark jobs that a trial launches itself, from a thread of the driver."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager


def printable(description: str) -> str:
    """Returns a text that can be sent to the JVM: a lone surrogate in a label cannot."""
    return description.encode("utf-8", "replace").decode("utf-8")


class TrialJobs(ABC):
    """The Spark jobs that trials launch from threads of the driver, each trial's with its tag.

    For ``ThreadExecutor``: :meth:`around` is entered in the trial's thread, :meth:`cancel` ends
    the jobs of trials that shall stop.
    """

    def __init__(self) -> None:
        self._run_id = uuid.uuid4().hex[:8]

    def tag(self, tid: int) -> str:
        """Returns the tag that the trial's Spark jobs carry."""
        return f"sparktuner-{self._run_id}-{tid}"

    @abstractmethod
    def around(self, tid: int, description: str) -> AbstractContextManager[None]:
        """Returns a context in which the jobs of the calling thread are this trial's."""

    @abstractmethod
    def cancel(self, tids: Iterable[int]) -> None:
        """Cancels the jobs that these trials launched, and no others; may block, or raise."""

    @abstractmethod
    def why_gone(self, error: BaseException | None) -> str:
        """Returns a sentence for people where the session is gone, else an empty text.

        Args:
            error: what the objective raised; None where :meth:`cancel` has not come back, and
                the session may be asked, which takes some seconds.
        """
