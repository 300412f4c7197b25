"""What the page shows of trials, as plain data: numbers, text, lists and dictionaries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TypeAlias

import numpy as np

from sparktuner.history import PARAMETERS, TableColumn, loss_view, running_best
from sparktuner.plotting import (
    SeenParameter,
    SeenTrials,
    distribution_function,
    foretold,
    lanes_of,
    lines_of,
    rolling_quantiles,
    seen,
    shares_of,
)
from sparktuner.records import configuration_of
from sparktuner.report._texts import kept_texts, pythonic
from sparktuner.space import FloatArray
from sparktuner.trials import Trials

Plain: TypeAlias = bool | int | float | str | Sequence["Plain"] | Mapping[str, "Plain"] | None
_RESULTS = "result."
# Integers beyond these are others in a browser.
_MOST_EXACT = 2**53
# A line of more points looks the same.
_MOST_POINTS = 1000
_LEAST_FOR_BAND, _LONGEST_BAND = 20, 200


def report_data(trials: Trials, importance: Plain = None) -> dict[str, Plain]:
    """Returns what the page shows.

    Args:
        trials: of a search that has ended, or runs.
        importance: which parameters matter, as it stands in earlier data; None finds it out,
            which takes seconds where trials are many.
    """
    data = seen(trials)
    return {
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "exp_key": None if trials.exp_key is None else str(trials.exp_key),
        "kind": type(trials).__name__,
        **_trials(data),
        "parameters": [_parameter(each, data, _codes(trials, data)) for each in data.parameters],
        "best": _best(data),
        "history": _history(data),
        "importance": _importance(trials, data) if importance is None else importance,
        "lines": lines_of(data.losses).tolist(),
        "timeline": _timeline(data),
        "reached": _reached(data),
    }


def dumps(data: Mapping[str, Plain]) -> str:
    """Returns data as JSON that ends no script element and begins no comment in one."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    # JSON without `<`, `>` and `&` is the same JSON, and holds no markup.
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _importance(trials: Trials, data: SeenTrials) -> Plain:
    shares = shares_of(trials, data).items()
    return {
        "shares": [[str(label), _number(share)] for label, share in shares],
        "foretold": foretold(trials, data) if shares else 0.0,
    }


def _trials(data: SeenTrials) -> dict[str, Plain]:
    table = data.table
    results = [name for name in table if name.startswith(_RESULTS)]
    texts, places = kept_texts(table["traceback"].values)
    return {
        "tid": [_cell(document["tid"]) for document in data.documents],
        "number": data.numbers.tolist(),
        "state": data.ends.tolist(),
        "loss": _numbers(data.losses),
        "start": [_milliseconds(start) for start in table["start"].values],
        "duration": [_cell(seconds) for seconds in table["duration"].values],
        "host": [_cell(host) for host in table["host"].values],
        "attempts": [_cell(n) for n in table["attempts"].values],
        "error": [_cell(error) for error in table["error"].values],
        "tracebacks": texts,
        "traceback": places,
        "results": {
            name.removeprefix(_RESULTS): [_cell(value) for value in table[name].values]
            for name in results
        },
    }


def _codes(trials: Trials, data: SeenTrials) -> dict[str, str]:
    spaces = trials.spaces()
    for document in data.documents:
        spaces.of(document)
    return {
        label: " or ".join(dict.fromkeys(record.code for record in records))
        for label, records in spaces.columns().items()
    }


def _parameter(each: SeenParameter, data: SeenTrials, codes: Mapping[str, str]) -> Plain:
    column = data.table[f"{PARAMETERS}{each.label}"]
    return {
        "label": str(each.label),
        "code": codes.get(each.label, ""),
        "condition": each.condition,
        "log": each.log,
        "options": list(each.options),
        "values": _numbers(each.values),
        "exact": {} if each.options else _exact(column, each.values),
    }


def _exact(column: TableColumn, values: FloatArray) -> dict[str, Plain]:
    """The text of values, by position, that a browser would show as other ones."""
    pairs = enumerate(zip(column.values, values, strict=True))
    return {
        str(row): str(cell)
        for row, (cell, value) in pairs
        if isinstance(cell, int | float) and (cell != value or abs(cell) > _MOST_EXACT)
    }


def _best(data: SeenTrials) -> Plain:
    row = data.best
    if row is None:
        return None
    cells = {
        name.removeprefix(PARAMETERS): column.values[row]
        for name, column in data.table.items()
        if name.startswith(PARAMETERS) and column.values[row] is not None
    }
    values = {label: _cell(cell) for label, cell in cells.items()}
    return {
        "row": row,
        "python": pythonic(configuration_of(data.documents[row])),
        "json": json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False),
    }


def _history(data: SeenTrials) -> dict[str, Plain]:
    losses = data.losses[data.is_ranked]
    numbers = data.numbers[data.is_ranked]
    view = loss_view(losses)
    best = running_best(losses)
    steps = np.flatnonzero(np.diff(best, prepend=np.inf))
    return {
        "log": view.log,
        "top": view.top,
        "ends": None if view.ends is None else list(view.ends),
        "best": [numbers[steps].tolist(), best[steps].tolist()],
        "band": _band(numbers, losses),
    }


def _band(numbers: FloatArray, losses: FloatArray) -> Plain:
    if len(losses) < _LEAST_FOR_BAND:
        return None
    window = min(_LONGEST_BAND, max(10, len(losses) // 10))
    quantiles = rolling_quantiles(losses, window, (0.25, 0.5, 0.75))
    at = _thinned(quantiles.shape[1])
    return {
        "window": window,
        "numbers": numbers[window - 1 :][at].tolist(),
        "quantiles": [line[at].tolist() for line in quantiles],
    }


def _timeline(data: SeenTrials) -> dict[str, Plain]:
    lanes = lanes_of(data)
    kinds = sorted({bar.kind for bar in lanes.bars})
    return {
        "hosts": list(lanes.hosts),
        "most": lanes.most,
        "seconds": lanes.seconds,
        "busy": lanes.busy,
        "kinds": kinds,
        "bars": [
            [bar.row, round(bar.begin, 3), round(bar.end, 3), bar.lane, kinds.index(bar.kind)]
            for bar in lanes.bars
        ],
    }


def _reached(data: SeenTrials) -> list[Plain]:
    losses = data.losses[data.is_ranked]
    if not len(losses):
        return [[], []]
    top = loss_view(losses).top
    x, y = distribution_function(data, float(losses.max()) if top is None else top)
    at = _thinned(len(x))
    return [x[at].tolist(), y[at].tolist()]


def _thinned(n: int) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, _MOST_POINTS)).astype(np.intp))


def _milliseconds(time: object) -> Plain:
    return round(time.timestamp() * 1000) if isinstance(time, datetime) else None


def _numbers(values: FloatArray) -> list[Plain]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _number(value: float) -> Plain:
    return float(value) if np.isfinite(value) else None


def _cell(value: object) -> Plain:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) <= _MOST_EXACT:
        return value
    if isinstance(value, float) and np.isfinite(value):
        return value
    return str(value)
