"""Writing the file that ``trials_save_file`` names, while a search runs."""

from __future__ import annotations

import logging

from sparktuner.driver._callbacks import Callback
from sparktuner.driver._protocol import TrialsView
from sparktuner.errors import StoreError
from sparktuner.records import Attachments, TrialDocument, TrialLog, attachment_name
from sparktuner.stores import BlobAttachments, JournalFile

_log = logging.getLogger("sparktuner")


class Checkpoint(Callback):
    """Appends each trial that has ended to ``trials_save_file``; to be run in the background.

    Args:
        file: what it holds of the log's trials is not written again.
        log: the documents that are there before the search, and the attachments.
    """

    def __init__(self, file: JournalFile, log: TrialLog) -> None:
        self._file = file
        self._kept = BlobAttachments(file, str(file.path))
        self._attachments: Attachments = log.attachments
        # Those that could not be written: they are tried again with the next one.
        self._waiting: dict[object, TrialDocument] = {d["tid"]: d for d in log.documents}
        self._is_failing = False

    def on_search_start(self, trials: TrialsView) -> None:
        known = {d["tid"]: d["version"] for d in self._file.documents()}
        self._waiting = {
            tid: document
            for tid, document in self._waiting.items()
            if known.get(document["tid"]) != document["version"]
        }
        self._write()

    def on_trial_end(self, document: TrialDocument) -> None:
        self._waiting[document["tid"]] = document

    def flush(self) -> float | None:
        self._write()
        return None

    def on_search_end(self, reason: str | None) -> None:
        self._write(every_attachment=True)
        self._file.sync()
        self._file.close()

    def _write(self, every_attachment: bool = False) -> None:
        try:
            for document in list(self._waiting.values()):
                # Its attachments first: a document is never there without them.
                self._keep_attachments(attachment_name(document["tid"], ""))
                self._file.put_documents([document])
                del self._waiting[document["tid"]]
            if every_attachment:
                self._keep_attachments("")
            self._is_failing = False
        except StoreError as error:
            if not self._is_failing:
                _log.warning("cannot write trials_save_file: %s", error)
            self._is_failing = True

    def _keep_attachments(self, prefix: str) -> None:
        known = set(self._file.names(prefix))
        for name in self._attachments.names(prefix):
            if name not in known:
                self._keep(name)

    def _keep(self, name: str) -> None:
        try:
            self._kept[name] = self._attachments[name]
        except StoreError:
            raise
        except Exception as error:  # whatever pickling it raises
            _log.warning("attachment %r is not saved, it cannot be pickled: %s", name, error)
