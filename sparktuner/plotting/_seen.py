"""Trials as arrays that can be drawn: losses, how trials ended, and the values of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparktuner.checks import check_has
from sparktuner.history import PARAMETERS, TableColumn, option_names, option_values, trial_table
from sparktuner.records import ColumnRecord, TrialDocument, finite_loss
from sparktuner.space import BoolArray, FloatArray
from sparktuner.trials import Trials

# Axes have ends beyond their points, and a length: no float is that large for larger numbers.
_FARTHEST = 1e300


@dataclass(frozen=True, eq=False)
class SeenParameter:
    """The values of one parameter in n trials.

    Attributes:
        label: its label.
        values: (n,) its value, of a choice the position of its option; NaN where it is not
            active or not finite.
        options: the names of a choice's options; empty for other parameters.
        log: whether its values spread over orders of magnitude.
        condition: on which choices it depends, in words; empty where it is always active.
    """

    label: str
    values: FloatArray
    options: tuple[str, ...]
    log: bool
    condition: str


@dataclass(frozen=True, eq=False)
class SeenTrials:
    """n trials, in the order in which they were made.

    Attributes:
        documents: the trials.
        numbers: (n,) their ids; their positions where an id is no integer.
        losses: (n,) their losses, none beyond 1e300; NaN where a trial has none that is finite.
        ends: (n,) ``done``, ``failed``, ``cancelled``, ``running`` or ``waiting``; one that is
            done without a finite loss has failed.
        table: their other facts, as :func:`sparktuner.history.trial_table` has them.
        parameters: their values: first those that are always active, then branch by branch.
    """

    documents: Sequence[TrialDocument]
    numbers: FloatArray
    losses: FloatArray
    ends: npt.NDArray[np.str_]
    table: dict[str, TableColumn]
    parameters: tuple[SeenParameter, ...]

    @property
    def is_ranked(self) -> BoolArray:
        """Which trials have a loss, (n,)."""
        return np.isfinite(self.losses)

    @property
    def best(self) -> int | None:
        """The position of the best trial, the earliest of equals; None where none has a loss."""
        return int(np.nanargmin(self.losses)) if self.is_ranked.any() else None

    def parameter(self, label: str) -> SeenParameter:
        """Returns the parameter of a label.

        Raises:
            ValueError: there is none.
        """
        for parameter in self.parameters:
            if parameter.label == label:
                return parameter
        known = ", ".join(repr(parameter.label) for parameter in self.parameters) or "none"
        raise ValueError(f"labels: the trials have no parameter {label!r}; they have {known}")


def seen(trials: Trials) -> SeenTrials:
    """Returns trials as arrays.

    Raises:
        TypeError: ``trials`` is something else.
    """
    check_has("trials", trials, ("all_trials", "spaces"), "a Trials, such as that of fmin")
    documents, spaces = trials.all_trials, trials.spaces()
    table = {column.name: column for column in trial_table(documents, spaces)}
    losses = [finite_loss(document) for document in documents]
    return SeenTrials(
        documents,
        _numbers(documents),
        _drawable(losses),
        _ends(table["state"].values, losses),
        table,
        _parameters(table.values(), spaces.columns()),
    )


def _drawable(values: Sequence[object]) -> FloatArray:
    numbers: FloatArray = np.array(values, dtype=np.float64)
    numbers[np.isinf(numbers)] = np.nan
    return np.clip(numbers, -_FARTHEST, _FARTHEST)


def _numbers(documents: Sequence[TrialDocument]) -> FloatArray:
    tids = [document["tid"] for document in documents]
    whole = all(isinstance(tid, int | np.integer) and abs(tid) < 2**53 for tid in tids)
    return np.array(tids if whole else range(len(tids)), dtype=np.float64)


def _ends(states: Sequence[object], losses: Sequence[float | None]) -> npt.NDArray[np.str_]:
    pairs = zip(states, losses, strict=True)
    return np.array(
        ["failed" if state == "done" and loss is None else state for state, loss in pairs],
        dtype=np.str_,
    )


def _parameters(
    table: Iterable[TableColumn], spaces: dict[str, list[ColumnRecord]]
) -> tuple[SeenParameter, ...]:
    columns = [column for column in table if column.name.startswith(PARAMETERS)]
    found = [_parameter(column, spaces) for column in columns]
    # Stable: by label within a branch.
    order = dict.fromkeys(["", *sorted({each.condition for each in found})])
    places = {condition: place for place, condition in enumerate(order)}
    return tuple(sorted(found, key=lambda each: places[each.condition]))


def _parameter(column: TableColumn, spaces: dict[str, list[ColumnRecord]]) -> SeenParameter:
    label = column.name.removeprefix(PARAMETERS)
    records = spaces.get(label, [])
    values = column.values
    options: tuple[str, ...] = ()
    if any(record.options for record in records) or column.kind not in ("int", "float"):
        declared = (option for record in records for option in option_values(record.options))
        met = (value for value in values if value is not None)
        places = {text: i for i, text in enumerate(dict.fromkeys(map(str, (*declared, *met))))}
        options = option_names(tuple(places))
        values = [None if value is None else places[str(value)] for value in values]
    return SeenParameter(
        label,
        _drawable(values),
        options,
        bool(records) and all(record.code.startswith(("hp.log", "hp.qlog")) for record in records),
        _condition(records, spaces),
    )


def _condition(records: Sequence[ColumnRecord], spaces: dict[str, list[ColumnRecord]]) -> str:
    """The alternatives under which a parameter is active: ``model = svm or forest``."""
    values: dict[str, list[str]] = {}
    for record in records:
        if () in record.conditions:
            return ""
        for pairs in record.conditions:
            for label, value in pairs:
                name = _option_name(value, spaces.get(label, []))
                values.setdefault(label, [])
                if name not in values[label]:
                    values[label].append(name)
    return ", ".join(f"{label} = {' or '.join(names)}" for label, names in values.items())


def _option_name(value: int, records: Sequence[ColumnRecord]) -> str:
    for record in records:
        if 0 <= value < len(record.options):
            texts = tuple(map(str, option_values(record.options)))
            return option_names(texts)[value]
    return str(value)
