"""A line to a store that may be slow or away: a thread of its own writes and reads."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sparktuner.errors import InvalidTrial, StaleTrial, StoreError, StoreUnavailable
from sparktuner.records._attachments import TrialAttachments
from sparktuner.records._document import Tid, TrialDocument, copy_document
from sparktuner.records._ids_ahead import IdsAhead
from sparktuner.records._line import Line, News, Reader
from sparktuner.status import JOB_STATE_NEW

_log = logging.getLogger("sparktuner")

# So many documents may be on their way; a search does not start more trials meanwhile.
_MOST_PENDING = 256
# Seconds in which what comes is written together: a transaction costs more than what is in it.
_TOGETHER = 0.02
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds between two tries
_CLAIMS_PER_LEASE = 4.0


@dataclass
class Unwritten:
    """What is on its way to a store, in the order in which it is to be written.

    Attributes:
        attachments: by trial and name.
        inserts: new documents by id.
        updates: changed documents by id, with the version that they had when they were read.
    """

    attachments: dict[tuple[Tid, str], Any] = field(default_factory=dict)
    inserts: dict[Tid, TrialDocument] = field(default_factory=dict)
    updates: dict[Tid, TrialDocument] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.inserts) + len(self.updates) + len(self.attachments)

    def __contains__(self, tid: object) -> bool:
        return tid in self.inserts or tid in self.updates


# Keeps what could not be written, and says where.
Spill = Callable[[Unwritten], str]


class Behind(Line):
    """Writes in a thread, in batches of what has come meanwhile.

    Of several changes to one document only the last is written. A store that does not answer
    is tried again for ``patience`` seconds; after that, or after any other error, what is not
    written goes to ``spill``, and :meth:`news` raises.

    Args:
        reader: reads the store to which it writes.
        owner: who owns what is claimed and allocated.
        patience: seconds.
        spill: keeps what cannot be written.
        claims: whether to claim, now and then, what owners that are gone leave behind.
        poll: seconds between two looks at what others have written.
    """

    def __init__(
        self,
        reader: Reader,
        owner: str,
        *,
        patience: float,
        spill: Spill,
        claims: bool = True,
        poll: float = 1.0,
    ) -> None:
        self._reader = reader
        self._store = reader.store
        self._owner = owner
        self._patience = patience
        self._spill = spill
        self._claims = claims
        self._poll = poll
        self._changed = threading.Condition()  # guards all that follows
        self._pending = Unwritten()
        self._writing = Unwritten()
        self._news = News()
        self._error: BaseException | None = None
        self._lost: set[Tid] = set()  # what is another owner's, though the log may not know yet
        self._ids = IdsAhead()
        self._known_ids: set[Tid] = set()  # the writer's: those that it has heard of
        self._is_unheard = False  # whether the last call for ids got no answer
        self._drains = 0  # how many wait until all is written
        self._is_closed = False
        self._reading = threading.RLock()  # held where the store is asked what there is
        self._turns = 0  # how often the thread has said that something may be new
        self._seen = 0  # of those, how many the log has heard
        # The writer's own: what the store has, by its answers, and what is of other owners.
        self._versions: dict[Tid, int] = {}
        self._strangers: set[Tid] = set()
        self._next_poll = 0.0
        # The search claims when it begins.
        self._next_claim = time.monotonic() + self._store.lease / _CLAIMS_PER_LEASE
        self._thread = threading.Thread(target=self._work, name="sparktuner-store", daemon=True)
        self._thread.start()

    # --- the log's side

    def insert(self, documents: Sequence[TrialDocument]) -> None:
        with self._changed:
            for document in documents:
                self._pending.inserts[document["tid"]] = copy_document(document)
            self._changed.notify_all()

    def update(self, documents: Sequence[TrialDocument]) -> None:
        with self._changed:
            for document in documents:
                tid = document["tid"]
                if tid in self._lost:
                    continue
                # Copies: the loop goes on changing a document while it waits to be written.
                waiting = self._pending.inserts if tid in self._pending.inserts else None
                (self._pending.updates if waiting is None else waiting)[tid] = copy_document(
                    document
                )
            self._changed.notify_all()

    def attach(self, tid: Tid, values: Mapping[str, Any]) -> None:
        with self._changed:
            self._pending.attachments.update({(tid, name): v for name, v in values.items()})
            self._changed.notify_all()

    def allocate(self, n: int, owner: str | None, limit: int | None) -> list[Tid]:
        with self._changed:
            given = self._ids.take(n, limit)
            self._changed.notify_all()
            return given

    def claim(self, owner: str, limit: int | None) -> list[TrialDocument]:
        # What waits to be written may be what is to be claimed.
        self.drain()
        # Not while the thread reads, to which they would look like claims that were lost.
        with self._reading:
            claimed = self._store.claim(owner, self._reader.exp_key, limit)
            self._versions.update({d["tid"]: d["version"] for d in claimed})
        return claimed

    def expects_ids(self) -> bool:
        with self._changed:
            return self._error is None and self._ids.may_come()

    def is_full(self) -> bool:
        with self._changed:
            return len(self._pending) + len(self._writing) >= _MOST_PENDING

    def news(self, read: bool) -> News:
        with self._changed:
            news, self._news = self._news, News()
            # What has changed again meanwhile is not there yet as its log has it; it is told
            # of when it is. Not looked at earlier: the change may have come after the writing.
            news.written = [
                tid
                for tid in news.versions
                if tid not in self._pending and tid not in self._writing
            ]
            self._seen = self._turns
            error = self._error
        if error is not None and news == News():
            raise error
        return news

    def wait(self, timeout: float | None) -> None:
        with self._changed:
            # Since the news that the loop has looked at, so that nothing is missed in between.
            self._changed.wait_for(lambda: self._turns > self._seen, timeout)

    def drain(self) -> None:
        with self._changed:
            self._drains += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(
                    lambda: self._error is not None or not (self._pending or self._writing)
                )
            finally:
                self._drains -= 1
            if self._error is not None:
                raise self._error

    def close(self) -> None:
        """Ends the thread; what is not written by then goes to ``spill``."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        # What came after the thread had given up: results of the search's last moments.
        with self._changed:
            self._spill_rest("the search ended before it was written")

    # --- the thread's side

    def _work(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException as error:  # a thread's border: the loop raises it
            self._fail(error)

    def _turn(self) -> bool:
        """Does what there is to do, once; False when the line is closed."""
        with self._changed:
            self._changed.wait_for(self._is_needed, self._pause())
            self._changed.wait_for(self._is_urgent, _TOGETHER)
            if self._is_closed:
                return False
            self._writing, self._pending = self._pending, Unwritten()
            missing = self._ids.missing()
            is_due = time.monotonic() >= self._next_poll
        self._persistently(lambda: self._write(self._writing))
        if is_due:
            self._persistently(self._look)
        # Where there were none the last time, others may have ended, and left some.
        if missing > 0 and (is_due or not self._ids.is_dry):
            self._persistently(lambda: self._fetch_ids(missing))
        return True

    def _is_needed(self) -> bool:
        lacks_ids = self._ids.missing() > 0 and not self._ids.is_dry
        return bool(self._pending) or self._is_closed or lacks_ids

    def _is_urgent(self) -> bool:
        return self._is_closed or self._drains > 0 or self._ids.are_waited_for()

    def _pause(self) -> float:
        return max(0.0, self._next_poll - time.monotonic())

    def _persistently(self, action: Callable[[], None]) -> None:
        """Calls ``action`` until the store answers, for as long as there is patience."""
        end, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        is_told = False
        while True:
            try:
                action()
            except StoreUnavailable as error:
                if time.monotonic() >= end or self._is_closed:
                    raise
                if not is_told:
                    _log.warning(
                        "%s; the search goes on, and tries again for %g s", error, self._patience
                    )
                is_told = True
            else:
                if is_told:
                    _log.warning("%s answers again", self._store.location)
                return
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed, pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST_PAUSE)
            # A call whose answer was lost may have been carried out.
            with suppress(StoreUnavailable):
                self._read()

    def _write(self, batch: Unwritten) -> None:
        while batch.attachments:
            (tid, name), value = next(iter(batch.attachments.items()))
            self._attach(tid, name, value)
            with self._changed:
                del batch.attachments[tid, name]
        if batch.inserts:
            self._insert(batch)
        if batch.updates:
            self._update(batch)

    def _attach(self, tid: Tid, name: str, value: object) -> None:
        try:
            TrialAttachments(self._store.attachments, tid).keep(name, value)
        except StoreError:
            raise
        except Exception as error:  # whatever pickling it raises
            _log.warning("attachment %r of trial %s cannot be stored: %s", name, tid, error)

    def _insert(self, batch: Unwritten) -> None:
        documents = list(batch.inserts.values())
        try:
            self._store.insert(documents)
        except InvalidTrial:
            # Inserted by a call whose answer was lost, or by another owner, to whom the ids
            # were handed while this one counted as gone.
            before = len(batch.inserts)
            self._read()
            self._give_up([tid for tid in batch.inserts if tid in self._strangers])
            if len(batch.inserts) == before:
                raise
            self._insert(batch)
        else:
            self._confirm(batch.inserts, {d["tid"]: d["version"] for d in documents})

    def _give_up(self, tids: Sequence[Tid]) -> None:
        with self._changed:
            for tid in tids:
                for batch in (self._writing, self._pending):
                    batch.inserts.pop(tid, None)
                    batch.updates.pop(tid, None)
            self._lost.update(tids)
            self._news.stale += tids
        if tids:
            # What is there instead may have been read before, when it was nobody's business.
            self._reader.begin_anew()
            self._read()
            self._call()

    def _update(self, batch: Unwritten) -> None:
        documents = list(batch.updates.values())
        for document in documents:
            document["version"] = self._versions.get(document["tid"], document["version"])
        stale: list[Any] = []
        try:
            self._store.update(documents)
        except StaleTrial as error:
            stale = error.tids
        self._give_up(stale)
        self._confirm(
            batch.updates, {d["tid"]: d["version"] for d in documents if d["tid"] not in stale}
        )

    def _confirm(self, waiting: dict[Tid, TrialDocument], versions: Mapping[Tid, int]) -> None:
        if not versions:
            return
        self._versions.update(versions)
        with self._changed:
            for tid in versions:
                del waiting[tid]
            self._news.versions.update(versions)
        self._call()

    def _read(self) -> None:
        """Takes in what has changed in the store."""
        with self._reading:
            self._take_in(self._reader.read())

    def _take_in(self, changed: list[TrialDocument]) -> None:
        mine = {d["tid"]: d for d in changed if d["owner"] == self._owner}
        self._strangers.update(d["tid"] for d in changed if d["tid"] not in mine)
        # Nobody else writes what is this owner's: a newer version is its own, whose
        # confirmation was lost; and a claimed one may be news.
        known = {tid: self._versions.get(tid, -1) for tid in mine}
        lost = [
            copy_document(document)
            for tid, document in mine.items()
            if known[tid] < 0 and document["state"] == JOB_STATE_NEW and tid not in self._writing
        ]
        self._versions.update({tid: max(known[tid], d["version"]) for tid, d in mine.items()})
        self._confirm(
            self._writing.inserts,
            {tid: self._versions[tid] for tid in mine if tid in self._writing.inserts},
        )
        with self._changed:
            self._news.changed += changed
            self._news.claimed += lost
            self._lost.difference_update(d["tid"] for d in lost)

    def _fetch_ids(self, n: int) -> None:
        # A call whose answer was lost may have been carried out: nobody else gets those ids,
        # and everybody counts them.
        ids = self._unheard_ids() if self._is_unheard else []
        self._is_unheard = True
        more = n - len(ids)
        ids += self._store.allocate(more, self._owner, self._reader.exp_key, self._ids.limit)
        if len(ids) < n:  # it may have been carried out late
            ids = self._unheard_ids()
        self._is_unheard = False
        self._known_ids.update(ids)
        with self._changed:
            self._ids.add(ids, n)
        self._call()

    def _unheard_ids(self) -> list[Tid]:
        return [t for t in self._store.allocated(self._owner) if t not in self._known_ids]

    def _look(self) -> None:
        """Sees what others have written, and what those that are gone have left."""
        self._read()
        now = time.monotonic()
        self._next_poll = now + self._poll
        claimed: list[TrialDocument] = []
        if self._claims and now >= self._next_claim:
            self._next_claim = now + self._store.lease / _CLAIMS_PER_LEASE
            # Or this owner's own trials could be claimed, after a pause as long as the lease.
            self._store.renew(self._owner)
            claimed = self._store.claim(self._owner, self._reader.exp_key)
            self._versions.update({d["tid"]: d["version"] for d in claimed})
        with self._changed:
            self._news.claimed += claimed
            self._lost.difference_update(d["tid"] for d in claimed)
        self._call()

    def _call(self) -> None:
        with self._changed:
            self._turns += 1
            self._changed.notify_all()
        self.wake()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = error
            self._spill_rest(str(error))
        self._call()

    def _spill_rest(self, why: str) -> None:
        """Keeps elsewhere what was not written."""
        rest = self._writing
        for name in ("attachments", "inserts", "updates"):
            getattr(rest, name).update(getattr(self._pending, name))
        self._writing = self._pending = Unwritten()
        if not rest:
            return
        for document in rest.updates.values():
            document["version"] = self._versions.get(document["tid"], document["version"])
        try:
            kept = self._spill(rest)
        except Exception as error:  # no room, no folder, or no right to write there either
            kept = f"{len(rest)} changes could not be kept on this machine either: {error}"
            _log.error("%s", kept)
        self._error = StoreError(f"{why}; {kept}")
