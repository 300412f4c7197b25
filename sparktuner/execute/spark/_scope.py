"""Spark jobs that a trial launches itself, from a thread of the driver."""

from __future__ import annotations

import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class TrialScope(ABC):
    """What surrounds a trial that launches Spark jobs from a thread of the driver.

    For ``ThreadExecutor``: ``around`` is entered in the trial's thread, ``cancel`` ends the
    jobs of trials that shall stop.
    """

    def __init__(self) -> None:
        self._run_id = uuid.uuid4().hex[:8]

    def tag(self, tid: Any) -> str:
        """Return the tag that the trial's Spark jobs carry."""
        return f"sparktuner-{self._run_id}-{tid}"

    @abstractmethod
    def around(self, tid: Any, description: str) -> AbstractContextManager[None]:
        """Enter the scope of a trial, in its own thread."""

    @abstractmethod
    def cancel(self, tids: Iterable[Any]) -> None:
        """Cancel the jobs that these trials have launched, and no others."""


class ConnectScope(TrialScope):
    """Gives each trial's own Spark jobs a tag; pools and descriptions are the server's affair."""

    def __init__(self, session: Any) -> None:
        super().__init__()
        self._session = session

    @contextmanager
    def around(self, tid: Any, description: str) -> Iterator[None]:
        self._session.addTag(self.tag(tid))  # for this thread
        try:
            yield
        finally:
            self._session.removeTag(self.tag(tid))

    def cancel(self, tids: Iterable[Any]) -> None:
        for tid in tids:
            self._session.interruptTag(self.tag(tid))


class ClassicScope(TrialScope):
    """Gives each trial's own Spark jobs a FAIR pool, a tag and a description.

    A pool belongs to a thread, not to a trial: Spark keeps pools for ever.
    """

    def __init__(self, session: SparkSession) -> None:
        """Remember the local properties (job group, tags) of the calling thread."""
        super().__init__()
        self._context = session.sparkContext
        self._inherited = self._context._jsc.sc().getLocalProperties().clone()

    @contextmanager
    def around(self, tid: Any, description: str) -> Iterator[None]:
        scala = self._context._jsc.sc()
        before = scala.getLocalProperties()
        scala.setLocalProperties(self._inherited.clone())
        self._context.setLocalProperty("spark.scheduler.pool", threading.current_thread().name)
        self._context.setJobDescription(description)
        self._context.addJobTag(self.tag(tid))
        try:
            yield
        finally:
            if self._context._jsc is not None:  # not stopped by the objective
                scala.setLocalProperties(before)

    def cancel(self, tids: Iterable[Any]) -> None:
        for tid in tids:
            self._context.cancelJobsWithTag(self.tag(tid))
