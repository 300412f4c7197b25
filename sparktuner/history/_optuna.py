"""Trials as a study of Optuna."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sparktuner.history._cells import Cell, TableColumn
from sparktuner.history._extras import optional
from sparktuner.history._optuna_distributions import distributions
from sparktuner.history._spaces import Spaces
from sparktuner.history._table import PARAMETERS, trial_table
from sparktuner.records import TrialDocument, finite_loss
from sparktuner.status import JOB_STATE_NEW, JOB_STATE_RUNNING

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

# What a trial of Optuna's has fields of its own for.
_FIELDS = ("loss", "start", "end")


def to_optuna(
    documents: Sequence[TrialDocument],
    spaces: Spaces,
    storage: str | BaseStorage | None,
    study_name: str | None,
) -> Study:
    """Returns a new study that holds trials.

    Raises:
        MissingExtra: optuna is not installed.
    """
    optuna = optional("optuna")
    table = trial_table(documents, spaces)
    parameters = [column for column in table if column.name.startswith(PARAMETERS)]
    others = [
        column
        for column in table
        if not column.name.startswith(PARAMETERS) and column.name not in _FIELDS
    ]
    known = distributions(optuna.distributions, parameters, spaces.columns())
    times = {column.name: column.values for column in table if column.name in ("start", "end")}
    study: Study = optuna.create_study(
        storage=storage, study_name=study_name, direction="minimize"
    )
    study.add_trials(
        _frozen(
            optuna.trial,
            document,
            _row(parameters, row),
            known,
            (times["start"][row], times["end"][row]),
            {name: _json(value) for name, value in _row(others, row).items()},
        )
        for row, document in enumerate(documents)
    )
    return study


def _row(columns: Sequence[TableColumn], row: int) -> dict[str, Cell]:
    """The values of a trial by name, without those that are missing."""
    cells = ((column.name.removeprefix(PARAMETERS), column.values[row]) for column in columns)
    return {name: value for name, value in cells if value is not None}


def _json(value: Cell) -> Cell:
    """A value that Optuna's storages, and JSON, can hold."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _frozen(
    of: Any,
    document: TrialDocument,
    params: Mapping[str, Cell],
    known: Mapping[str, BaseDistribution],
    times: tuple[Cell, Cell],
    user_attrs: Mapping[str, Cell],
) -> FrozenTrial:
    loss = finite_loss(document)
    state = _state(of.TrialState, document, loss)
    start = None if state == of.TrialState.WAITING else _local(times[0], document)
    return of.FrozenTrial(
        number=-1,  # the study numbers its trials itself
        trial_id=-1,
        state=state,
        value=loss,
        datetime_start=start,
        datetime_complete=_local(times[1], document) if state.is_finished() else None,
        params=dict(params),
        distributions={label: known[label] for label in params},
        user_attrs=dict(user_attrs),
        system_attrs={},
        intermediate_values={},
    )


def _state(states: Any, document: TrialDocument, loss: float | None) -> Any:
    if document["state"] == JOB_STATE_NEW:
        return states.WAITING
    if document["state"] == JOB_STATE_RUNNING:
        return states.RUNNING
    return states.FAIL if loss is None else states.COMPLETE


def _local(time: Cell, document: TrialDocument) -> datetime:
    """A time as Optuna keeps it, naive and local; it wants one of each trial that has started."""
    if not isinstance(time, datetime):
        latest = document.get("refresh_time") or document.get("book_time")
        time = datetime.now() if latest is None else latest.replace(tzinfo=timezone.utc)
    return time.astimezone().replace(tzinfo=None)
