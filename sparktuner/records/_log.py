"""A store as one search sees it."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sparktuner.errors import StaleTrial
from sparktuner.records._attachments import Attachments, TrialAttachments
from sparktuner.records._document import Configuration, Tid, TrialDocument, configuration_of
from sparktuner.records._history import History, HistoryLog
from sparktuner.records._lease import held_lease
from sparktuner.records._ranking import best_of
from sparktuner.records._space_reading import SpaceReading
from sparktuner.records._space_record import SpaceRecord
from sparktuner.records._store import TrialStore
from sparktuner.space import FlatSpace


class TrialLog:
    """The documents of one experiment, kept up to date with the store in which they live.

    The log holds documents of its own, which its user may change and then :meth:`update`. One
    thread, that of a search's loop, writes; others may read.

    Attributes:
        store: where the documents live.
        exp_key: the experiment; None is all that the store holds.
        owner: who its user is to the store while it is :meth:`alive`: host, process and a
            random number, another one each time.
        space: the digest of the space that is searched, for the documents that are made.
        reading: how trials of other spaces are read; None takes all as they are.
    """

    def __init__(self, store: TrialStore, exp_key: str | None = None) -> None:
        self.store = store
        self.exp_key = exp_key
        self.owner: str | None = None
        self.space: str | None = None
        self.reading: SpaceReading | None = None
        self._forget()

    def _forget(self) -> None:
        self._documents: list[TrialDocument] = []
        self._positions: dict[Tid, int] = {}
        self._token: object = None
        # Arrays are kept from one suggestion to the next, and only what ended since is read.
        self._history: HistoryLog | None = None

    @property
    def documents(self) -> Sequence[TrialDocument]:
        """All documents as of the last :meth:`refresh`, or written since, in a fixed order."""
        return self._documents

    def refresh(self) -> None:
        """Takes in what others have written since the last time."""
        # Only what changed; of that, what this log itself wrote is skipped by its version.
        changed, self._token = self.store.load_since(self._token, self.exp_key)
        for document in changed:
            self._take_in(document)

    def _take_in(self, document: TrialDocument) -> None:
        position = self._positions.get(document["tid"])
        # Documents keep their place, so that whoever follows the list reads only its end.
        if position is None:
            self._positions[document["tid"]] = len(self._documents)
            self._documents.append(document)
        elif document["version"] > self._documents[position]["version"]:
            self._documents[position] = document

    def allocate(self, n: int) -> list[Tid]:
        """Returns ``n`` trial ids that nobody else has or gets."""
        return self.store.allocate(n)

    def insert(self, documents: Iterable[TrialDocument]) -> None:
        """Adds documents to the store, all or none; the log keeps them, not copies of them.

        Raises:
            InvalidTrial: one has the id of a document that is there already.
        """
        documents = list(documents)
        self.store.insert(documents)
        # The very documents: a caller that holds one may go on changing and writing it.
        for document in documents:
            self._take_in(document)

    def insert_own(self, documents: Iterable[TrialDocument]) -> None:
        """Adds documents as :meth:`insert` does, and owns them: nobody else claims them.

        Raises:
            InvalidTrial: one has the id of a document that is there already.
        """
        documents = list(documents)
        for document in documents:
            document["owner"] = self.owner
            self.note_space(document)
        self.insert(documents)

    def note_space(self, document: TrialDocument) -> None:
        """Writes into a document in which space it is made, where a search has named one."""
        if self.space is not None:
            document["misc"]["space"] = self.space

    def update(self, *documents: TrialDocument) -> None:
        """Writes documents of this log that were changed.

        Raises:
            StaleTrial: somebody else has written or deleted some of them; the others were
                written, and the log has taken in what is there instead.
        """
        try:
            self.store.update(documents)
        except StaleTrial:
            # The caller is to see what is there now, not what it failed to write.
            self.refresh()
            raise

    def history(self, space: FlatSpace) -> History:
        """Returns the trials as arrays over the columns of ``space``."""
        if self._history is None or self._history.space is not space:
            # One search at a time: the arrays of a space searched before are not needed.
            self._history = HistoryLog(space, self.configuration)
        return self._history.update(self._documents)

    def best(self) -> TrialDocument | None:
        """Returns the best trial of this space, or None where none has a finite loss."""
        return self.best_of(self._documents)

    def read_as(self, space: SpaceRecord | None) -> None:
        """Reads trials as those of ``space`` from now on; None takes all as they are."""
        self.reading = None if space is None else SpaceReading(space, self.attachments)
        self._history = None

    def configuration(self, document: TrialDocument) -> Configuration | None:
        """Returns a trial's values in the present space; None where it cannot make them."""
        if self.reading is None:
            return configuration_of(document)
        return self.reading.configuration(document)

    def fits(self, document: TrialDocument) -> bool:
        """Returns whether the present space can make a trial."""
        return self.reading is None or self.reading.fits(document)

    def best_of(self, documents: Iterable[TrialDocument]) -> TrialDocument | None:
        """Returns the best of the trials that the present space can make, in its terms."""
        best = best_of(d for d in documents if self.fits(d))
        return best if best is None or self.reading is None else self.reading.as_now(best)

    @property
    def attachments(self) -> Attachments:
        """All attachments of the store by name."""
        return self.store.attachments

    def attachments_of(self, tid: Tid) -> Attachments:
        """Returns the attachments of one trial by their own names."""
        return TrialAttachments(self.store.attachments, tid)

    # --- owning

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Lets this log own trials: those that it inserts as its own, and those it claims.

        What it has not finished in the end is nobody's.
        """
        # Another name each time: what an earlier search left behind is not owned any more.
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        try:
            with held_lease(self.store, self.owner):
                yield
        finally:
            self.owner = None

    def claim(self, limit: int | None = None) -> list[TrialDocument]:
        """Takes trials of this experiment that nobody runs, at most ``limit`` of them.

        Returns:
            The log's documents of them, in state NEW and the order of their insertion.

        Raises:
            RuntimeError: the log is not :meth:`alive`.
        """
        if self.owner is None:
            raise RuntimeError("only a log that is alive() can claim trials")
        # A claim writes, so versions have moved on, and the log's own copies are replaced.
        claimed = self.store.claim(self.owner, self.exp_key, limit)
        for document in claimed:
            self._take_in(document)
        return [self._documents[self._positions[document["tid"]]] for document in claimed]

    def delete_all(self) -> None:
        """Forgets all documents of this experiment, and their attachments."""
        self.store.delete_all(self.exp_key)
        self._forget()
        self.refresh()

    def __reduce__(self) -> tuple[Any, ...]:
        present = None if self.reading is None else self.reading.present
        return _reopened, (self.store, self.exp_key, present)


def _reopened(
    store: TrialStore, exp_key: str | None, present: SpaceRecord | None = None
) -> TrialLog:
    log = TrialLog(store, exp_key)
    log.refresh()
    log.read_as(present)
    return log
