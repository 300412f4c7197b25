"""A table of trials as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sparktuner.history._cells import TableColumn
from sparktuner.history._extras import optional
from sparktuner.history._table import STATES

if TYPE_CHECKING:
    from pandas import DataFrame


def to_pandas(table: Sequence[TableColumn]) -> DataFrame:
    """Returns a table of trials as a DataFrame, whose index is the trial's id.

    Raises:
        MissingExtra: pandas is not installed.
    """
    pandas = optional("pandas")
    frame = pandas.DataFrame({column.name: _array(pandas, column) for column in table})
    return frame.set_index("tid")


def _array(pandas: Any, column: TableColumn) -> Any:
    if column.name == "state":
        return pandas.Categorical(column.values, categories=list(STATES.values()))
    if column.name == "tid" and column.kind == "int":
        return np.array(column.values, dtype=np.int64)
    match column.kind:
        case "float":
            return np.array(column.values, dtype=np.float64)  # None becomes NaN
        case "time":
            # Stated, because pandas 3 would keep microseconds.
            return pandas.array(column.values, dtype="datetime64[ns, UTC]")
        case "int":
            return pandas.array(column.values, dtype="Int64")
        case "bool":
            return pandas.array(column.values, dtype="boolean")
        case "text":
            return pandas.array(column.values, dtype="string")
