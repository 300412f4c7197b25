"""Whether a trial is still its worker's, while it runs."""

from __future__ import annotations

import _thread
import logging
import threading

from sparktuner.records import Tid, TrialDocument, TrialStore

_log = logging.getLogger("sparktuner")

# A worker looks whether its trial is still its own as often as it renews its lease.
_LOOKS_PER_LEASE = 3.0
_LONGEST_LEASE = 3600.0


class Looks:
    """What others have written, from one look to the next."""

    def __init__(self, store: TrialStore, exp_key: str | None) -> None:
        self._store = store
        self._exp_key = exp_key
        self._token: object = None

    def at(self, tid: Tid) -> TrialDocument | None:
        """Returns a trial if it was written since the last look."""
        changed, self._token = self._store.load_since(self._token, self._exp_key)
        return next((document for document in changed if document["tid"] == tid), None)


class Reservation:
    """Looks, while the objective runs, whether the trial is still its worker's.

    Where it is not, because the search has cancelled it or another worker has it, the
    objective is interrupted, as Ctrl-C would.

    Attributes:
        lost: whether the trial is somebody else's.
    """

    def __init__(self, looks: Looks, document: TrialDocument, lease: float) -> None:
        self.lost = False
        self._looks = looks
        self._tid = document["tid"]
        self._mine = (document["owner"], document["state"])
        self._pause = min(lease, _LONGEST_LEASE) / _LOOKS_PER_LEASE
        self._inside = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sparktuner-look", daemon=True)

    def __enter__(self) -> Reservation:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> bool:
        interrupted = kind is KeyboardInterrupt
        try:
            with self._inside:
                self._ended.set()
            self._thread.join()
        except KeyboardInterrupt:
            if not self.lost:
                raise
            interrupted = True
        # What was meant for the objective ends here.
        return self.lost and interrupted

    def _watch(self) -> None:
        while not self._ended.wait(self._pause):
            try:
                present = self._looks.at(self._tid)
            except Exception as error:  # a thread's border; the store may come back
                _log.warning("the worker could not look after its trial: %r", error)
                continue
            if present is None or (present["owner"], present["state"]) == self._mine:
                continue
            with self._inside:
                if not self._ended.is_set():
                    self.lost = True
                    _thread.interrupt_main()
            return
