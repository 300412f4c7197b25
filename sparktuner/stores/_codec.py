"""Values as JSON text and back: nothing that is read is ever executed.

JSON's own values stand for themselves; everything else is ``{"$": [tag, payload]}``, with a
reader for each tag in :data:`_READERS`. What has no tag, a fitted model for example, is kept
elsewhere: :func:`encode` hands it to its caller, and a :class:`Kept` stands in its place.
"""

from __future__ import annotations

import base64
import enum
import json
import math
import re
import sys
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PosixPath, WindowsPath
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

# What JSON has: None, bool, int, float, str, lists and dictionaries of such.
Plain: TypeAlias = Any
# Is handed what cannot be encoded and where it is; its answer stands in the value's place.
Keep: TypeAlias = Callable[[object, tuple[object, ...]], "Kept | Lost"]

_TAG = "$"
# Beyond it integers are text: other readers of JSON have 64 bits.
_LARGEST = 2**63
_DEEPEST = 64
# Element types that hold no objects: bool, integers, floats, complex, times, bytes, text.
_DTYPE = re.compile(r"[<>|=]?[biufcmMSU]\d+(\[\d*[A-Za-z]+\])?")


class NotPlain(ValueError):
    """A value that the codec has no form for."""


@dataclass(frozen=True)
class Kept:
    """Stands in a result for a value that is kept as an attachment of the trial.

    Attributes:
        name: of the attachment: ``trials.trial_attachments(trial)[name]`` reads it, which
            unpickles it, so read it only where you trust who wrote it.
    """

    name: str


@dataclass(frozen=True)
class Lost:
    """Stands in a result for a value that could not be kept.

    Attributes:
        type: the name of its type.
    """

    type: str


def dumps(value: object, keep: Keep | None = None, largest: int | None = None) -> str:
    """Returns a value as one line of ASCII JSON.

    Args:
        value: what to encode.
        keep: is handed each value inside that cannot be encoded; None refuses it.
        largest: bytes of the largest array or byte string that is encoded; None is any.

    Raises:
        NotPlain: without ``keep``, something inside cannot be encoded.
    """
    return json.dumps(
        _Encoder(keep, largest).encode(value, ()), allow_nan=False, separators=(",", ":")
    )


def loads(text: str | bytes) -> Any:
    """Returns what :func:`dumps` was called on.

    Raises:
        ValueError: it is no such text, or a tag's payload is not of its form.
    """
    try:
        return json.loads(text, object_hook=_decoded)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class _Encoder:
    def __init__(self, keep: Keep | None, largest: int | None) -> None:
        self._keep = keep
        self._largest = math.inf if largest is None else largest

    def encode(self, value: object, path: tuple[object, ...]) -> Plain:
        # By exact type: a subclass would come back as something else.
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is float:
            return value if math.isfinite(value) else _tagged("float", repr(value))  # type: ignore[arg-type]
        if kind is int:
            return value if abs(value) < _LARGEST else _tagged("int", hex(value))  # type: ignore[arg-type]
        try:
            if len(path) > _DEEPEST:
                raise NotPlain("it is nested too deeply")
            return self._other(value, kind, path)
        except NotPlain:
            if self._keep is None:
                raise
            stands = self._keep(value, path)
            return _tagged("kept" if isinstance(stands, Kept) else "lost", *vars(stands).values())

    def _other(self, value: Any, kind: type, path: tuple[object, ...]) -> Plain:
        if kind is dict:
            return self._dictionary(value, path)
        if kind is list:
            return self._items(value, path)
        if kind in (tuple, set, frozenset):
            return _tagged(kind.__name__, self._items(value, path))
        if kind is bytes or kind is bytearray:
            return _tagged(kind.__name__, self._text(value))
        if isinstance(value, np.generic | np.ndarray):
            return self._array(value)
        if isinstance(value, enum.Enum):
            return self._member(value, path)
        writer = _WRITERS.get(kind)
        if writer is None:
            raise NotPlain(f"a {kind.__name__} has no form in JSON")
        return _tagged(*writer(value))

    def _items(self, values: Iterable[object], path: tuple[object, ...]) -> list[Plain]:
        return [self.encode(value, (*path, i)) for i, value in enumerate(values)]

    def _dictionary(self, values: dict[object, object], path: tuple[object, ...]) -> Plain:
        if all(type(key) is str for key in values) and _TAG not in values:
            return {str(key): self.encode(value, (*path, key)) for key, value in values.items()}
        return _tagged(
            "dict",
            [
                [self.encode(key, (*path, key)), self.encode(value, (*path, key))]
                for key, value in values.items()
            ],
        )

    def _text(self, data: bytes) -> str:
        if len(data) > self._largest:
            raise NotPlain(f"{len(data)} bytes are too many")
        return base64.b64encode(data).decode()

    def _array(self, value: np.generic | np.ndarray[Any, Any]) -> Plain:
        dtype = value.dtype
        if not _DTYPE.fullmatch(dtype.str) or type(value).__module__ != "numpy":
            raise NotPlain(f"an array of {dtype} has no form in JSON")
        tag = "scalar" if isinstance(value, np.generic) else "array"
        shape = () if isinstance(value, np.generic) else value.shape
        return _tagged(tag, dtype.str, list(shape), self._text(value.tobytes()))

    def _member(self, value: enum.Enum, path: tuple[object, ...]) -> Plain:
        kind = type(value)
        plain = self.encode(value.value, (*path, "value"))
        return _tagged("enum", kind.__module__, kind.__qualname__, value.name, plain)


def _tagged(tag: str, *payload: Plain) -> Plain:
    return {_TAG: [tag, *payload]}


def _time(value: datetime | time) -> tuple[str, ...]:
    # The text has the offset of a time zone, but neither its name nor which of two equal hours.
    zone = getattr(value.tzinfo, "key", None)
    if value.tzinfo is not None and zone is None and type(value.tzinfo) is not timezone:
        raise NotPlain("a time zone of another kind")
    naive = value if zone is None else value.replace(tzinfo=None)
    return (type(value).__name__, naive.isoformat(), str(value.fold), *([zone] if zone else []))


_WRITERS: dict[type, Callable[[Any], tuple[Plain, ...]]] = {
    complex: lambda value: ("complex", repr(value.real), repr(value.imag)),
    datetime: _time,
    time: _time,
    date: lambda value: ("date", value.isoformat()),
    timedelta: lambda value: ("timedelta", value.days, value.seconds, value.microseconds),
    Decimal: lambda value: ("decimal", str(value)),
    Fraction: lambda value: ("fraction", str(value)),
    uuid.UUID: lambda value: ("uuid", str(value)),
    PosixPath: lambda value: ("path", str(value)),
    WindowsPath: lambda value: ("path", str(value)),
    Kept: lambda value: ("kept", value.name),
    Lost: lambda value: ("lost", value.type),
}


# --- reading


def _decoded(read: dict[str, Any]) -> Any:
    # Called for inner objects first, so what a payload holds is read already.
    if _TAG not in read:
        return read
    try:
        tag, *payload = read[_TAG]
        return _READERS[tag](*payload)
    except Exception as error:  # whatever somebody else's text makes of the readers
        raise ValueError(f"{str(read)[:80]!r} is not of its form: {error!r}") from error


def _array(dtype: str, shape: list[int], text: str) -> np.ndarray[Any, Any]:
    # No element type that holds objects, and no shape that the data does not have.
    if not _DTYPE.fullmatch(dtype):
        raise ValueError(f"element type {dtype!r}")
    data = base64.b64decode(text, validate=True)
    if math.prod(shape) * np.dtype(dtype).itemsize != len(data):
        raise ValueError(f"{len(data)} bytes are no array of shape {shape}")
    # A copy, as what is made of a buffer cannot be written.
    return np.frombuffer(bytearray(data), dtype).reshape(shape)


def _scalar(dtype: str, shape: list[int], text: str) -> np.generic:
    return next(_array(dtype, [1], text).flat)


def _member(module: str, name: str, member: str, value: object) -> object:
    """The member of an enumeration that is loaded already; else its value: nothing is imported."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = vars(found).get(part) if found is not None else None
    if isinstance(found, type) and issubclass(found, enum.Enum):
        return found.__members__.get(member, value)
    return value


def _zoned(read: Callable[[str], Any]) -> Callable[..., Any]:
    def reader(text: str, fold: str, zone: str | None = None) -> datetime | time:
        value: datetime | time = read(text).replace(fold=int(fold))
        return value if zone is None else value.replace(tzinfo=ZoneInfo(zone))

    return reader


def _exactly(kind: type) -> Callable[[list[object]], object]:
    def reader(items: list[object]) -> object:
        return kind(items)

    return reader


_READERS: dict[str, Callable[..., object]] = {
    "float": lambda text: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[text],
    "int": lambda text: int(text, 16),
    "complex": lambda real, imaginary: complex(float(real), float(imaginary)),
    "dict": lambda items: dict((key, value) for key, value in items),
    "tuple": _exactly(tuple),
    "set": _exactly(set),
    "frozenset": _exactly(frozenset),
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "bytearray": lambda text: bytearray(base64.b64decode(text, validate=True)),
    "array": _array,
    "scalar": _scalar,
    "enum": _member,
    "datetime": _zoned(datetime.fromisoformat),
    "time": _zoned(time.fromisoformat),
    "date": date.fromisoformat,
    "timedelta": timedelta,
    "decimal": Decimal,
    "fraction": Fraction,
    "uuid": uuid.UUID,
    "path": Path,
    "kept": lambda name: Kept(_string(name)),
    "lost": lambda kind: Lost(_string(kind)),
}


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no text: {value!r}")
    return value


__all__ = ["Keep", "Kept", "Lost", "NotPlain", "Plain", "dumps", "loads"]
