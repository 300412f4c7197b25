"""What a search writes of its trials, and what its callbacks are told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from sparktuner.driver._callbacks import Callback, Callbacks
from sparktuner.errors import StaleTrial
from sparktuner.records import Tid, TrialDocument, TrialLog, copy_document

_log = logging.getLogger("sparktuner")

# What the callbacks are told of a trial.
Telling: TypeAlias = Callable[[Callback, TrialDocument], object]


class Ledger:
    """Writes trials, and tells the callbacks of each change when it is written.

    Nothing here raises: the first error of the store is kept in :attr:`error`.

    Args:
        log: where the trials are written.
        callbacks: are told.

    Attributes:
        error: why something could not be written, or None.
    """

    def __init__(self, log: TrialLog, callbacks: Callbacks) -> None:
        self._log = log
        self._callbacks = callbacks
        self.error: Exception | None = None
        # What is to be told when it is written, by trial.
        self._untold: dict[Tid, list[tuple[Telling, TrialDocument]]] = {}
        self._lost: list[Tid] = []
        self._claimed: list[TrialDocument] = []

    def write(self, document: TrialDocument, tells: Telling | None = None) -> None:
        """Writes a trial that was moved on; ``tells`` is called when it is written."""
        tid = document["tid"]
        if tells is not None:
            # A copy where it takes a while: what is told is the trial as it is now.
            shown = document if self._log.is_direct else copy_document(document)
            self._untold.setdefault(tid, []).append((tells, shown))
        try:
            self._log.update(document)
        except StaleTrial:
            self._lose([tid])
        except Exception as error:  # a disk that is full, a server that is gone
            # Raised when all that came back is recorded, as far as it can be.
            self.error = self.error or error
            self._tell([tid])
        self.settle()

    def settle(self) -> None:
        """Takes in what the store has said of what was written, and of what others do."""
        try:
            settled = self._log.settled()
        except Exception as error:  # as above, from the thread that writes
            self.error = self.error or error
            self._tell(list(self._untold))
            return
        self._lose(settled.stale)
        self._tell(settled.written)
        self._claimed += settled.claimed

    def drain(self) -> None:
        """Waits until everything is written, and tells of it."""
        try:
            self._log.drain()
        except Exception as error:  # the store's; it says where the rest is kept
            self.error = self.error or error
        self.settle()

    def take_lost(self) -> list[Tid]:
        """Returns the trials that are somebody else's, since the last time."""
        lost, self._lost = self._lost, []
        return lost

    def take_claimed(self) -> list[TrialDocument]:
        """Returns the trials that owners who are gone have left, since the last time."""
        claimed, self._claimed = self._claimed, []
        return claimed

    def _lose(self, tids: Sequence[Tid]) -> None:
        if tids:
            _log.warning("%s; this search goes on without it", StaleTrial(tids))
        for tid in tids:
            self._untold.pop(tid, None)
        self._lost += tids

    def _tell(self, tids: Iterable[Tid]) -> None:
        for tid in tids:
            for tells, document in self._untold.pop(tid, ()):
                self._callbacks.each(lambda callback: tells(callback, document))  # noqa: B023
