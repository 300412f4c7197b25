"""The file that ``trials_save_file`` names: its name, who holds it, and what it holds."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sparktuner.checks import shown
from sparktuner.records import (
    Deferred,
    Tid,
    TrialDocument,
    TrialLog,
    attachment_name,
    renumbered,
)
from sparktuner.stores import BlobAttachments, JournalFile, Kind

# Bytes of an attachment that is read with its file; larger ones are read when asked for.
_SMALL = 1 << 16


def check_save_file(name: str, value: object) -> None:
    """Refuses what is no path of a file on this machine.

    Raises:
        TypeError: ``value`` is no text and no path of text.
        ValueError: it is a URL.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise TypeError(f"{name} must be the path of a file, got {shown(value)}")
    try:
        named = b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:  # half of a character
        named = False
    if not named:
        raise ValueError(f"{name} must be the path of a file, got {value!r}, which can name none")
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", os.fspath(value))
    if scheme:
        raise ValueError(
            f"{name} must be the path of a local file, got a URL, {os.fspath(value)!r}; "
            f"write to a local file, or to a folder in which {scheme[0]} is mounted (such as "
            "/dbfs/ or /Volumes/ on Databricks), and copy it there after the search"
        )


def save_path(path: str | os.PathLike[str]) -> Path:
    """Returns the file itself, of which ``path`` may be a symbolic link."""
    return Path(path).resolve()


def load_saved_file(log: TrialLog, path: str | os.PathLike[str]) -> None:
    """Adds the trials of a save file to a log.

    Raises:
        ValueError: there is no such file.
        StoreError: it holds something else, or is corrupt.
    """
    check_save_file("path", path)
    file = save_path(path)
    if not file.is_file():
        raise ValueError(f"path must be that of a save file, and {str(file)!r} is none")
    load_saved(log, JournalFile(file))


def load_saved(log: TrialLog, file: JournalFile) -> None:
    """Adds the trials of a save file that ``log`` does not hold yet.

    A trial whose id another one has here gets a new id, and keeps its attachments.
    """
    saved = file.documents()
    known = {document["tid"]: document for document in log.documents}
    log.insert([document for document in saved if document["tid"] not in known])
    # Ids are given out above all that are known, so those of the file have to be in by now.
    others = [d for d in saved if not _is_same(known.get(d["tid"], d), d)]
    new = dict(zip((d["tid"] for d in others), log.allocate(len(others)), strict=True))
    log.insert([renumbered(document, new[document["tid"]]) for document in others])
    for name in file.names(""):
        log.attachments.setdefault(_renamed(name, new), _value(file, name))


def _value(file: JournalFile, name: str) -> object:
    """An attachment of the file: its bytes where they are few, else a promise to read it."""
    kind, pieces = file.get(name)
    if kind is Kind.BYTES and file.size(name) <= _SMALL:
        return b"".join(pieces)

    def read() -> object:
        return BlobAttachments(file.again(), str(file.path))[name]

    return Deferred(read, kind is Kind.BYTES)


def _is_same(one: TrialDocument, other: TrialDocument) -> bool:
    """Whether two documents of one id are of one trial, and not of two searches."""
    # Either may be of an earlier time than the other: not booked yet, or not claimed.
    return one["misc"]["vals"] == other["misc"]["vals"] and (
        one["book_time"] == other["book_time"] or one["owner"] == other["owner"]
    )


def _renamed(name: str, tids: dict[Tid, Tid]) -> str:
    """An attachment's name for the id that its trial has here."""
    for old, new in tids.items():
        prefix = attachment_name(old, "")
        if name.startswith(prefix):
            return attachment_name(new, name[len(prefix) :])
    return name
