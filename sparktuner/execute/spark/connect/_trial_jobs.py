"""Spark jobs that a trial launches itself on a Spark Connect session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sparktuner.execute.spark._environment import ConnectSession
from sparktuner.execute.spark._trial_jobs import TrialJobs


class ConnectTrialJobs(TrialJobs):
    """Trial jobs on Spark Connect, with a tag; pools and descriptions are the server's affair."""

    def __init__(self, session: ConnectSession) -> None:
        super().__init__()
        self._session = session

    @contextmanager
    def around(self, tid: int, description: str) -> Iterator[None]:
        self._session.addTag(self.tag(tid))  # for this thread
        try:
            yield
        finally:
            self._session.removeTag(self.tag(tid))

    def cancel(self, tids: Iterable[int]) -> None:
        for tid in tids:
            self._session.interruptTag(self.tag(tid))
