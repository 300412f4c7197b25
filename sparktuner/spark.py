"""``SparkTrials``: each trial is one single-task Spark job, a bounded window of them at a time."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sparktuner.driver import SearchOptions
from sparktuner.execute import Executor, Objective
from sparktuner.execute.spark import SparkRunner
from sparktuner.records import TrialStore
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_DONE, STATUS_OK
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from pyspark.resource import ResourceProfile
    from pyspark.sql import SparkSession


class SparkTrials(Trials):
    """Trials that run on a Spark cluster, beside the driver.

    A trial that raises, or whose worker dies, is recorded with its remote traceback and the
    search goes on. When a search stops, its running jobs are cancelled, and no others. Can be
    pickled, without the session; searched again, with the same or another one.

    Attributes:
        timeout: seconds that each search may take, where fmin gives none.
        loss_threshold: a loss that is good enough, where fmin gives none.
        trial_timeout: seconds that a trial may run.
        max_trial_retries: how often a trial is run again whose Python worker died.
        user_specified_parallelism: the number as given.
        MAX_CONCURRENT_JOBS_ALLOWED: no more trials than that run at a time; may be raised, on
            the object too.
    """

    asynchronous = True
    MAX_CONCURRENT_JOBS_ALLOWED = 128

    def __init__(
        self,
        parallelism: int | None = None,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        spark_session: SparkSession | None = None,
        resource_profile: ResourceProfile | None = None,
        trial_timeout: float | None = None,
        exp_key: str | None = None,
        store: TrialStore | None = None,
        max_trial_retries: int = 1,
    ) -> None:
        """Nothing is asked of Spark before the first search.

        Args:
            parallelism: how many trials run at a time; None follows the cluster's task slots
                as executors come and go, up to ``MAX_CONCURRENT_JOBS_ALLOWED``.
            timeout: seconds that each search may take.
            loss_threshold: stop as soon as a loss is at most this.
            spark_session: None takes the active session, or starts one.
            resource_profile: what each trial's task needs (stage-level scheduling).
            trial_timeout: seconds after which a running trial is cancelled, it alone; waiting
                for a slot does not count.
            exp_key: as in :class:`Trials`.
            store: as in :class:`Trials`.
            max_trial_retries: how often a trial is run again whose Python worker died (memory,
                a crash). A trial that raised is not; an executor that was lost does not count.

        Raises:
            ValueError: an argument is out of its range.
        """
        self.user_specified_parallelism = parallelism
        self.timeout = timeout
        self.loss_threshold = loss_threshold
        self.trial_timeout = trial_timeout
        self.max_trial_retries = max_trial_retries
        self._session = spark_session
        self._resource_profile = resource_profile
        self._runner()  # checks the arguments
        super().__init__(exp_key=exp_key, store=store)

    @property
    def parallelism(self) -> int:
        """How many trials run at a time: the number given, or what the cluster has room for now.

        Task slots; twice as many while dynamic allocation may add executors, because Spark
        asks for more only when something waits.

        Raises:
            SparkUnavailable: without a bound, there must be a running session to ask.
        """
        return self._runner().width

    def _runner(self) -> SparkRunner:
        runner = SparkRunner(
            self.user_specified_parallelism,
            self._session,
            self._resource_profile,
            self.max_trial_retries,
            self.timeout,
            self.loss_threshold,
            self.trial_timeout,
        )
        runner.max_concurrent = self.MAX_CONCURRENT_JOBS_ALLOWED
        return runner

    def count_successful_trials(self) -> int:
        """Trials that finished with status ok."""
        self.refresh()
        return sum(
            t["state"] == JOB_STATE_DONE and t["result"].get("status") == STATUS_OK
            for t in self._dynamic_trials
        )

    def count_failed_trials(self) -> int:
        """Trials that raised, whose worker died, or whose result says fail."""
        ended = self.count_total_trials() - self.count_cancelled_trials()
        return ended - self.count_successful_trials() - self._count_unfinished()

    def count_cancelled_trials(self) -> int:
        """Trials that were cancelled."""
        return self.count_by_state_unsynced(JOB_STATE_CANCEL)

    def count_total_trials(self) -> int:
        """All trials, in whatever state."""
        self.refresh()
        return len(self._dynamic_trials)

    def _count_unfinished(self) -> int:
        return sum(t["state"] < JOB_STATE_DONE for t in self._dynamic_trials)

    def _search_options(self, options: SearchOptions) -> SearchOptions:
        limits = self._runner().limits
        threshold = options.loss_threshold
        return dataclasses.replace(
            options,
            timeout=limits.timeout if options.timeout is None else options.timeout,
            loss_threshold=limits.loss_threshold if threshold is None else threshold,
            trial_timeout=limits.trial_timeout,
        )

    def _make_executor(self, objective: Objective) -> Executor:
        return self._runner().open(objective)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_session": None, "_resource_profile": None}
