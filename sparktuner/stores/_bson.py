"""Values as BSON's own types where it has them, so that other tools can read and query them.

What BSON lacks, or some servers refuse (NaN, infinities, -0.0, keys with dots, lists of lists),
is the codec's text in a dictionary of its own.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from sparktuner.stores import _codec
from sparktuner.stores._codec import Keep, Kept, Lost

_TAG = "__sparktuner__"
_LARGEST = 2**63
# Servers refuse documents that are nested deeper than 100; a trial's own levels come on top.
_DEEPEST = 48


def to_bson(
    value: object, keep: Keep, largest: int | None = None, path: tuple[object, ...] = ()
) -> Any:
    """Returns a value in the types that a MongoDB driver writes.

    Args:
        value: what to encode.
        keep: is handed each value inside that cannot be encoded.
        largest: bytes of the largest array or byte string that is encoded; None is any.
        path: where the value is.
    """
    if _is_native(value, largest):
        return value
    kind = type(value)
    if len(path) <= _DEEPEST:
        if kind is dict and _are_keys(value):  # type: ignore[arg-type]
            items = value.items()  # type: ignore[attr-defined]
            return {key: to_bson(each, keep, largest, (*path, key)) for key, each in items}
        if kind is list and not any(type(each) is list for each in value):  # type: ignore[attr-defined]
            members = enumerate(value)  # type: ignore[arg-type, var-annotated]
            return [to_bson(each, keep, largest, (*path, i)) for i, each in members]

    def keep_below(inner: object, rest: tuple[object, ...]) -> Kept | Lost:
        return keep(inner, (*path, *rest))

    return {_TAG: _codec.dumps(value, keep_below, largest)}


def from_bson(value: Any) -> Any:
    """Returns what :func:`to_bson` was called on.

    Raises:
        ValueError: the codec's text inside is not of its form.
    """
    if isinstance(value, dict):
        if _TAG in value:
            return _codec.loads(value[_TAG])
        return {key: from_bson(each) for key, each in value.items()}
    if isinstance(value, list):
        return [from_bson(each) for each in value]
    # The driver's class for 64 bits.
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value


def _is_native(value: Any, largest: int | None) -> bool:
    kind = type(value)
    if value is None or kind is bool:
        return True
    if kind is str:
        return is_text(value)
    if kind is int:
        return bool(-_LARGEST <= value < _LARGEST)
    if kind is float:
        return math.isfinite(value) and (value != 0 or math.copysign(1.0, value) > 0)
    if kind is bytes:
        return largest is None or len(value) <= largest
    if kind is datetime:
        # BSON keeps milliseconds, and neither a time zone nor which of two equal hours.
        return value.tzinfo is None and not value.fold and value.microsecond % 1000 == 0
    # Object ids and the like of documents that other tools wrote go back as they came.
    return kind.__module__.startswith("bson.")


def is_text(value: str) -> bool:
    """Returns whether every server and driver can keep this text as it is."""
    if value.isascii():
        return "\0" not in value
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a pair of surrogates
        return False
    return "\0" not in value


def _are_keys(value: dict[object, object]) -> bool:
    return _TAG not in value and all(
        type(key) is str and "." not in key and not key.startswith("$") and is_text(key)
        for key in value
    )
