"""Which executors came and went while a search runs, told in the log."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from sparktuner.execute.spark._environment import JavaObject, is_connect, is_local

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_log = logging.getLogger("sparktuner")


class _Told(NamedTuple):
    """What Spark's store says of an executor; empty where it does not."""

    host: str = ""
    reason: str = ""


class ExecutorWatch:
    """A list of a cluster's executors, compared with the one before whenever it is asked.

    Spark Classic alone tells of executors: on Spark Connect, and in local mode, which has none
    but the driver, nothing is asked.
    """

    def __init__(self, session: SparkSession) -> None:
        """Notes which executors are there to begin with.

        Args:
            session: usable, see ``active_session``.
        """
        self._context: JavaObject | None = None
        self._known: frozenset[str] = frozenset()
        if not is_connect(session) and not is_local(str(session.sparkContext.master)):
            self._context = session.sparkContext._jsc.sc()
        self._known = self._ids()

    def look(self) -> None:
        """Writes to the log which executors came and went since the last look; never raises."""
        now = self._ids()
        before, self._known = self._known, now
        for executor in sorted(before - now):
            told = self._told(executor)
            self._say("executor_lost", executor, told, f": {told.reason or 'no reason is known'}")
        for executor in sorted(now - before):
            self._say("executor_gained", executor, self._told(executor))

    def _say(self, event: str, executor: str, told: _Told, why: str = "") -> None:
        _log.info(
            "executor %s%s was %s%s; there are %d",
            executor,
            f" on {told.host}" if told.host else "",
            event.removeprefix("executor_"),
            why,
            len(self._known),
            extra={
                "event": event,
                "executor": executor,
                "host": told.host,
                "reason": told.reason,
                "executors": len(self._known),
            },
        )

    def _ids(self) -> frozenset[str]:
        if self._context is None:
            return frozenset()
        try:
            # One string: each item of a Scala list would be a question of its own.
            ids = str(self._context.getExecutorIds().mkString(","))
        except Exception:  # a method of Spark's own, which a fork may lack; or the JVM is gone
            return self._known
        return frozenset(filter(None, ids.split(",")))

    def _told(self, executor: str) -> _Told:
        with suppress(Exception):  # as above; or the store has not heard of it, or has forgotten
            context: JavaObject = self._context
            summary = context.statusStore().executorSummary(executor)
            reason = summary.removeReason()
            # Spark's reasons may have a second line, of advice.
            why = str(reason.get()).strip().splitlines()[0] if reason.isDefined() else ""
            return _Told(str(summary.hostPort()).rpartition(":")[0], why)
        return _Told()
