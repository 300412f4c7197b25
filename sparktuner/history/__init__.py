"""Trials as data of other tools.

In reading order: the table that all of them are made of (its columns, and what the values of a
trial mean), pandas, Spark and Optuna.
"""

from sparktuner.history._cells import TableColumn
from sparktuner.history._optuna import to_optuna
from sparktuner.history._pandas import to_pandas
from sparktuner.history._spaces import Spaces
from sparktuner.history._spark import to_spark
from sparktuner.history._table import trial_table

__all__ = ["TableColumn", "Spaces", "trial_table", "to_pandas", "to_spark", "to_optuna"]
