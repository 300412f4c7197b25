"""Writing the file that ``trials_save_file`` names, while a search runs."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import tempfile
import time
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, Protocol

import cloudpickle

from sparktuner.driver._callbacks import Callback
from sparktuner.driver._protocol import TrialsView
from sparktuner.driver._save_file import SavedTrials
from sparktuner.records import MemoryStore, Tid, TrialDocument, TrialLog

_log = logging.getLogger("sparktuner")

# At most one part in so many of the time is spent on writing.
_IDLE_PER_WRITE = 9.0


class Checkpoint(Callback):
    """Keeps ``trials_save_file`` up to date: pickled trials with every trial that has ended.

    Each document is pickled once, after its end, and the file is replaced atomically. A crash
    loses no more than what ended since the last write. To be run in the background.

    Args:
        path: the file.
        trials: an empty copy of them is written around the documents.
        log: the documents that are there before the search, and the attachments.
    """

    def __init__(self, path: Path, trials: TrialsView, log: TrialLog) -> None:
        self._path = path
        self._path.parent.mkdir(parents=True, exist_ok=True)
        empty = TrialLog(MemoryStore(), log.exp_key)
        # So that who loads the file gets the same best trial.
        empty.read_as(None if log.reading is None else log.reading.present)
        self._empty = cloudpickle.dumps(trials.over(empty))
        self._attachments = log.attachments
        # Each document is pickled once, when it does not change any more; results may be large.
        self._pickled = {d["tid"]: _pickle_document(d) for d in log.documents}
        self._rests_until = 0.0
        self._is_behind = False

    def on_trial_end(self, document: TrialDocument) -> None:
        self._pickled[document["tid"]] = _pickle_document(document)
        self._is_behind = True

    def flush(self) -> float | None:
        if not self._is_behind:
            return None
        # Pickling and copying hold the interpreter's lock, which the search needs as well.
        rest = self._rests_until - time.monotonic()
        if rest > 0:
            return rest
        self._write()
        return None

    def on_search_end(self, reason: str | None) -> None:
        self._write()

    def _write(self) -> None:
        began = time.monotonic()
        try:
            self._replace_file()
            self._is_behind = False
        except OSError as error:
            _log.warning("cannot write trials_save_file %s: %s", self._path, error)
        now = time.monotonic()
        self._rests_until = now + _IDLE_PER_WRITE * (now - began)

    def _replace_file(self) -> None:
        # In the order of the ids, not of the trials' ends.
        tids = sorted(self._pickled, key=_in_order)
        saved = _Saved(
            self._empty, [self._pickled[tid] for tid in tids], _pickle_each(self._attachments)
        )
        # Beside the file, because a rename is atomic only within one file system.
        descriptor, temporary = tempfile.mkstemp(
            dir=self._path.parent, prefix=f".{self._path.name}."
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                pickle.dump(saved, file, protocol=pickle.HIGHEST_PROTOCOL)
                file.flush()
                # Else a crash of the machine may leave a file with the new name and no contents.
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


class _Restored(SavedTrials, Protocol):
    """The trials that a save file is unpickled to."""

    def insert_trial_docs(self, docs: Iterable[TrialDocument]) -> list[Tid]: ...
    def refresh(self) -> None: ...


class _Saved:
    """Pickles as a ``Trials`` made of documents that are pickled already."""

    def __init__(
        self, empty: bytes, documents: list[bytes], attachments: dict[str, bytes]
    ) -> None:
        self._parts = (empty, documents, attachments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _restore, self._parts


def _restore(empty: bytes, documents: list[bytes], attachments: dict[str, bytes]) -> _Restored:
    trials: _Restored = pickle.loads(empty)
    trials.insert_trial_docs([pickle.loads(document) for document in documents])
    trials.store.attachments.update(
        {name: pickle.loads(value) for name, value in attachments.items()}
    )
    trials.refresh()
    return trials


def _in_order(tid: Tid) -> tuple[bool, int, str]:
    """Sorts ids of any kind: numbers as such, and those of other tools by what they look like."""
    is_number = isinstance(tid, Integral)
    return not is_number, int(tid) if is_number else 0, repr(tid)


def _pickle_document(document: TrialDocument) -> bytes:
    try:
        return bytes(cloudpickle.dumps(document))
    except Exception as error:  # whatever __reduce__ raises
        result = {k: v for k, v in document["result"].items() if _can_be_pickled(v)}
        lost = sorted(map(repr, document["result"].keys() - result.keys()))
        _log.warning(
            "trial %s is saved without %s of its result, which cannot be pickled: %s",
            document["tid"],
            ", ".join(lost),
            error,
        )
        return bytes(cloudpickle.dumps({**document, "result": result}))


def _can_be_pickled(value: object) -> bool:
    try:
        cloudpickle.dumps(value)
    except Exception:  # whatever __reduce__ raises
        return False
    return True


def _pickle_each(attachments: Mapping[str, object]) -> dict[str, bytes]:
    """The attachments that can be pickled, pickled one by one: one that cannot costs no other."""
    pickled: dict[str, bytes] = {}
    for name, value in dict(attachments).items():
        try:
            pickled[name] = bytes(cloudpickle.dumps(value))
        except Exception as error:  # whatever __reduce__ raises
            _log.warning("attachment %r is not saved, it cannot be pickled: %s", name, error)
    return pickled
