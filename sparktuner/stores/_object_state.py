"""What the entries of a log add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import TypeAlias

from sparktuner.status import JOB_STATE_NEW, JOB_STATE_RUNNING
from sparktuner.stores._object_log import Entry
from sparktuner.stores._rows import Row

# Tells whether an owner lives.
Lives: TypeAlias = Callable[[str], bool]


class LogState:
    """The documents and ids of a store after some entries of its log.

    The same entries give the same state in every process, so whoever knows the last entry can
    tell whether a change of his is right.

    Attributes:
        number: of the last entry; -1 before the first.
        rows: the documents by id, in the order of their insertion.
    """

    def __init__(self) -> None:
        self.number = -1
        self.rows: dict[int, Row] = {}
        # Documents in the order of their last change: what changed since an entry is a tail.
        self._changes: dict[int, int] = {}
        self._positions: dict[int, int] = {}
        self._inserted = 0
        self._unfinished: set[int] = set()
        self._counts: Counter[str | None] = Counter()
        self._next_tid = 0
        self._handed_out: dict[int, tuple[str | None, str | None]] = {}

    def apply(self, entry: Entry) -> None:
        """Takes in the next entry."""
        self.number += 1
        if entry.forgotten is not None:
            self._forget(entry.forgotten.exp_key)
        if entry.handed_out is not None:
            out = entry.handed_out
            self._handed_out.update(dict.fromkeys(out.tids, (out.owner, out.exp_key)))
            self._next_tid = max(self._next_tid, 1 + max(out.tids, default=-1))
        for row in entry.rows:
            self._put(row)

    def _put(self, row: Row) -> None:
        tid = row.tid
        if tid in self.rows:
            self._counts[self.rows[tid].exp_key] -= 1
            del self._changes[tid]
        else:
            self._positions[tid] = self._inserted
            self._inserted += 1
            self._handed_out.pop(tid, None)
            self._next_tid = max(self._next_tid, tid + 1)
        self.rows[tid] = row
        self._changes[tid] = self.number
        self._counts[row.exp_key] += 1
        if row.state in (JOB_STATE_NEW, JOB_STATE_RUNNING):
            self._unfinished.add(tid)
        else:
            self._unfinished.discard(tid)

    def _forget(self, exp_key: str | None) -> None:
        for tid in [row.tid for row in self.rows.values() if exp_key in (None, row.exp_key)]:
            self._counts[self.rows[tid].exp_key] -= 1
            del self.rows[tid], self._changes[tid], self._positions[tid]
            self._unfinished.discard(tid)
        if exp_key is None:
            self._handed_out.clear()
            self._next_tid = 0

    def changed_since(self, number: int, exp_key: str | None) -> list[Row]:
        """Returns an experiment's rows of entries behind ``number``, in order of insertion."""
        changed = []
        for tid in reversed(self._changes):
            if self._changes[tid] <= number:
                break
            row = self.rows[tid]
            if exp_key in (None, row.exp_key):
                changed.append(row)
        return sorted(changed, key=lambda row: self._positions[row.tid])

    def claimable(
        self, owner: str, exp_key: str | None, limit: int | None, lives: Lives
    ) -> list[Row]:
        """Returns rows that nobody runs, in order of insertion."""
        rows = (
            self.rows[tid] for tid in sorted(self._unfinished, key=self._positions.__getitem__)
        )
        free = (
            row
            for row in rows
            if exp_key in (None, row.exp_key)
            and row.owner != owner
            and (row.owner is None or not lives(row.owner))
        )
        return list(islice(free, limit))

    def allocated(self, owner: str) -> list[int]:
        """Returns the ids of an owner that have no row yet, lowest first."""
        return sorted(tid for tid, (other, _) in self._handed_out.items() if other == owner)

    def next_tids(
        self, n: int, owner: str | None, exp_key: str | None, limit: int | None, lives: Lives
    ) -> list[int]:
        """Returns the ids to hand out: see :meth:`sparktuner.records.TrialStore.allocate`."""

        def living(other: str | None) -> bool:
            return other is None or other == owner or lives(other)

        gone = sorted(tid for tid, (other, _) in self._handed_out.items() if not living(other))
        if limit is not None:
            # Those of nobody may never be used.
            pending = sum(
                other is not None and living(other) and exp_key in (None, key)
                for other, key in self._handed_out.values()
            )
            known = len(self.rows) if exp_key is None else self._counts[exp_key]
            n = min(n, limit - pending - known)
        tids = gone[: max(n, 0)]
        missing = max(n, 0) - len(tids)
        return tids + list(range(self._next_tid, self._next_tid + missing))
