"""Values that are wrong for most arguments, by a name each; made anew for each call."""

from __future__ import annotations

import datetime
import decimal
import fractions
import math
import types
from collections.abc import Callable, Coroutine, Iterator, Mapping

import numpy as np

from sparktuner import hp


class Model:
    """A class that was not called."""


class BadRepr:
    """Cannot be shown in a message."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class BadEqual:
    """Cannot be compared, as tables of several libraries."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    def __bool__(self) -> bool:
        raise RuntimeError("no truth value")


def takes_nothing() -> float:
    return 0.0


def _generator() -> Iterator[int]:
    yield 1


async def _coroutine() -> float:
    return 0.0


def _awaited_never() -> Coroutine[object, object, float]:
    return _coroutine()


def _loop() -> list[object]:
    loop: list[object] = []
    loop.append(loop)
    return loop


# Names without spaces: the tables list them in one text.
VALUES: Mapping[str, Callable[[], object]] = {
    "None": lambda: None,
    "True": lambda: True,
    "-1": lambda: -1,
    "0": lambda: 0,
    "7": lambda: 7,
    "0.5": lambda: 0.5,
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "-inf": lambda: -math.inf,
    "1e308": lambda: 1e308,
    "huge_int": lambda: 10**400,
    "complex": lambda: 1j,
    "decimal_nan": lambda: decimal.Decimal("nan"),
    "text": lambda: "wrong",
    "empty_text": lambda: "",
    "digits": lambda: "7",
    "surrogate": lambda: "\ud800",
    "bytes": lambda: b"7",
    "empty_list": list,
    "list": lambda: [1, 2],
    "list_of_None": lambda: [None],
    "tuple": lambda: (1, 2),
    "loop": _loop,
    "empty_dict": dict,
    "dict": lambda: {"a": 1},
    "dict_of_numbers": lambda: {1: 2},
    "read_only": lambda: types.MappingProxyType({"a": 1}),
    "set": lambda: {1, 2},
    "range": lambda: range(3),
    "array": lambda: np.arange(3),
    "matrix": lambda: np.ones((2, 2)),
    "nan_array": lambda: np.array(math.nan),
    "int64": lambda: np.int64(7),
    "float32": lambda: np.float32(0.5),
    "fraction": lambda: fractions.Fraction(1, 2),
    "bool_": lambda: np.bool_(True),
    "generator": _generator,
    "iterator": lambda: iter([1, 2]),
    "coroutine": _awaited_never,
    "class": lambda: Model,
    "builtin": lambda: int,
    "function": lambda: takes_nothing,
    "module": lambda: math,
    "object": Model,
    "bad_repr": BadRepr,
    "bad_equal": BadEqual,
    "error": lambda: ValueError("wrong"),
    "date": lambda: datetime.datetime(2024, 1, 1),
    "node": lambda: hp.uniform("node", 0, 1),
}
# What is no mistake wherever the other is none: the same number, or dictionary, of another type.
ALIKE: Mapping[str, str] = {
    "int64": "7",
    "float32": "0.5",
    "fraction": "0.5",
    "read_only": "dict",
}
