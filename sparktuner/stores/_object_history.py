"""The log of a store as it lies in a bucket: read to its end, and written one entry further."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.stores._bucket import Bucket
from sparktuner.stores._object_layout import FAN_OUT, LEVELS, Home, log_folder, log_index, log_key
from sparktuner.stores._object_log import Entry, pack, unpack
from sparktuner.stores._object_state import LogState

# Objects that are in a bundle too are removed when that is so many seconds old.
GRACE = 3600.0
# Whoever has not looked for so long may meet such removals, and looks at the bundles first.
_STALE = GRACE / 6
# Seconds for which a writer tries again, when others are faster each time.
_PATIENCE = 30.0
# Seconds after which a writer that has met no other believes that it is alone.
_ALONE = 60.0
_TRIES = 4
_AT_ONCE = 32


class History:
    """The entries of a store's log, and what they add up to.

    Entries are numbered without gaps, and each is created only if there is none of its number:
    a writer looks for the last one, checks its change against all before, and tries the next
    number; if somebody else was faster, it reads theirs and checks again. So all writers agree
    on one order, and what one call writes is there as a whole or not at all.

    Not for several threads at once.

    Args:
        bucket: where the log lies.
        home: the bucket's folder.
    """

    def __init__(self, bucket: Bucket, home: Home) -> None:
        self._bucket = bucket
        self._home = home
        self._looked = -float("inf")
        # When somebody else's entry was met the last time.
        self._met = -float("inf")
        self.state = LogState()

    def refresh(self) -> LogState:
        """Returns the state after the last entry that there is."""
        if now() - self._looked > _STALE:
            self._home.check()
            self._catch_up()
        looked = now()
        found = 0
        # Mostly there is nothing new, or one entry; a look for its name is the cheapest request.
        while entry := self._entry(self.state.number + 1):
            self.state.apply(entry)
            self._met = now()
            found += 1
            if found % 4 == 0:
                self._catch_up()
            looked = now()
        self._looked = looked
        return self.state

    def commit(self, change: Callable[[LogState], Entry | None]) -> Entry | None:
        """Writes the entry that a function makes of the state, which may be asked repeatedly.

        Args:
            change: returns the entry, or None for nothing; what it raises passes through.

        Raises:
            StoreUnavailable: the store does not answer; the entry may have been written.
        """
        self._home.settle()
        end = time.monotonic() + _PATIENCE
        # What is created right behind the state that it was checked against, is right, and a
        # writer that is alone need not look before. What is refused may be for being late.
        has_looked = self._may_be_late()
        if has_looked:
            self.refresh()
        while True:
            entry = None
            try:
                entry = change(self.state)
            except Exception:  # whatever the change raises, if it does so again
                if has_looked:
                    raise
            if entry is None and has_looked:
                return None
            if entry is not None:
                entry = replace(entry, nonce=uuid.uuid4().hex)
                if self._append(entry):
                    return entry
            if time.monotonic() > end:
                raise StoreUnavailable(
                    f"{self._bucket.location} has so many writers that another one was faster for "
                    f"{_PATIENCE:.0f} s; try again, or give each experiment a folder of its own"
                )
            self.refresh()
            has_looked = True

    def _may_be_late(self) -> bool:
        return now() - self._looked > _STALE or now() - self._met < _ALONE

    def _append(self, entry: Entry) -> bool:
        number = self.state.number + 1
        key = log_key(0, number)
        data = pack([entry])
        start = now()
        if not self._create(key, data, entry.nonce):
            return False
        # Between the look and the creation this process may have slept for hours, as laptops do;
        # others may have put the log's entries up to here into a bundle and removed them.
        if now() - self._looked > _STALE and self._is_bundled(number):
            self._bucket.remove([key])
            return False
        self.state.apply(entry)
        self._looked = start
        return True

    def _create(self, key: str, data: bytes, nonce: str) -> bool:
        """Returns whether an entry is there as this call has written it."""
        try:
            if self._bucket.create(key, data):
                return True
        except StoreUnavailable:
            # It may be there all the same: the answer was lost, not the request.
            if self._written_by(key) == nonce:
                return True
            raise
        # S3 says that there is one also to its client's second try, and, for a moment, where
        # there is none at all.
        return self._written_by(key) == nonce

    def _written_by(self, key: str) -> str | None:
        entries = self._read(key)
        return None if entries is None else entries[0].nonce

    def _is_bundled(self, number: int) -> bool:
        return any(
            self._bucket.get(log_key(level, number // FAN_OUT**level)) is not None
            for level in range(1, LEVELS)
        )

    # --- reading

    def _entry(self, number: int) -> Entry | None:
        entries = self._read(log_key(0, number))
        return None if entries is None else entries[0]

    def _read(self, key: str) -> list[Entry] | None:
        data = self._bucket.get(key)
        return None if data is None else self._unpacked(key, data)

    def _unpacked(self, key: str, data: bytes) -> list[Entry]:
        """The entries of an object; waits a moment for one that is being written."""
        for _ in range(20):
            try:
                return unpack(data)
            except ValueError as error:
                reason = str(error)
            # Only where a folder has no hard links can somebody see half a file.
            time.sleep(0.05)
            data = self._bucket.get(key) or data
        raise StoreError(
            f"{key} in {self._bucket.location} cannot be read: {reason}. Put back what was there, "
            "or, if it is the last of its folder and its writer was killed, remove it"
        )

    def _catch_up(self) -> None:
        """Takes in what listings show, bundles where there are some."""
        for _ in range(_TRIES):
            plan = self._plan()
            if all(self._take_in(plan[i : i + _AT_ONCE]) for i in range(0, len(plan), _AT_ONCE)):
                return
        raise StoreUnavailable(f"{self._bucket.location} is changing too fast; try again")

    def _plan(self) -> list[tuple[int, int]]:
        """Returns levels and indexes of the objects that hold what is not known yet."""
        found: dict[int, set[int | None]] = {}
        plan: list[tuple[int, int]] = []
        position = self.state.number + 1
        # The largest bundles first: of smaller objects only those behind them are listed.
        for level in reversed(range(LEVELS)):
            found[level] = self._indexes(level, position // FAN_OUT**level)
            plan, position = _cover(found, self.state.number + 1)
        return plan

    def _indexes(self, level: int, first: int) -> set[int | None]:
        after = log_key(level, first - 1) if first else ""
        return {log_index(found.key) for found in self._bucket.list(log_folder(level), after)}

    def _take_in(self, plan: Sequence[tuple[int, int]]) -> bool:
        """Applies objects in order; returns whether all of them were still there."""
        keys = [log_key(*holder) for holder in plan]
        for (level, index), key, data in zip(plan, keys, self._bucket.get_many(keys), strict=True):
            if data is None:
                return False
            entries = self._unpacked(key, data)
            if len(entries) != FAN_OUT**level:
                raise StoreError(f"{key} in {self._bucket.location} is not whole")
            known = self.state.number + 1 - index * FAN_OUT**level
            for entry in entries[known:]:
                self.state.apply(entry)
        return True


def _cover(
    found: Mapping[int, set[int | None]], position: int
) -> tuple[list[tuple[int, int]], int]:
    """Returns the largest objects that follow each other from an entry on, and where they end."""
    plan: list[tuple[int, int]] = []
    while True:
        holders = (
            (level, position // FAN_OUT**level)
            for level in sorted(found, reverse=True)
            if position // FAN_OUT**level in found[level]
        )
        holder = next(holders, None)
        if holder is None:
            return plan, position
        plan.append(holder)
        position = (holder[1] + 1) * FAN_OUT ** holder[0]


def now() -> float:
    """Returns the seconds of a clock that goes on while the machine sleeps."""
    # Not time.monotonic: it stands still while a laptop sleeps.
    return (
        time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.time()
    )
