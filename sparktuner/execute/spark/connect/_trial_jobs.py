"""Spark jobs that a trial launches itself on a Spark Connect session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sparktuner.errors import SparkUnavailable
from sparktuner.execute.spark._environment import ConnectSession, is_session_stopped
from sparktuner.execute.spark._failures import GONE
from sparktuner.execute.spark._trial_jobs import TrialJobs
from sparktuner.execute.spark.connect._failures import connect_failed
from sparktuner.execute.spark.connect._session import answers, require_answer
from sparktuner.status import FailureKind


class ConnectTrialJobs(TrialJobs):
    """Trial jobs on Spark Connect, with a tag; pools and descriptions are the server's affair."""

    def __init__(self, session: ConnectSession) -> None:
        super().__init__()
        self._session = session

    @contextmanager
    def around(self, tid: int, description: str) -> Iterator[None]:
        # Spark ML asks for the active session, which on Connect each thread has of its own;
        # pyspark sets it so in the threads that it starts itself.
        self._session._set_default_and_active_session(self._session)
        self._session.addTag(self.tag(tid))  # for this thread
        try:
            yield
        finally:
            self._session.removeTag(self.tag(tid))

    def cancel(self, tids: Iterable[int]) -> None:
        for tid in tids:
            self._session.interruptTag(self.tag(tid))

    def why_gone(self, error: BaseException | None) -> str:
        if is_session_stopped(self._session):
            return GONE
        if error is None:
            return "" if answers(self._session) else GONE
        # Its words may be those of another server that the objective uses: this one is asked.
        if (
            not isinstance(error, Exception)
            or connect_failed(error).kind is not FailureKind.SESSION_GONE
        ):
            return ""
        try:
            require_answer(self._session)
        except SparkUnavailable:
            return GONE
        return ""
