"""A store as one search sees it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple, TypeAlias

from sparktuner.errors import StaleTrial
from sparktuner.records._attachments import Attachments, TrialAttachments
from sparktuner.records._document import (
    Configuration,
    Tid,
    TrialDocument,
    advance,
    configuration_of,
    copy_document,
    has_ended,
)
from sparktuner.records._history import History, HistoryLog
from sparktuner.records._lease import held_lease
from sparktuner.records._line import Direct, Line, Reader
from sparktuner.records._owner import is_gone, new_owner, searches
from sparktuner.records._ranking import best_of
from sparktuner.records._space_reading import SpaceReading, described
from sparktuner.records._space_record import SpaceRecord
from sparktuner.records._store import TrialStore
from sparktuner.space import FlatSpace
from sparktuner.status import JOB_STATE_CANCEL

# Opens a line that writes for an owner, until the block ends.
OpenLine: TypeAlias = Callable[[Reader, str], AbstractContextManager[Line]]


class Settled(NamedTuple):
    """What the store has said of a log's documents.

    Attributes:
        written: those that it has now, as they were handed over last or before.
        stale: those that are somebody else's.
        claimed: those that are this log's from now on.
    """

    written: list[Tid]
    stale: list[Tid]
    claimed: list[TrialDocument]


class TrialLog:
    """The documents of one experiment, kept up to date with the store in which they live.

    The log holds documents of its own, which its user may change and then :meth:`update`. One
    thread, that of a search's loop, writes; others may read.

    Attributes:
        store: where the documents live.
        exp_key: the experiment; None is all that the store holds.
        owner: who its user is to the store while it is :meth:`alive`: another one each time.
        space: the digest of the space that is searched, for the documents that are made.
        reading: how trials of other spaces are read; None takes all as they are.
        takes_over: whether a search takes, while it runs, what others leave behind.
        poll_interval: seconds from one look to the next, while a search runs, at what others
            have written into a store that they share.
    """

    takes_over = True
    poll_interval = 1.0

    def __init__(self, store: TrialStore, exp_key: str | None = None) -> None:
        self.store = store
        self.exp_key = exp_key
        self.owner: str | None = None
        self.space: str | None = None
        self.reading: SpaceReading | None = None
        self._open()
        self._forget()

    def _open(self) -> None:
        self._reader = Reader(self.store, self.exp_key)
        self._line: Line = Direct(self._reader)

    def _forget(self) -> None:
        self._documents: list[TrialDocument] = []
        self._positions: dict[Tid, int] = {}
        self._stale: list[Tid] = []
        self._written: list[Tid] = []
        self._claimed: list[TrialDocument] = []
        # Arrays are kept from one suggestion to the next, and only what ended since is read.
        self._history: HistoryLog | None = None

    @property
    def documents(self) -> Sequence[TrialDocument]:
        """All documents as of the last :meth:`refresh`, or written since, in a fixed order."""
        return self._documents

    def refresh(self) -> None:
        """Takes in what others have written since the last time."""
        # Only what changed; of that, what this log itself wrote is skipped by its version.
        self._hear(read=True)

    def _hear(self, read: bool) -> None:
        news = self._line.news(read)
        for tid, version in news.versions.items():
            if tid in self._positions:
                self._documents[self._positions[tid]]["version"] = version
        for tid in news.stale:
            self._drop(tid)
        for document in [*news.changed, *news.claimed]:
            self._take_in(document)
        self._written += news.written
        self._stale += news.stale
        self._claimed += [self._documents[self._positions[d["tid"]]] for d in news.claimed]

    def _drop(self, tid: Tid) -> None:
        """Takes whatever the store has for better than this log's document."""
        position = self._positions[tid]
        # A copy: the loop may hold the document itself, and hear of this later.
        document = self._documents[position] = copy_document(self._documents[position])
        document["version"] = -1
        if not has_ended(document):  # it stays so where it was deleted
            advance(document, JOB_STATE_CANCEL)

    def settled(self) -> Settled:
        """Returns what the store has said of this log's documents since the last time."""
        self._hear(read=False)
        settled = Settled(self._written, self._stale, self._claimed)
        self._written, self._stale, self._claimed = [], [], []
        return settled

    def _take_in(self, document: TrialDocument) -> None:
        position = self._positions.get(document["tid"])
        # Documents keep their place, so that whoever follows the list reads only its end.
        if position is None:
            self._positions[document["tid"]] = len(self._documents)
            self._documents.append(document)
        elif document["version"] > self._documents[position]["version"]:
            self._documents[position] = document

    def allocate(self, n: int, limit: int | None = None) -> list[Tid]:
        """Returns ``n`` trial ids that nobody else has or gets.

        Fewer, where the experiment would have more than ``limit`` trials, or where they are
        still to come: see :attr:`expects_ids`.
        """
        return self._line.allocate(n, self.owner, limit)

    def insert(self, documents: Iterable[TrialDocument]) -> None:
        """Adds documents to the store, all or none; the log keeps them, not copies of them.

        Raises:
            InvalidTrial: one has the id of a document that is there already.
        """
        documents = list(documents)
        self._line.insert(documents)
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
        """Writes documents of this log that were changed; :meth:`settled` says when they are.

        Raises:
            StaleTrial: somebody else has written or deleted some of them; the others were
                written, and the log has taken in what is there instead.
        """
        try:
            self._line.update(documents)
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

    def read_as_last(self) -> None:
        """Reads trials as those of the space in which the last one was made, if it is known."""
        digests = (d["misc"].get("space") for d in reversed(self._documents))
        last = next((digest for digest in digests if digest is not None), None)
        if last is not None:
            self.read_as(described(self.attachments, last))

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

    def attach(self, tid: Tid, values: Mapping[str, Any]) -> None:
        """Keeps attachments of a trial, which are there before what is written of it later."""
        self._line.attach(tid, values)

    # --- a store that is written behind

    @property
    def is_direct(self) -> bool:
        """Whether what is written is in the store at once."""
        return isinstance(self._line, Direct)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may work on the same trials, and may go."""
        return math.isfinite(self.store.lease)

    def on_news(self, wake: Callable[[], object]) -> None:
        """Has ``wake`` called, in another thread, when :meth:`settled` may have news."""
        self._line.wake = wake

    @property
    def expects_ids(self) -> bool:
        """Whether ids are still to come that :meth:`allocate` could not give yet."""
        return self._line.expects_ids()

    @property
    def is_full(self) -> bool:
        """Whether so much is not written yet that no trial should be added."""
        return self._line.is_full()

    def wait(self, timeout: float | None) -> None:
        """Blocks until the store may have something to say, at most so many seconds."""
        self._line.wait(timeout)

    def drain(self) -> None:
        """Blocks until everything is written.

        Raises:
            StoreError: it cannot be; the message says where it is kept instead.
        """
        self._line.drain()

    # --- owning

    @contextmanager
    def alive(self, behind: OpenLine | None = None) -> Iterator[None]:
        """Lets this log own trials: those that it inserts as its own, and those it claims.

        What it has not finished in the end is nobody's.

        Args:
            behind: opens the line that writes meanwhile, for an owner; None writes at once.
        """
        # Another name each time: what an earlier search left behind is not owned any more.
        self.owner = new_owner(self.exp_key)
        try:
            self._release_the_gone()
            with held_lease(self.store, self.owner):
                if behind is None:
                    yield
                    return
                with behind(self._reader, self.owner) as self._line:
                    yield
        finally:
            self._line = Direct(self._reader)
            self.owner = None

    def _release_the_gone(self) -> None:
        """Ends the leases of processes that were here and died, so that nobody waits for them."""
        if self.is_shared:
            for owner in filter(is_gone, self.store.owners()):
                self.store.release(owner)

    def others(self) -> list[str]:
        """Returns other owners that live, and may work on this experiment."""
        return [
            owner
            for owner in self.store.owners()
            if owner != self.owner and searches(owner, self.exp_key)
        ]

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
        claimed = self._line.claim(self.owner, limit)
        for document in claimed:
            self._take_in(document)
        return [self._documents[self._positions[document["tid"]]] for document in claimed]

    def delete_all(self) -> None:
        """Forgets all documents of this experiment, and their attachments."""
        self.store.delete_all(self.exp_key)
        self._open()
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
