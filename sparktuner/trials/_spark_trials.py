"""``SparkTrials``: each trial is one single-task Spark job, a bounded window of them at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from sparktuner.checks import (
    check_flag,
    check_loss_threshold,
    check_parallelism,
    check_seconds,
    check_whole,
)
from sparktuner.domain import Domain
from sparktuner.driver import SearchArguments
from sparktuner.execute.spark import SparkRunner
from sparktuner.records import TrialStore, has_ended
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_DONE, STATUS_OK
from sparktuner.trials._attaching_directly import AttachesDirectly
from sparktuner.trials._trials import Trials

if TYPE_CHECKING:
    from pyspark.resource import ResourceProfile
    from pyspark.sql import SparkSession

V = TypeVar("V")


class _OfRunner(Generic[V]):
    """An attribute of Hyperopt's ``SparkTrials`` that is kept by the runner."""

    def __init__(self, name: str, check: Callable[[str, object], None]) -> None:
        self._name = name
        self._check = check

    def __get__(self, trials: SparkTrials, kind: type[SparkTrials]) -> V:
        value: V = getattr(trials.runner, self._name)
        return value

    def __set__(self, trials: SparkTrials, value: V) -> None:
        self._check(self._name, value)
        setattr(trials.runner, self._name, value)


def _check_retries(name: str, value: object) -> None:
    check_whole(name, value, least=0)


def _check_threshold(name: str, value: object) -> None:
    check_loss_threshold(value)


def _check_parallelism(name: str, value: object) -> None:
    check_parallelism(value)


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

    Example:
        >>> from sparktuner import SparkTrials, fmin, hp
        >>> trials = SparkTrials(parallelism=2, trial_timeout=600)
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=4, trials=trials, verbose=False)
        >>> trials.count_successful_trials()
        4
    """

    asynchronous = True
    MAX_CONCURRENT_JOBS_ALLOWED = 128
    runner: SparkRunner
    timeout = _OfRunner["float | None"]("timeout", check_seconds)
    loss_threshold = _OfRunner["float | None"]("loss_threshold", _check_threshold)
    trial_timeout = _OfRunner["float | None"]("trial_timeout", check_seconds)
    max_trial_retries = _OfRunner[int]("max_trial_retries", _check_retries)
    user_specified_parallelism = _OfRunner["int | None"]("parallelism", _check_parallelism)

    def __init__(
        self,
        parallelism: int | None = None,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        spark_session: SparkSession | None = None,
        resource_profile: ResourceProfile | None = None,
        trial_timeout: float | None = None,
        exp_key: str | None = None,
        store: TrialStore | str | os.PathLike[str] | None = None,
        max_trial_retries: int = 1,
        attach_directly: bool = False,
    ) -> None:
        """Asks nothing of Spark before the first search.

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
            attach_directly: whether workers write what ``current_trial().attach`` is given into
                the store themselves, past the driver. They need sparktuner, the way to the
                store, and its password or keys from their own environment.

        Raises:
            ValueError: an argument is out of its range, or workers cannot reach the store.
        """
        check_flag("attach_directly", attach_directly)
        runner = SparkRunner(
            parallelism=parallelism,
            spark_session=spark_session,
            resource_profile=resource_profile,
            max_trial_retries=max_trial_retries,
            timeout=timeout,
            loss_threshold=loss_threshold,
            trial_timeout=trial_timeout,
        )
        super().__init__(exp_key=exp_key, store=store, runner=runner)
        if attach_directly and not self._log.is_shared:
            raise ValueError(
                "attach_directly=True needs a store that workers can reach, such as "
                "store='s3://bucket/trials'; these trials are in this process's memory"
            )
        self._attach_directly = bool(attach_directly)

    @property
    def parallelism(self) -> int:
        """How many trials run at a time: the number given, or what the cluster has room for now.

        Task slots; twice as many while dynamic allocation may add executors, because Spark
        asks for more only when something waits.

        Raises:
            SparkUnavailable: without a number, there must be a running session to ask.
        """
        self._widen()
        return self.runner.width

    def _widen(self) -> None:
        # Read each time: Hyperopt's users raise it on the class, or on the object.
        most = self.MAX_CONCURRENT_JOBS_ALLOWED
        check_whole("MAX_CONCURRENT_JOBS_ALLOWED", most, least=1)
        self.runner.max_concurrent = int(most)

    def search(
        self, domain: Domain, arguments: SearchArguments, most_queued: int | None = None
    ) -> None:
        self._widen()
        if self._attach_directly:
            direct = AttachesDirectly(self._log.store)
            arguments = replace(arguments, callbacks=[*arguments.callbacks, direct])
        super().search(domain, arguments, most_queued)

    def count_successful_trials(self) -> int:
        """Returns how many trials finished with status ok."""
        self.refresh()
        return sum(
            t["state"] == JOB_STATE_DONE and t["result"].get("status") == STATUS_OK
            for t in self.all_trials
        )

    def count_failed_trials(self) -> int:
        """Returns how many trials raised, lost their worker, or have a result that says fail."""
        # Whatever has ended otherwise: raised, lost its worker, or says that it failed.
        ended = sum(map(has_ended, self.all_trials))
        return ended - self.count_cancelled_trials() - self.count_successful_trials()

    def count_cancelled_trials(self) -> int:
        """Returns how many trials were cancelled."""
        return self.count_by_state_unsynced(JOB_STATE_CANCEL)

    def count_total_trials(self) -> int:
        """Returns how many trials there are, in whatever state."""
        self.refresh()
        return len(self.all_trials)
