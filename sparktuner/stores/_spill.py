"""Results that a store could not take, in a local file until it can."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from sparktuner.errors import StaleTrial
from sparktuner.records import (
    Tid,
    TrialDocument,
    TrialStore,
    Unwritten,
    attachment_name,
    has_ended,
)
from sparktuner.stores._blobs import BlobAttachments
from sparktuner.stores._journal_file import JournalFile
from sparktuner.stores._lock import locked

_log = logging.getLogger("sparktuner")

# The folder of such files; the user's own below it.
_VARIABLE = "SPARKTUNER_SPILL_DIR"


class Spill:
    """The file that keeps what a search could not write to its store.

    Its folder is ``$SPARKTUNER_SPILL_DIR``, or ``~/.local/state/sparktuner``; its name is made
    of the store and the experiment, so that the next search on them finds it.

    Args:
        store: the store.
        exp_key: the experiment.
    """

    def __init__(self, store: TrialStore, exp_key: str | None) -> None:
        self._store = store
        folder = os.environ.get(_VARIABLE) or Path.home() / ".local" / "state" / "sparktuner"
        # The location holds no password, and may hold characters that no file name may.
        name = hashlib.sha256(f"{store.location}\n{exp_key}".encode()).hexdigest()[:16]
        self.path = Path(folder) / f"unwritten-{name}.trials"

    def keep(self, rest: Unwritten) -> str:
        """Adds what was not written to the file, and returns words that say where it is."""
        with locked(self.path):
            file = JournalFile(self.path)
            kept = BlobAttachments(file, str(self.path))
            for (tid, name), value in rest.attachments.items():
                kept.keep(attachment_name(tid, name), value)
            file.put_documents([*rest.inserts.values(), *rest.updates.values()])
            file.sync()
            file.close()
        count = len({*rest.inserts, *rest.updates})
        return (
            f"{count} trials are kept in {self.path}, and the next search on "
            f"{self._store.location} writes them there"
        )

    def take_in(self) -> None:
        """Writes what an earlier search left to the store, and removes the file."""
        if not self.path.exists():
            return
        with locked(self.path):
            file = JournalFile(self.path)
            documents = file.documents()
            kept = BlobAttachments(file, str(self.path))
            for name in file.names(""):
                # As they are, so that nothing is unpickled here.
                kept.copy_to(self._store.attachments, name)
            stored = {d["tid"]: d for d in self._store.load_since()[0]} if documents else {}
            for document in documents:
                self._write(document, stored)
            self.path.unlink()
        _log.warning(
            "%d trials of an earlier search, which %s could not take then, are written to it now",
            len(documents),
            self._store.location,
        )

    def _write(self, document: TrialDocument, stored: dict[Tid, TrialDocument]) -> None:
        tid = document["tid"]
        if tid not in stored:
            self._store.insert([document])
            return
        # What has ended is a result, whoever was given the trial meanwhile.
        if has_ended(stored[tid]) or not has_ended(document):
            return
        document["version"] = stored[tid]["version"]
        try:
            self._store.update([document])
        except StaleTrial as error:
            _log.warning("%s", error)
