"""The log of a store of objects: what an entry says, and how it is written as bytes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparktuner.stores._rows import Row

_MAGIC = "sparktuner-log 1"


@dataclass(frozen=True)
class HandedOut:
    """Ids that were handed out.

    Attributes:
        tids: the ids.
        owner: whose they are.
        exp_key: the experiment that they are for.
    """

    tids: tuple[int, ...]
    owner: str | None
    exp_key: str | None


@dataclass(frozen=True)
class Forgotten:
    """All documents of an experiment are gone; with None, all of the store."""

    exp_key: str | None


@dataclass(frozen=True)
class Entry:
    """What one call has written.

    Attributes:
        nonce: the call's own; it tells whose an entry is when an answer was lost.
        rows: documents that were inserted or changed. The text is empty in those that a later
            entry of the same bundle has written again.
        handed_out: ids that were handed out.
        forgotten: what was deleted, before the rows.
    """

    nonce: str
    rows: tuple[Row, ...] = ()
    handed_out: HandedOut | None = None
    forgotten: Forgotten | None = None


def pack(entries: Sequence[Entry]) -> bytes:
    """Returns entries as the bytes of one object.

    A line that tells how long the rest is, a line of JSON with all but the texts, then a line
    for each text.
    """
    lines = [json.dumps([_head(entry) for entry in entries], separators=(",", ":"))]
    lines += [row.text for entry in entries for row in entry.rows]
    body = "\n".join(lines).encode("ascii")
    return f"{_MAGIC} {len(body)} {zlib.crc32(body):08x}\n".encode() + body


def unpack(data: bytes) -> list[Entry]:
    """Returns the entries of an object.

    Raises:
        ValueError: the object is not whole, or no such object.
    """
    end = data.find(b"\n", 0, 100)
    if end < 0 or not data.startswith(_MAGIC.encode() + b" "):
        raise ValueError(f"it does not start with {_MAGIC!r}")
    length, checksum = data[len(_MAGIC) : end].split()
    body = data[end + 1 :]
    if len(body) != int(length):
        raise ValueError(f"it has {len(body)} of {int(length)} bytes")
    if zlib.crc32(body) != int(checksum, 16):
        raise ValueError("its bytes have been changed")
    return _entries(body.decode("ascii").split("\n"))


def superseded(entries: Sequence[Entry]) -> list[Entry]:
    """Returns entries without the texts of documents that a later one writes again or deletes.

    The rows themselves stay: their order is that of the documents' insertion.
    """
    written: set[int] = set()
    forgotten: set[str | None] = set()
    kept = []
    for entry in reversed(entries):
        rows = tuple(
            _blank(row)
            if row.tid in written or row.exp_key in forgotten or None in forgotten
            else row
            for row in entry.rows
        )
        written.update(row.tid for row in rows)
        if entry.forgotten is not None:
            forgotten.add(entry.forgotten.exp_key)
        kept.append(Entry(entry.nonce, rows, entry.handed_out, entry.forgotten))
    return kept[::-1]


def _blank(row: Row) -> Row:
    return Row(row.tid, row.exp_key, row.state, row.owner, row.version, "")


def _head(entry: Entry) -> dict[str, Any]:
    head: dict[str, Any] = {
        "nonce": entry.nonce,
        "rows": [[r.tid, r.exp_key, r.state, r.owner, r.version] for r in entry.rows],
    }
    if entry.handed_out is not None:
        out = entry.handed_out
        head["handed_out"] = [list(out.tids), out.owner, out.exp_key]
    if entry.forgotten is not None:
        head["forgotten"] = [entry.forgotten.exp_key]
    return head


def _entries(lines: list[str]) -> list[Entry]:
    entries = []
    texts = iter(lines[1:])
    try:
        for head in json.loads(lines[0]):
            rows = tuple(_row(values, next(texts)) for values in head["rows"])
            entries.append(_entry(head, rows))
    # StopIteration in the generator is a RuntimeError.
    except (TypeError, KeyError, RuntimeError) as error:
        raise ValueError(f"it is not of its form: {error!r}") from error
    return entries


def _entry(head: dict[str, Any], rows: tuple[Row, ...]) -> Entry:
    handed_out = forgotten = None
    if "handed_out" in head:
        tids, owner, exp_key = head["handed_out"]
        handed_out = HandedOut(tuple(map(_int, tids)), _key(owner), _key(exp_key))
    if "forgotten" in head:
        [exp_key] = head["forgotten"]
        forgotten = Forgotten(_key(exp_key))
    return Entry(str(head["nonce"]), rows, handed_out, forgotten)


def _row(values: list[object], text: str) -> Row:
    try:
        tid, exp_key, state, owner, version = values
    except ValueError as error:
        raise TypeError(f"no document: {values!r}") from error
    return Row(_int(tid), _key(exp_key), _int(state), _key(owner), _int(version), text)


def _int(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"no integer: {value!r}")
    return value


def _key(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"no text: {value!r}")
    return value
