"""How many trials a cluster can run at a time, asked anew as executors come and go."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sparktuner.execute.spark._environment import (
    ConnectSession,
    JavaObject,
    is_connect,
    is_local,
    read_conf,
)

if TYPE_CHECKING:
    from pyspark.resource import ResourceProfile
    from pyspark.sql import SparkSession

_log = logging.getLogger("sparktuner")

# More rows than any cluster has cores, so that each partition of a range has some.
_MANY = 100_000
_NO_LIMIT = 2**31 - 1


class Slots:
    """A count of the task slots of a session's cluster.

    Spark Classic counts the slots of the executors that are there, for tasks of the profile.
    Spark Connect tells its default parallelism only, which is the number of cores unless
    ``spark.default.parallelism`` is set: it is read from the plan of a range, without a job.

    Attributes:
        counted: what was counted last; None before.
    """

    def __init__(
        self, session: SparkSession, resource_profile: ResourceProfile | None = None
    ) -> None:
        """Asks for what does not change while the session runs.

        Args:
            session: usable, see ``active_session``.
            resource_profile: counts the slots for tasks of this profile (Spark Classic only).
        """
        self.counted: int | None = None
        self._session = session
        self._profile = resource_profile
        self._connect = is_connect(session)
        get = partial(read_conf, session)
        self._task_cpus = int(get("spark.task.cpus") or 1)
        self._most_executors = 0
        if get("spark.dynamicAllocation.enabled") == "true" and not is_local(get("spark.master")):
            most = get("spark.dynamicAllocation.maxExecutors")
            self._most_executors = int(most or _NO_LIMIT)

    def count(self) -> int:
        """Returns how many one-task jobs can run at a time now, at least 1."""
        self.counted = self._count()
        return self.counted

    def _count(self) -> int:
        if self._connect:
            return max(1, _default_parallelism(self._session) // self._task_cpus)
        context = self._session.sparkContext
        try:
            count = self._count_classic(context._jsc.sc())
        except Exception:  # methods of Spark's own, not of its API; a fork may lack them
            count = 0
        # 0 too as long as no executor has come up.
        return count or max(1, int(context.defaultParallelism) // self._task_cpus)

    def can_grow(self) -> bool:
        """Returns whether trials that wait make Spark ask for more executors.

        It does with dynamic allocation, up to its maximum.
        """
        if not self._most_executors:
            return False
        if self._connect:
            return True
        try:
            running = int(self._session.sparkContext._jsc.sc().getExecutorIds().size())
        except Exception:  # as above
            return False
        return running < self._most_executors

    def width(self) -> int:
        """Returns how many trials to run at a time: one on each slot.

        Where waiting trials make the cluster grow, as many wait as run: without any it would
        stay as it is, and many at once would know little of each other.
        """
        count = self.count()
        return 2 * count if self.can_grow() else count

    def _count_classic(self, scala: JavaObject) -> int:
        profiles = scala.resourceProfileManager()
        if self._profile is None:
            return int(scala.maxNumConcurrentTasks(profiles.defaultResourceProfile()))
        profile: JavaObject = self._profile._java_resource_profile
        profiles.addResourceProfile(profile)  # its first use may be yet to come
        # None of its executors need be there: a trial makes Spark start one.
        return max(1, int(scala.maxNumConcurrentTasks(profile)))


def _default_parallelism(session: ConnectSession) -> int:
    """Return into how many partitions the server splits a range."""
    frame = session.range(_MANY)
    splits = re.search(r"splits=(\d+)", frame._explain_string())
    if splits is not None:
        return int(splits.group(1))
    partitions = frame.selectExpr("spark_partition_id() AS id")
    return 1 + int(partitions.selectExpr("max(id)").collect()[0][0])


def following_width(slots: Slots, at_most: int) -> Callable[[], int]:
    """Returns a function that says how wide a window is to be that follows the cluster.

    Args:
        slots: of the cluster.
        at_most: the widest window.
    """
    return lambda: min(slots.width(), at_most)


def fixed_width(slots: Slots, parallelism: int) -> Callable[[], int]:
    """Returns a function that says how wide a window is to be whose width was given.

    It counts the slots all the same, for those who want to know what of the window runs. Its
    first call warns if the width exceeds them: it may take its time, so it is made beside the
    trials, not before them.

    Args:
        slots: of the cluster.
        parallelism: the width.
    """
    compared = False

    def width() -> int:
        nonlocal compared
        count = slots.count()
        if not compared:
            compared = True
            if count < parallelism and not slots.can_grow():
                _log.warning(
                    "parallelism=%d exceeds the %d task slots that the cluster has now: %d "
                    "trials will wait, each suggested before it had to be. Give a lower number, "
                    "or None, which follows the cluster",
                    parallelism,
                    count,
                    parallelism - count,
                )
        return parallelism

    return width
