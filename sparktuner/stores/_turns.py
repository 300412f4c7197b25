"""One writer at a time, on a server whose only promise is that a key is inserted once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from sparktuner.errors import StoreUnavailable

Json: TypeAlias = dict[str, Any]

# Seconds without a sign of life after which a writer counts as dead. Turns take milliseconds.
PATIENCE = 5.0
# Several writers may die one after another.
_LONGEST_WAIT = 4 * PATIENCE
_BACKOFF = (0.001, 0.01)
_KEPT = 32


class Turn:
    """A writer's turn.

    Attributes:
        number: counts up with each turn of whatever writer: the revision of what it writes.
    """

    def __init__(self, turns: Collection[Json], number: int, began: float) -> None:
        self.number = number
        self._turns = turns
        self._seen = began

    def beat(self) -> None:
        """Shows that the writer of a long turn is alive."""
        before = _clock()
        self._turns.update_one({"_id": self.number}, {"$inc": {"beat": 1}})
        self._seen = before

    def may_be_lost(self) -> bool:
        """Returns whether others may have taken this writer for dead."""
        return _clock() - self._seen > PATIENCE


class Turns:
    """The turns of all writers of one store, numbered without a gap.

    Documents of several writers cannot be written in one transaction without a replica set,
    and some servers do not even find and update one document as one step. So a turn is a
    document whose key is its number: of two that insert the same one wins, and nobody begins
    a turn before the last one is done. A revision token is the number of a turn: what is
    written later has a higher one.

    A writer that dies leaves a turn that is not done. Whoever has watched it for
    :data:`PATIENCE` seconds, by a clock of its own, goes on in the next one, after ``undo`` of
    the dead one. A writer that was only slow finds out at the end.

    Args:
        turns: where they are kept.
        location: of the store, for messages.
        undo: takes back what the turn of this number has inserted.
        restamp: marks what the first turn has written as written in the second.
    """

    def __init__(
        self,
        turns: Collection[Json],
        location: str,
        undo: Callable[[int], None],
        restamp: Callable[[int, int], None],
    ) -> None:
        self._turns = turns
        self._location = location
        self._undo = undo
        self._restamp = restamp

    def settled(self) -> int:
        """Returns the last number up to which every turn is done."""
        latest = self._latest()
        return latest["_id"] - (not latest["done"])  # type: ignore[no-any-return]

    @contextmanager
    def taken(self) -> Iterator[Turn]:
        """Waits for a turn, and ends it.

        Raises:
            StoreUnavailable: others wrote all the time; or this writer was so slow that others
                took it for dead: what it inserted is taken back.
        """
        turn = self._begin()
        try:
            yield turn
        except BaseException:
            # Without an answer nobody knows what is there. If this fails too, the next writer
            # does it.
            with suppress(Exception):
                self._undo(turn.number)
                self._end(turn)
            raise
        if turn.may_be_lost() and self._latest()["_id"] != turn.number:
            self._give_up(turn)
        self._end(turn)

    def _latest(self) -> Json:
        return self._turns.find_one({}, sort=[("_id", -1)]) or {"_id": 0, "done": True}

    def _begin(self) -> Turn:
        wait = _Wait()
        while True:
            latest = self._latest()
            number = latest["_id"]
            dead = not latest["done"] and wait.saw(number, latest["beat"]) > PATIENCE
            if latest["done"] or dead:
                began = _clock()
                with suppress(DuplicateKeyError):
                    self._turns.insert_one({"_id": number + 1, "done": False, "beat": 0})
                    if dead:
                        self._undo_all_before(number + 1)
                    return Turn(self._turns, number + 1, began)
            if wait.total() > _LONGEST_WAIT:
                raise StoreUnavailable(
                    f"{self._location} was written by others for {_LONGEST_WAIT:g} s without a gap"
                )
            time.sleep(random.uniform(*_BACKOFF))

    def _undo_all_before(self, number: int) -> None:
        # More than one where a writer died that was about to do this.
        for dead in self._turns.find({"_id": {"$lt": number}, "done": False}):
            self._undo(dead["_id"])

    def _end(self, turn: Turn) -> None:
        self._turns.update_one({"_id": turn.number}, {"$set": {"done": True}})
        if turn.number % _KEPT == 0:
            self._turns.delete_many({"_id": {"$lt": turn.number}})

    def _give_up(self, turn: Turn) -> None:
        """Lets readers see what was written so late, and raises."""
        with self.taken() as another:
            self._undo(turn.number)
            self._restamp(turn.number, another.number)
        raise StoreUnavailable(
            f"{self._location} took more than {PATIENCE:g} s to write, and others went on "
            "meanwhile; load what is there, and write again what is not"
        )


class _Wait:
    """How long the present turn of another writer has been watched."""

    def __init__(self) -> None:
        self._began = self._since = _clock()
        self._last: tuple[int, int] | None = None

    def saw(self, number: int, beat: int) -> float:
        """Notes a turn that is not done; seconds since it was first seen so."""
        if self._last != (number, beat):
            self._last = (number, beat)
            self._since = _clock()
        return _clock() - self._since

    def total(self) -> float:
        return _clock() - self._began


def _clock() -> float:
    # Where there is such a clock, one that goes on while the machine sleeps: others do not.
    name = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if name is None else time.clock_gettime(name)
