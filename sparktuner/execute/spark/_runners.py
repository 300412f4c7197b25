"""Where a search runs its trials, as its user says: on Spark, or in threads beside it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sparktuner.checks import (
    check_has,
    check_loss_threshold,
    check_parallelism,
    check_seconds,
    check_whole,
)
from sparktuner.execute._local import ThreadExecutor
from sparktuner.execute._protocol import Executor, Limits, Objective
from sparktuner.execute.spark._environment import has_session
from sparktuner.execute.spark._factories import make_executor, make_thread_executor
from sparktuner.execute.spark._session import active_session
from sparktuner.execute.spark._slots import Slots

if TYPE_CHECKING:
    from pyspark.resource import ResourceProfile
    from pyspark.sql import SparkSession

_log = logging.getLogger("sparktuner")


def _check_session(spark_session: object) -> None:
    if spark_session is not None:
        check_has("spark_session", spark_session, ("createDataFrame",), "a SparkSession or None")


class SparkRunner:
    """A runner of each trial as one single-task Spark job, beside the driver.

    The attributes may be changed between searches. Pickling drops the session and the resource
    profile, which belong to the process.

    Attributes:
        parallelism: how many trials run at a time; None follows the cluster's task slots.
        spark_session: None takes the active session, or starts one.
        resource_profile: what each trial's task needs (stage-level scheduling).
        max_trial_retries: how often a trial is run again whose Python worker died.
        timeout: seconds that each search may take; None: no limit.
        loss_threshold: a loss that is good enough to end a search; None: none is.
        trial_timeout: seconds that a trial may run; None: no limit.
        max_concurrent: no more trials than that run at a time, whatever ``parallelism`` says.
    """

    def __init__(
        self,
        parallelism: int | None = None,
        spark_session: SparkSession | None = None,
        resource_profile: ResourceProfile | None = None,
        max_trial_retries: int = 1,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        trial_timeout: float | None = None,
    ) -> None:
        """Checks the arguments; nothing is asked of Spark before :meth:`open`.

        Raises:
            ValueError: an argument is out of its range.
            TypeError: ``parallelism`` or ``max_trial_retries`` is no integer, or another argument
                something else than it must be.
        """
        check_parallelism(parallelism)
        check_seconds("timeout", timeout)
        check_seconds("trial_timeout", trial_timeout)
        check_loss_threshold(loss_threshold)
        check_whole("max_trial_retries", max_trial_retries, least=0)
        _check_session(spark_session)
        if resource_profile is not None:
            check_has(
                "resource_profile",
                resource_profile,
                ("taskResources",),
                "a ResourceProfile, such as ResourceProfileBuilder().require(...).build",
            )
        self.parallelism = None if parallelism is None else int(parallelism)
        self.spark_session = spark_session
        self.resource_profile = resource_profile
        self.max_trial_retries = int(max_trial_retries)
        self.timeout = timeout
        self.loss_threshold = loss_threshold
        self.trial_timeout = trial_timeout
        self.max_concurrent = 128

    @property
    def asynchronous(self) -> bool:
        return True

    @property
    def limits(self) -> Limits:
        return Limits(self.timeout, self.loss_threshold, self.trial_timeout)

    @property
    def width(self) -> int:
        """The number of trials that run at a time: as given, or what the cluster has room for now.

        Its task slots; twice as many while dynamic allocation may add executors, because Spark
        asks for more only when something waits.

        Raises:
            SparkUnavailable: without a number, there must be a running session to ask.
        """
        wanted = self.parallelism
        if wanted is None:
            wanted = Slots(active_session(self.spark_session), self.resource_profile).width()
        return min(wanted, self.max_concurrent)

    def open(self, objective: Objective) -> Executor:
        if self.parallelism is not None and self.parallelism > self.max_concurrent:
            _log.warning(
                "parallelism=%d is above SparkTrials.MAX_CONCURRENT_JOBS_ALLOWED, which you may "
                "raise; %d trials will run at a time",
                self.parallelism,
                self.max_concurrent,
            )
        return make_executor(
            self.spark_session,
            objective,
            # None is passed on: only then does the window follow the cluster.
            None if self.parallelism is None else self.width,
            self.resource_profile,
            self.max_trial_retries,
            self.max_concurrent,
        )

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "spark_session": None, "resource_profile": None}


class ThreadRunner:
    """A runner of trials in threads of this process, whose objectives may use Spark themselves.

    Where there is a Spark session, the jobs of each trial are submitted to a pool of its
    thread's own, and are cancelled with it. Pickling drops the session.

    Attributes:
        parallelism: how many trials run at a time.
        spark_session: the session that the objective uses; None takes the active one, if
            pyspark has been imported and there is one.
    """

    def __init__(self, parallelism: int, spark_session: SparkSession | None = None) -> None:
        """Checks the arguments; no thread is started before :meth:`open`.

        Raises:
            ValueError: ``parallelism`` is below 1.
            TypeError: ``parallelism`` is no integer, or ``spark_session`` no session.
        """
        if parallelism is None:
            raise TypeError("parallelism must be an integer, got None; threads need a number")
        check_parallelism(parallelism)
        _check_session(spark_session)
        self.parallelism = int(parallelism)
        self.spark_session = spark_session

    @property
    def asynchronous(self) -> bool:
        return True

    @property
    def limits(self) -> Limits:
        return Limits()

    def open(self, objective: Objective) -> Executor:
        if self.spark_session is None and not has_session():
            return ThreadExecutor(objective, self.parallelism)
        return make_thread_executor(self.spark_session, objective, self.parallelism)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "spark_session": None}
