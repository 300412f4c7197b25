"""Trials as data of other tools, and other tools' data as trials.

In reading order: the table that all of them are made of (its columns, and what the values of a
trial mean), how options and losses are shown, and what the table becomes for pandas, Spark and
Optuna. The other way: a space that values of other tools are fitted to, the trial of another
tool, and how those of pandas, Optuna and Hyperopt are read.
"""

from sparktuner.history._cells import TableColumn
from sparktuner.history._fit import SpaceFit
from sparktuner.history._from_hyperopt import attachments_of_hyperopt, documents_of_hyperopt
from sparktuner.history._from_optuna import trials_of_study
from sparktuner.history._from_pandas import trials_of_frame
from sparktuner.history._losses import LossView, loss_view, running_best
from sparktuner.history._option_names import option_names
from sparktuner.history._optuna import to_optuna
from sparktuner.history._pandas import to_pandas
from sparktuner.history._past import PastTrial, documents_of
from sparktuner.history._spaces import Spaces, option_values
from sparktuner.history._spark import to_spark
from sparktuner.history._table import PARAMETERS, STATES, trial_table

__all__ = [
    "TableColumn",
    "Spaces",
    "option_values",
    "option_names",
    "trial_table",
    "STATES",
    "PARAMETERS",
    "running_best",
    "LossView",
    "loss_view",
    "to_pandas",
    "to_spark",
    "to_optuna",
    "SpaceFit",
    "PastTrial",
    "documents_of",
    "trials_of_frame",
    "trials_of_study",
    "documents_of_hyperopt",
    "attachments_of_hyperopt",
]
