"""Tune models on Apache Spark, the Hyperopt way.

``fmin`` minimises an objective over a search space made with ``hp``, by an algorithm such as
``tpe.suggest``; ``Trials``, ``ThreadTrials``, ``SparkTrials`` and ``WorkerTrials`` keep the trials
and say where they run.

What is below is imported when it is used: ``sparktuner --help``, and a worker that asks for
``current_trial`` alone, wait neither for NumPy nor for the rest.
"""

from typing import TYPE_CHECKING

from sparktuner._on_use import import_on_use

if TYPE_CHECKING:
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
    from sparktuner.describing import describe
    from sparktuner.execute import current_trial
    from sparktuner.fmin import FMinIter, fmin, fmin_pass_expr_memo_ctrl, space_eval
    from sparktuner.trials import (
        SparkTrials,
        ThreadTrials,
        WorkerTrials,
        from_hyperopt,
        from_mlflow,
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
    "from_mlflow",
    "from_optuna",
    "from_pandas",
    "WorkerTrials",
    "Callback",
    "space_eval",
    "describe",
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

_HOMES = {
    "functools": ["partial"],
    "sparktuner.as_hyperopt": ["as_hyperopt"],
    "sparktuner.base": ["Ctrl", "Domain", "Trials", "trials_from_docs"],
    "sparktuner.callbacks": ["Callback"],
    "sparktuner.describing": ["describe"],
    "sparktuner.execute": ["current_trial"],
    "sparktuner.fmin": ["FMinIter", "fmin", "fmin_pass_expr_memo_ctrl", "space_eval"],
    "sparktuner.status": [name for name in __all__ if name.startswith(("JOB_", "STATUS_"))],
    "sparktuner.trials": [
        "SparkTrials",
        "ThreadTrials",
        "WorkerTrials",
        "from_hyperopt",
        "from_mlflow",
        "from_optuna",
        "from_pandas",
        "load_trials",
    ],
}
import_on_use(__name__, {name: home for home, names in _HOMES.items() for name in names})
