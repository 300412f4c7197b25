"""``ThreadTrials``: trials in threads of this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sparktuner.execute.spark import ThreadRunner
from sparktuner.records import TrialStore
from sparktuner.trials._trials import Trials

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class ThreadTrials(Trials):
    """Trials that run in threads of the driver's process, ``parallelism`` at a time.

    For objectives that release the GIL, and for those that use Spark themselves (Spark ML,
    distributed XGBoost): each thread submits its jobs to a FAIR pool of its own, and a trial
    that is cancelled has its Spark jobs cancelled, and no others. A thread itself cannot be
    stopped: one that does not end within a second of its cancellation is left behind.

    Attributes:
        parallelism: how many trials run at a time.

    Example:
        >>> from sparktuner import ThreadTrials, fmin, hp
        >>> trials = ThreadTrials(parallelism=2)
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=6, trials=trials, verbose=False)
        >>> len(trials)
        6
    """

    asynchronous = True

    def __init__(
        self,
        parallelism: int,
        spark_session: SparkSession | None = None,
        exp_key: str | None = None,
        store: TrialStore | str | os.PathLike[str] | None = None,
    ) -> None:
        """Starts no thread before the first search does.

        Args:
            parallelism: how many trials run at a time.
            spark_session: the session that the objective uses; None takes the active one, if
                pyspark has been imported and there is one.
            exp_key: as in :class:`Trials`.
            store: as in :class:`Trials`.

        Raises:
            ValueError: ``parallelism`` is below 1.
        """
        self.parallelism = parallelism
        super().__init__(
            exp_key=exp_key, store=store, runner=ThreadRunner(parallelism, spark_session)
        )
