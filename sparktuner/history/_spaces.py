"""What the values of a trial mean: choices as the options that their indices stand for."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Iterable

from sparktuner.history._cells import Cell, Kind, cell_of, common_kind, kind_of
from sparktuner.records import (
    Attachments,
    ColumnRecord,
    Configuration,
    SpaceRecord,
    TrialDocument,
    configuration_of,
    described,
)

_LONGEST = 1000


@functools.lru_cache(maxsize=1000)
def option_values(texts: tuple[str, ...]) -> tuple[Cell, ...]:
    """Returns the options of a choice as values of one kind, each another one.

    Numbers, truth values and text are what they are. All are text where they are of several
    kinds, or where one is something else, which its description stands for.

    Example:
        >>> option_values(("16", "32")), option_values(("None", "'auto'", "{'C': <C>}"))
        ((16, 32), ('None', 'auto', "{'C': <C>}"))
    """
    values = tuple(map(_constant, texts))
    kinds = {kind_of(value) for value in values}
    if len(kinds) == 1 or kinds == {"int", "float"}:
        return values if len(set(values)) == len(values) else texts
    shown = tuple(map(str, values))
    return shown if len(set(shown)) == len(shown) else texts


def _constant(text: str) -> Cell:
    # Longer than any description: somebody else's, which Python's parser need not be tried on.
    if len(text) > _LONGEST:
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        # NaN is left as text: in a table it would be a missing value.
        return {"inf": math.inf, "-inf": -math.inf}.get(text, text)
    return value if isinstance(value, bool | int | float | str) else text


class SpaceView:
    """The values of trials of one space.

    Args:
        record: the space.
    """

    def __init__(self, record: SpaceRecord) -> None:
        self.record = record
        self.columns: dict[str, list[ColumnRecord]] = {}
        for column in record.columns:
            self.columns.setdefault(column.label, []).append(column)

    def value(self, label: str, raw: object, document: TrialDocument) -> Cell:
        """Returns the value of a parameter, of a choice its option's."""
        value = cell_of(raw)
        options = self._options(label, document)
        if not options or value is None:
            return value
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        # What points at no option, in a document of somebody else's, is shown as it is.
        known = whole and 0 <= value < len(options)  # type: ignore[operator]
        return options[int(value)] if known else value  # type: ignore[arg-type]

    def _options(self, label: str, document: TrialDocument) -> tuple[Cell, ...]:
        """The options of a choice; none for other parameters."""
        columns = self.columns.get(label, [])
        if not any(column.options for column in columns):
            return ()
        column: ColumnRecord | None = columns[0]
        # One label in several branches: which one it is, the choices above it tell.
        if len(columns) > 1:
            column = _active_column(self.record, configuration_of(document), label)
        return () if column is None else option_values(column.options)


def _active_column(
    record: SpaceRecord, configuration: Configuration, label: str
) -> ColumnRecord | None:
    active = (column for column in record.active(configuration) if column.label == label)
    return next(active, None)


class Spaces:
    """The spaces of the trials in a store.

    Args:
        attachments: of the store, where descriptions of spaces are kept by digest.
        searched: the space of those documents that name none; None where it is not known.
    """

    def __init__(self, attachments: Attachments, searched: SpaceRecord | None) -> None:
        self._attachments = attachments
        self._searched = None if searched is None else SpaceView(searched)
        self._known: dict[str, SpaceView | None] = {}
        if searched is not None:
            self._known[searched.digest] = self._searched

    def of(self, document: TrialDocument) -> SpaceView | None:
        """Returns the space of a trial; None where it is not known."""
        digest = document["misc"].get("space")
        if digest is None:
            return self._searched
        if digest not in self._known:
            record = described(self._attachments, digest)
            self._known[digest] = None if record is None else SpaceView(record)
        return self._known[digest]

    def columns(self) -> dict[str, list[ColumnRecord]]:
        """Returns by label what each parameter was, in the spaces that were asked for."""
        found: dict[str, list[ColumnRecord]] = {}
        for view in self._known.values():
            if view is not None:
                for label, columns in view.columns.items():
                    found.setdefault(label, []).extend(columns)
        return found


def kind_of_parameter(columns: Iterable[ColumnRecord]) -> set[Kind]:
    """Returns of what kinds the values of a parameter are."""
    return {_kind(column) for column in columns}


def _kind(column: ColumnRecord) -> Kind:
    if column.options:
        return common_kind(kind_of(value) for value in option_values(column.options))
    return "int" if column.q is not None and float(column.q).is_integer() else "float"
