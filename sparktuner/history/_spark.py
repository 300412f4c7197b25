"""A table of trials as a Spark DataFrame, on Classic and on Connect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from sparktuner.history._cells import Cell, Kind, TableColumn
from sparktuner.history._table import PARAMETERS, RESULTS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "bool": "BOOLEAN",
        "int": "BIGINT",
        "float": "DOUBLE",
        "text": "STRING",
        # Not TIMESTAMP, which a setting turns into one without a time zone.
        "time": "TIMESTAMP_LTZ",
    }
)
# A column, or the fields of a structure by its name.
_Field: TypeAlias = "TableColumn | tuple[str, list[TableColumn]]"


def to_spark(table: Sequence[TableColumn], spark: SparkSession) -> DataFrame:
    """Returns a table of trials as a Spark DataFrame.

    The parameters are the fields of a structure, and so are the results: a dot in the name of
    a column would have to be quoted in each expression.
    """
    fields = list(_fields(table))
    schema = ", ".join(map(_declared, fields))
    rows = list(zip(*map(_values, fields), strict=True))
    # The schema as text: it is stated also where there is no row, and needs no import.
    return spark.createDataFrame(rows, schema)


def _fields(table: Sequence[TableColumn]) -> Iterator[_Field]:
    structures: dict[str, list[TableColumn]] = {}
    for column in table:
        prefix = next((p for p in (PARAMETERS, RESULTS) if column.name.startswith(p)), None)
        if prefix is None:
            yield column
            continue
        inner = TableColumn(column.name.removeprefix(prefix), column.kind, column.values)
        # Yielded with its first field, filled with the others before anybody reads it.
        if prefix not in structures:
            structures[prefix] = []
            yield prefix.removesuffix("."), structures[prefix]
        structures[prefix].append(inner)


def _declared(field: _Field) -> str:
    if isinstance(field, TableColumn):
        return f"{_quoted(field.name)} {_TYPES[field.kind]}"
    name, columns = field
    inner = ", ".join(f"{_quoted(c.name)}: {_TYPES[c.kind]}" for c in columns)
    return f"{_quoted(name)} STRUCT<{inner}>"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _values(field: _Field) -> Sequence[Cell | tuple[Cell, ...]]:
    if isinstance(field, TableColumn):
        return field.values
    return list(zip(*(column.values for column in field[1]), strict=True))
