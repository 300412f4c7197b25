"""The kinds of values that a table holds, and how values become one of a kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Literal, TypeAlias

from sparktuner.space import native

Kind: TypeAlias = Literal["bool", "int", "float", "text", "time"]
# None stands for a missing value; NaN is a value.
Cell: TypeAlias = bool | int | float | str | datetime | None


@dataclass(frozen=True)
class TableColumn:
    """One column of a table of trials.

    Attributes:
        name: its name.
        kind: what its values are.
        values: one for each trial, None where there is none; times are aware.
    """

    name: str
    kind: Kind
    values: list[Cell]


def kind_of(value: Cell) -> Kind:
    """Returns the kind of a value that is not missing."""
    # By class, and bool before int, of which it is a subclass.
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    return "time" if isinstance(value, datetime) else "text"


def cell_of(value: object) -> Cell:
    """Returns a scalar as a table holds it; None for what is no scalar."""
    # By class first: this is asked of each value of each trial.
    if value.__class__ in (float, int, str):
        return value
    value = native(value)
    if isinstance(value, datetime):
        return as_utc(value)
    return value if isinstance(value, bool | int | float | str) else None


def as_utc(time: datetime) -> datetime:
    """Returns a time with its zone: documents keep naive UTC."""
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time


def common_kind(kinds: Iterable[Kind]) -> Kind:
    """Returns the kind that holds values of all these kinds."""
    distinct = set(kinds)
    if len(distinct) == 1:
        return distinct.pop()
    return "float" if distinct == {"int", "float"} else "text"


def make_column(
    name: str, values: Iterable[Cell], kinds: Iterable[Kind] = (), otherwise: Kind = "text"
) -> TableColumn:
    """Returns a column of the narrowest kind that holds its values.

    Args:
        name: of the column.
        values: None where there is none.
        kinds: what its values are meant to be; those that are not make it wider.
        otherwise: the kind of a column of which nothing is known.
    """
    values = list(values)
    meant = set(kinds) or {kind_of(value) for value in values if value is not None}
    kind = common_kind(meant) if meant else otherwise
    for wider in dict.fromkeys([kind, "float" if kind == "int" else kind]):
        try:
            return TableColumn(name, wider, converted(values, wider))
        except (ValueError, OverflowError):  # an integer beyond 64 bits, or 0.5 among them
            continue
    return TableColumn(name, "text", converted(values, "text"))


def converted(values: Iterable[Cell], kind: Kind) -> list[Cell]:
    """Returns values as those of a kind; None stays.

    Raises:
        ValueError, OverflowError: one is not of that kind.
    """
    convert = _CONVERT[kind]
    return [None if value is None else convert(value) for value in values]


def _whole(value: Cell) -> int:
    if not isinstance(value, int):
        if not (isinstance(value, float) and value.is_integer()):
            raise ValueError(value)
        value = int(value)
    if not -(2**63) <= value < 2**63:
        raise OverflowError(value)
    return int(value)


def _real(value: Cell) -> float:
    if not isinstance(value, int | float):
        raise ValueError(value)
    return float(value)


def _is_true(value: Cell) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _time(value: Cell) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError(value)
    return value


_CONVERT: Mapping[Kind, Callable[[Cell], Cell]] = MappingProxyType(
    {"bool": _is_true, "int": _whole, "float": _real, "text": str, "time": _time}
)


def is_missing(value: object) -> bool:
    """Returns whether a value stands for none: None, or NaN."""
    value = native(value)
    return value is None or (isinstance(value, float) and math.isnan(value))
