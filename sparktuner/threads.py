"""``ThreadTrials``: trials in threads of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparktuner.execute import Executor, Objective
from sparktuner.execute.spark import ThreadRunner
from sparktuner.records import TrialStore
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class ThreadTrials(Trials):
    """Trials that run in threads of the driver's process, ``parallelism`` at a time.

    For objectives that release the GIL, and for those that use Spark themselves (Spark ML,
    distributed XGBoost): each thread submits its jobs to a FAIR pool of its own, and a trial
    that is cancelled has its Spark jobs cancelled, and no others. A thread itself cannot be
    stopped: one that does not end within a second of its cancellation is left behind.
    """

    asynchronous = True

    def __init__(
        self,
        parallelism: int,
        spark_session: SparkSession | None = None,
        exp_key: str | None = None,
        store: TrialStore | None = None,
    ) -> None:
        """No thread is started before the first search.

        Args:
            parallelism: how many trials run at a time.
            spark_session: the session that the objective uses; None takes the active one, if
                pyspark has been imported and there is one.
            exp_key: as in :class:`Trials`.
            store: as in :class:`Trials`.

        Raises:
            ValueError: ``parallelism`` is below 1.
        """
        ThreadRunner(parallelism)  # checks it
        self.parallelism = parallelism
        self._session = spark_session
        super().__init__(exp_key=exp_key, store=store)

    def _make_executor(self, objective: Objective) -> Executor:
        return ThreadRunner(self.parallelism, self._session).open(objective)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_session": None}
