"""Trials: a log of documents, a way to run them, and Hyperopt's ways to look at them.

In reading order: :class:`Trials` (serial, and the base of the others), :class:`ThreadTrials`
(threads of the driver), :class:`SparkTrials` (one Spark job a trial), :class:`WorkerTrials`
(processes of ``sparktuner worker`` that share a store), and the trials of past searches.
"""

from sparktuner.trials._past_searches import (
    from_hyperopt,
    from_mlflow,
    from_optuna,
    from_pandas,
)
from sparktuner.trials._spark_trials import SparkTrials
from sparktuner.trials._thread_trials import ThreadTrials
from sparktuner.trials._trials import (
    HYPEROPTS_REASONS,
    Best,
    Trials,
    load_records_1,
    load_trials,
    trials_from_docs,
)
from sparktuner.trials._worker_trials import WorkerTrials

__all__ = [
    "Trials",
    "Best",
    "trials_from_docs",
    "load_trials",
    "load_records_1",
    "HYPEROPTS_REASONS",
    "ThreadTrials",
    "SparkTrials",
    "from_pandas",
    "from_optuna",
    "from_hyperopt",
    "from_mlflow",
    "WorkerTrials",
]
