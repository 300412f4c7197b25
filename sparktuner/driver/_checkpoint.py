"""The file that ``trials_save_file`` names: written while a search runs, read by the next one."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import cloudpickle

from sparktuner.driver._callbacks import Callback
from sparktuner.driver._protocol import TrialsView
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

    def __init__(self, path: str | os.PathLike[str], trials: TrialsView, log: TrialLog) -> None:
        self._path = Path(path).absolute()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        empty = TrialLog(MemoryStore(), log.exp_key)
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
        tids = sorted(self._pickled, key=lambda tid: (isinstance(tid, str), tid))
        saved = _Saved(
            self._empty, [self._pickled[tid] for tid in tids], _pickle_all(self._attachments)
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


class _SavedTrials(Protocol):
    """What a save file holds: a :class:`sparktuner.Trials`."""

    def insert_trial_docs(self, docs: Iterable[TrialDocument]) -> list[Tid]: ...
    def refresh(self) -> None: ...
    @property
    def all_trials(self) -> list[TrialDocument]: ...
    @property
    def attachments(self) -> Any: ...


class _Saved:
    """Pickles as a ``Trials`` made of documents that are pickled already."""

    def __init__(self, empty: bytes, documents: list[bytes], attachments: bytes) -> None:
        self._parts = (empty, documents, attachments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _restore, self._parts


def _restore(empty: bytes, documents: list[bytes], attachments: bytes) -> _SavedTrials:
    trials: _SavedTrials = pickle.loads(empty)
    trials.insert_trial_docs([pickle.loads(document) for document in documents])
    trials.attachments.update(pickle.loads(attachments))
    trials.refresh()
    return trials


def load_saved(log: TrialLog, path: Path) -> None:
    """Adds the trials of a save file that ``log`` does not hold yet.

    Raises:
        ValueError: the file holds something else.
    """
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with path.open("rb") as file:
            saved: _SavedTrials = pickle.load(file)
        documents, attachments = list(saved.all_trials), dict(saved.attachments)
    except Exception as error:  # whatever unpickling raises
        raise ValueError(
            f"trials_save_file {str(path)!r} holds no saved trials ({error!r}); name another "
            "file, or delete this one to start anew"
        ) from error
    # These trials may have been taken along from the search that wrote the file.
    known = {document["tid"] for document in log.documents}
    log.insert([document for document in documents if document["tid"] not in known])
    for name, value in attachments.items():
        log.attachments.setdefault(name, value)


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


def _pickle_all(attachments: Mapping[str, object]) -> bytes:
    try:
        return bytes(cloudpickle.dumps(dict(attachments)))
    except Exception as error:  # whatever __reduce__ raises
        _log.warning("the attachments are not saved: %s", error)
        return bytes(pickle.dumps({}))
