"""Reads the trials of another tool from a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sparktuner.checks import shown
from sparktuner.history._extras import optional
from sparktuner.history._fit import SpaceFit
from sparktuner.history._past import PastTrial, sorted_out
from sparktuner.history._table import PARAMETERS

if TYPE_CHECKING:
    from pandas import DataFrame

# How many columns a message names.
_SHOWN = 10
_TIMES = ("start", "end")


def trials_of_frame(frame: DataFrame, fit: SpaceFit, loss: str) -> list[PastTrial]:
    """Returns the rows of a DataFrame as trials.

    Args:
        frame: one row a trial.
        fit: the space, whose labels the columns have.
        loss: the column of what is minimised.

    Raises:
        TypeError: ``frame`` is no DataFrame.
        ValueError: a column is missing, or there are two of one name.
        MissingExtra: pandas is not installed.
    """
    pandas = optional("pandas")
    _check_columns(pandas, frame, loss)
    names = list(map(str, frame.columns))
    labels = _labels(names, fit, loss)
    cells = {str(column): _values(pandas, frame[column], str(column)) for column in frame}
    parameters = {label: cells[name] for label, name in labels.items()}
    others = {n: v for n, v in cells.items() if n not in {*labels.values(), loss}}
    trials = []
    for row, value in enumerate(cells[loss]):
        facts, fields = sorted_out({name: values[row] for name, values in others.items()})
        given = {label: values[row] for label, values in parameters.items()}
        trials.append(PastTrial(given, value, facts, fields))
    return trials


def _check_columns(pandas: Any, frame: DataFrame, loss: str) -> None:
    if not isinstance(frame, pandas.DataFrame):
        raise TypeError(f"df must be a pandas DataFrame, got {type(frame).__name__}")
    names = list(map(str, frame.columns))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"df must have one column of each name, got two of {twice[0]!r}")
    if not isinstance(loss, str) or loss not in names:
        raise ValueError(
            f"df has no column {shown(loss)} for the loss, only {_some(names)}; name it: "
            "from_pandas(df, space, loss=...)"
        )


def _labels(names: Iterable[str], fit: SpaceFit, loss: str) -> dict[str, str]:
    """The column of each label, and of each parameter that the space does not have."""
    names = [name for name in names if name != loss]
    labels = {name.removeprefix(PARAMETERS): name for name in names if name.startswith(PARAMETERS)}
    for label in fit.space.labels:
        if label in names:
            labels.setdefault(label, label)
    for column in fit.space.columns:
        if column.label not in labels and not column.is_conditional:
            raise ValueError(
                f"df has no column for the parameter {column.label!r}, only {_some(names)}; "
                f"name it {PARAMETERS + column.label!r} or {column.label!r}"
            )
    return labels


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = ", ..." if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more


def _values(pandas: Any, series: Any, name: str) -> list[object]:
    """The values of a column as Python's, None where one is missing."""
    values = series
    if name in _TIMES and not pandas.api.types.is_datetime64_any_dtype(series):
        # As a file has them; what is no time is none of ours.
        times = pandas.to_datetime(series, utc=True, errors="coerce", format="ISO8601")
        values = series if times.isna().all() else times
    values = values.astype(object)
    return [
        value.to_pydatetime() if isinstance(value, pandas.Timestamp) else value
        for value in values.where(values.notna(), None).tolist()
    ]
