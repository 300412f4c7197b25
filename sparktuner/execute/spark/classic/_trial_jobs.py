"""Spark jobs that a trial launches itself on a session that has a SparkContext."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sparktuner.execute.spark._environment import is_context_stopped
from sparktuner.execute.spark._failures import GONE, failed_in_driver
from sparktuner.execute.spark._trial_jobs import TrialJobs, printable

if TYPE_CHECKING:
    from pyspark import SparkContext


class ClassicTrialJobs(TrialJobs):
    """Trial jobs on Spark Classic, with a FAIR pool, a tag and a description for each trial.

    A pool belongs to a thread, not to a trial: Spark keeps pools for ever.
    """

    def __init__(self, context: SparkContext) -> None:
        """Remembers the local properties (job group, tags) of the calling thread."""
        super().__init__()
        self._context = context
        self._inherited = context._jsc.sc().getLocalProperties().clone()

    @contextmanager
    def around(self, tid: int, description: str) -> Iterator[None]:
        scala = self._context._jsc.sc()
        before = scala.getLocalProperties()
        # A clone: threads that share one Properties object would share each trial's tag.
        scala.setLocalProperties(self._inherited.clone())
        self._context.setLocalProperty("spark.scheduler.pool", threading.current_thread().name)
        self._context.setJobDescription(printable(description))
        self._context.addJobTag(self.tag(tid))
        try:
            yield
        finally:
            if self._context._jsc is not None:  # not stopped by the objective
                scala.setLocalProperties(before)

    def cancel(self, tids: Iterable[int]) -> None:
        for tid in tids:
            self._context.cancelJobsWithTag(self.tag(tid))

    def why_gone(self, error: BaseException | None) -> str:
        if error is not None and failed_in_driver(error) is not None:
            return ""  # to ask the JVM would fail as well
        return GONE if is_context_stopped(self._context) else ""
