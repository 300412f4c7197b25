"""The seam for whatever follows a search without steering it, and the checkpoint file."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import cloudpickle

from sparktuner.execute import Ended, Event
from sparktuner.records import Document

_log = logging.getLogger("sparktuner")

# The checkpoint's thread spends at most one part in this many of its time writing.
_IDLE_PER_WRITE = 9.0


class Observer(Protocol):
    """Called by the loop, so it must return at once: what takes time goes to a thread."""

    def on_event(self, event: Event, document: Document) -> None:
        """``document`` has just been moved on by ``event``."""

    def close(self) -> None:
        """The search is over."""


class Checkpoint:
    """Keeps ``trials_save_file`` up to date: a pickled ``Trials`` with every ended trial.

    Each document is pickled once, after its end, and the file is replaced atomically, both
    in a thread of its own; :meth:`close` writes the last state. A crash loses no more than
    what ended since the last write.

    Args:
        path: the file.
        trials: an empty copy is written around the documents.
    """

    def __init__(self, path: str | os.PathLike[str], trials: Any) -> None:
        self._path = Path(path).absolute()
        self._trials = trials
        self._shell = cloudpickle.dumps(trials.emptied())
        self._blobs: dict[Any, bytes] = {}
        self._ended: list[Document] = list(trials._dynamic_trials)
        self._wake = threading.Condition()
        self._closing = False
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(
            target=self._run, name="sparktuner-checkpoint", daemon=True
        )
        self._thread.start()

    def on_event(self, event: Event, document: Document) -> None:
        if not isinstance(event, Ended):
            return
        with self._wake:
            self._ended.append(document)
            self._wake.notify()

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        closing = False
        while not closing:
            with self._wake:
                self._wake.wait_for(lambda: self._closing, timeout=pause)
                self._wake.wait_for(lambda: self._closing or bool(self._ended))
                closing = self._closing
                ended, self._ended = self._ended, []
            began = time.monotonic()
            try:
                self._write(ended)
            except OSError as error:
                _log.warning("cannot write trials_save_file %s: %s", self._path, error)
            pause = _IDLE_PER_WRITE * (time.monotonic() - began)

    def _write(self, ended: list[Document]) -> None:
        for document in ended:
            self._blobs[document["tid"]] = _pickle_document(document)
        # In the order of the ids, not of the trials' ends.
        tids = sorted(self._blobs, key=lambda tid: (isinstance(tid, str), tid))
        blobs = [self._blobs[tid] for tid in tids]
        saved = _Saved(self._shell, blobs, _pickle_attachments(self._trials))
        descriptor, temporary = tempfile.mkstemp(
            dir=self._path.parent, prefix=f".{self._path.name}."
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                pickle.dump(saved, file, protocol=pickle.HIGHEST_PROTOCOL)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


class _Saved:
    """Pickles as a ``Trials`` made of documents that are pickled already."""

    def __init__(self, shell: bytes, blobs: list[bytes], attachments: bytes) -> None:
        self._parts = (shell, blobs, attachments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _restore, self._parts


def _restore(shell: bytes, blobs: list[bytes], attachments: bytes) -> Any:
    trials = pickle.loads(shell)
    trials.insert_trial_docs([pickle.loads(blob) for blob in blobs])
    trials.attachments.update(pickle.loads(attachments))
    trials.refresh()
    return trials


def _pickle_document(document: Document) -> bytes:
    try:
        return bytes(cloudpickle.dumps(document))
    except Exception as error:
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
    except Exception:
        return False
    return True


def _pickle_attachments(trials: Any) -> bytes:
    try:
        return bytes(cloudpickle.dumps(dict(trials.attachments)))
    except Exception as error:
        _log.warning("the attachments are not saved: %s", error)
        return bytes(pickle.dumps({}))
