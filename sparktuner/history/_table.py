"""Trials as a table: one row a trial, typed columns, made of documents alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sparktuner.history._cells import Cell, Kind, TableColumn, as_utc, cell_of, make_column
from sparktuner.history._spaces import Spaces, kind_of_parameter
from sparktuner.records import TrialDocument, has_ended
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
)

# The words by which repr(trials) counts them too.
STATES: Mapping[int, str] = MappingProxyType(
    {
        JOB_STATE_NEW: "waiting",
        JOB_STATE_RUNNING: "running",
        JOB_STATE_DONE: "done",
        JOB_STATE_ERROR: "failed",
        JOB_STATE_CANCEL: "cancelled",
    }
)
PARAMETERS = "params."
RESULTS = "result."


def trial_table(documents: Sequence[TrialDocument], spaces: Spaces) -> list[TableColumn]:
    """Returns the columns of a table of trials, the same ones for none as for many.

    Args:
        documents: one for each row, in this order.
        spaces: what the values in them mean.
    """
    return [
        *(_fact(name, documents) for name in _FIRST),
        *parameter_columns(documents, spaces),
        *_result_columns(documents),
        *(_fact(name, documents) for name in _LAST),
    ]


def _fact(name: str, documents: Sequence[TrialDocument]) -> TableColumn:
    kind, of = _FACTS[name]
    return make_column(name, map(of, documents), [kind])


def parameter_columns(documents: Sequence[TrialDocument], spaces: Spaces) -> list[TableColumn]:
    """Returns a column for each parameter of any trial, and of the searched space."""
    views = [spaces.of(document) for document in documents]
    known = spaces.columns()
    met = {label for document in documents for label in document["misc"]["vals"]}
    columns = []
    for label in sorted(met | known.keys(), key=str):
        values: list[Cell] = []
        for document, view in zip(documents, views, strict=True):
            given = document["misc"]["vals"].get(label, [])
            if not len(given):
                values.append(None)
            elif view is None:
                values.append(cell_of(given[0]))
            else:
                values.append(view.value(label, given[0], document))
        kinds = kind_of_parameter(known.get(label, []))
        columns.append(make_column(f"{PARAMETERS}{label}", values, kinds, otherwise="float"))
    return columns


def _result_columns(documents: Sequence[TrialDocument]) -> list[TableColumn]:
    found: dict[str, dict[int, Cell]] = {}
    for row, document in enumerate(documents):
        for key, value in document["result"].items():
            cell = None if key in ("loss", "status") else cell_of(value)
            # Fields that never hold a scalar, such as models and curves, get no column.
            if cell is not None:
                found.setdefault(key, {})[row] = cell
    return [
        make_column(f"{RESULTS}{key}", map(found[key].get, range(len(documents))))
        for key in sorted(found, key=str)
    ]


def _loss(document: TrialDocument) -> Cell:
    loss = cell_of(document["result"].get("loss"))
    return float(loss) if isinstance(loss, int | float) else None


def _execution(document: TrialDocument) -> Mapping[str, Any]:
    return document["misc"].get("execution") or {}


def _start(document: TrialDocument) -> datetime | None:
    # A trial that waits again, because its driver died, has not started.
    if document["state"] == JOB_STATE_NEW:
        return None
    start = _execution(document).get("started") or document.get("book_time")
    return as_utc(start) if isinstance(start, datetime) else None


def _end(document: TrialDocument) -> datetime | None:
    start, duration = _start(document), _execution(document).get("duration")
    if start is None or not has_ended(document):
        return None
    if duration is not None:
        return start + timedelta(seconds=duration)
    end = document.get("refresh_time")
    return as_utc(end) if isinstance(end, datetime) else None


def _duration(document: TrialDocument) -> float | None:
    duration = _execution(document).get("duration")
    if duration is not None:
        return float(duration)
    start, end = _start(document), _end(document)
    return None if start is None or end is None else (end - start).total_seconds()


def _attempts(document: TrialDocument) -> int | None:
    attempt = _execution(document).get("attempt")
    return None if attempt is None else int(attempt) + 1


def _error(document: TrialDocument, part: int) -> str | None:
    error = document["misc"].get("error")
    return None if error is None else str(error[part])


_FACTS: Mapping[str, tuple[Kind, Callable[[TrialDocument], Cell]]] = MappingProxyType(
    {
        "tid": ("int", lambda d: cell_of(d["tid"])),
        "state": ("text", lambda d: STATES[d["state"]]),
        "status": ("text", lambda d: cell_of(d["result"].get("status"))),
        "loss": ("float", _loss),
        "start": ("time", _start),
        "end": ("time", _end),
        "duration": ("float", _duration),
        "host": ("text", lambda d: _execution(d).get("host")),
        "attempts": ("int", _attempts),
        "error": ("text", lambda d: _error(d, 0)),
        "traceback": ("text", lambda d: _error(d, 1)),
        "exp_key": ("text", lambda d: d.get("exp_key")),
        "owner": ("text", lambda d: d.get("owner")),
    }
)
FACTS = tuple(_FACTS)
_FIRST, _LAST = FACTS[:4], FACTS[4:]
