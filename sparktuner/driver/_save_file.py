"""The file that ``trials_save_file`` names: its name, who holds it, and what it holds."""

from __future__ import annotations

import os
import pickle
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from sparktuner.records import (
    Tid,
    TrialDocument,
    TrialLog,
    TrialStore,
    attachment_name,
    copy_document,
)

try:
    import fcntl
except ImportError:  # Windows, where the file is not locked
    fcntl = None  # type: ignore[assignment]


class SavedTrials(Protocol):
    """What a save file holds: a :class:`sparktuner.Trials`, as far as it is looked at."""

    @property
    def all_trials(self) -> list[TrialDocument]: ...
    @property
    def store(self) -> TrialStore: ...


def check_save_file(name: str, value: object) -> None:
    """Refuses what is no path of a file on this machine.

    Raises:
        TypeError: ``value`` is no text and no path.
        ValueError: it is a URL.
    """
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} must be the path of a file, got {value!r}")
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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the save file for one search; the system lets go when the process ends.

    Raises:
        ValueError: another search holds it; the message says who.
    """
    if fcntl is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the file, because the file itself is replaced by each write.
    lock = path.with_name(f".{path.name}.lock")
    with _opened(lock, path) as file:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                os.unlink(lock)


def _opened(lock: Path, path: Path) -> IO[str]:
    """The lock's file, held by this process."""
    while True:
        file = lock.open("a+", encoding="utf-8")
        try:
            _lock(file, path)
            # Whoever held it before may have removed it between the two lines above.
            if lock.exists() and os.path.samestat(os.stat(lock), os.fstat(file.fileno())):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise ValueError(
            f"trials_save_file {str(path)!r} is held by another search ({file.read()}), which "
            "would overwrite it; wait for its end, or name another file"
        ) from None
    except OSError:
        return  # a file system that knows no locks


def load_saved(log: TrialLog, path: Path) -> None:
    """Adds the trials of a save file that ``log`` does not hold yet.

    A trial whose id another one has here gets a new id, and keeps its attachments.

    Raises:
        ValueError: the file holds something else, or needs a module that is missing here.
    """
    if not path.exists() or not path.stat().st_size:
        return
    saved = _read(path)
    known = {document["tid"]: document for document in log.documents}
    missing = [d for d in saved.all_trials if d["tid"] not in known]
    log.insert(missing)
    # Ids are given out above all that are known, so those of the file have to be in by now.
    others = [d for d in saved.all_trials if not _is_same(known.get(d["tid"], d), d)]
    new = dict(zip((d["tid"] for d in others), log.allocate(len(others)), strict=True))
    log.insert([_renumbered(document, new[document["tid"]]) for document in others])
    for name, value in dict(saved.store.attachments).items():
        log.attachments.setdefault(_renamed(name, new), value)


def _read(path: Path) -> SavedTrials:
    try:
        with path.open("rb") as file:
            saved: SavedTrials = pickle.load(file)
        list(saved.all_trials), dict(saved.store.attachments)
    except ImportError as error:
        raise ValueError(
            f"trials_save_file {str(path)!r} cannot be read here: its trials hold something of "
            f"module {error.name!r}, which is missing ({error}). Install it, or name another file"
        ) from error
    except Exception as error:  # whatever unpickling raises
        raise ValueError(
            f"trials_save_file {str(path)!r} holds no saved trials ({error!r}); name another "
            "file, or delete this one to start anew"
        ) from error
    return saved


def _is_same(one: TrialDocument, other: TrialDocument) -> bool:
    """Whether two documents of one id are of one trial, and not of two searches."""
    # Either may be of an earlier time than the other: not booked yet, or not claimed.
    return one["misc"]["vals"] == other["misc"]["vals"] and (
        one["book_time"] == other["book_time"] or one["owner"] == other["owner"]
    )


def _renumbered(document: TrialDocument, tid: Tid) -> TrialDocument:
    copy = copy_document(document)
    copy["tid"] = copy["misc"]["tid"] = tid
    copy["misc"]["idxs"] = {
        label: [tid] if tids else [] for label, tids in copy["misc"]["idxs"].items()
    }
    return copy


def _renamed(name: str, tids: dict[Tid, Tid]) -> str:
    """An attachment's name for the id that its trial has here."""
    for old, new in tids.items():
        prefix = attachment_name(old, "")
        if name.startswith(prefix):
            return attachment_name(new, name[len(prefix) :])
    return name
