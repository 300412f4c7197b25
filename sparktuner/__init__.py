"""Tune models on Apache Spark, the Hyperopt way.

``fmin`` minimises an objective over a search space made with ``hp``, by an algorithm such as
``tpe.suggest``; ``Trials``, ``ThreadTrials``, ``SparkTrials`` and ``WorkerTrials`` keep the trials
and say where they run.
"""

from functools import partial

from sparktuner import (
    anneal,
    atpe,
    early_stop,
    exceptions,
    grid,
    hp,
    mix,
    progress,
    pyll,
    qmc,
    rand,
    spark,
    tpe,
    utils,
)
from sparktuner.as_hyperopt import as_hyperopt
from sparktuner.base import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    JOB_STATES,
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    STATUS_RUNNING,
    STATUS_STRINGS,
    STATUS_SUSPENDED,
    Ctrl,
    Domain,
    Trials,
    trials_from_docs,
)
from sparktuner.callbacks import Callback
from sparktuner.execute import current_trial
from sparktuner.fmin import FMinIter, fmin, fmin_pass_expr_memo_ctrl, space_eval
from sparktuner.trials import (
    SparkTrials,
    ThreadTrials,
    WorkerTrials,
    from_hyperopt,
    from_optuna,
    from_pandas,
    load_trials,
)

__version__ = "0.1.0"

__all__ = [
    "fmin",
    "hp",
    "tpe",
    "rand",
    "anneal",
    "atpe",
    "qmc",
    "grid",
    "mix",
    "progress",
    "Trials",
    "ThreadTrials",
    "SparkTrials",
    "from_hyperopt",
    "from_optuna",
    "from_pandas",
    "WorkerTrials",
    "Callback",
    "space_eval",
    "current_trial",
    "as_hyperopt",
    "early_stop",
    "partial",
    "pyll",
    "trials_from_docs",
    "load_trials",
    "fmin_pass_expr_memo_ctrl",
    "FMinIter",
    "Domain",
    "Ctrl",
    "exceptions",
    "spark",
    "utils",
    "JOB_STATE_NEW",
    "JOB_STATE_RUNNING",
    "JOB_STATE_DONE",
    "JOB_STATE_ERROR",
    "JOB_STATE_CANCEL",
    "JOB_STATES",
    "STATUS_NEW",
    "STATUS_RUNNING",
    "STATUS_SUSPENDED",
    "STATUS_OK",
    "STATUS_FAIL",
    "STATUS_STRINGS",
]
