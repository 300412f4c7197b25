"""Tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import IO, TypeAlias

from sparktuner._terminal import harmless

Cell: TypeAlias = object
Record: TypeAlias = Mapping[str, Cell]

_WIDEST = 40  # characters of a column; a traceback or a long text would hide the rest


class Form(Enum):
    """How records are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def print_records(records: Sequence[Record], form: Form) -> None:
    """Prints records that all have the same keys."""
    if form is Form.JSON:
        print(json.dumps([plain(record) for record in records], indent=1, allow_nan=False))
    elif form is Form.CSV:
        write_csv([_harmless_record(record) for record in records], sys.stdout)
    elif records:
        _print_table(records)


def _harmless_record(record: Record) -> Record:
    return {
        harmless(name): harmless(value) if isinstance(value, str) else value
        for name, value in record.items()
    }


def _text(value: Cell) -> str:
    if value is None:
        return ""
    return harmless(f"{value:.6g}" if isinstance(value, float) else str(plain(value)))


def plain(value: Cell) -> Cell:
    """Returns a value as JSON has it; what is no finite number is text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def write_csv(records: Sequence[Record], file: IO[str]) -> None:
    """Writes records that all have the same keys, texts as they are."""
    if records:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(records[0])
        # Numbers in full: a program reads them.
        writer.writerows([plain(value) for value in record.values()] for record in records)


def _print_table(records: Sequence[Record]) -> None:
    rows = [[_cut(_text(name)) for name in records[0]]]
    rows += [[_cut(_text(value)) for value in record.values()] for record in records]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
