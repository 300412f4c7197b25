"""Who lives, and which trial ids are handed out, in MongoDB."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pymongo.errors import DuplicateKeyError

from sparktuner.records import Tid
from sparktuner.stores._mongo_client import Connection, Json

# Hyperopt's counter: the one document with this key, and its next id under the other one.
_COUNTER: Json = {"a": 0}
_NEXT = "last_id"


class Ids:
    """Trial ids of one store; for the writer whose turn it is.

    Args:
        connection: to the store.
        location: of the store, for messages.
    """

    def __init__(self, connection: Connection, location: str) -> None:
        self._connection = connection
        self._location = location
        self._counter = connection.database["job_ids"]
        # Ids without a document yet: whose, and for which experiment.
        self._handed_out = connection.beside(".ids")

    def living_owners(self) -> list[str]:
        """Returns the owners whose lease has not run out, by the server's clock."""
        alive = {"until": {"$gt": self._connection.now()}}
        return [owner["_id"] for owner in self._connection.beside(".owners").find(alive)]

    def allocate(
        self, n: int, owner: str | None, exp_key: str | None, limit: int | None
    ) -> list[Tid]:
        """Returns ids as :meth:`TrialStore.allocate` does."""
        handed_out = self._without_documents()
        living = {None, *self.living_owners()} if handed_out else {None}
        if limit is not None:
            pending = [
                each
                for each in handed_out
                # Ids of nobody may never be used.
                if each["owner"] in living - {None} and exp_key in (None, each["exp_key"])
            ]
            query = {} if exp_key is None else {"exp_key": exp_key}
            there = self._connection.jobs.count_documents(query)
            n = min(n, limit - there - len(pending))
        gone = sorted(each["_id"] for each in handed_out if each["owner"] not in living)
        again = gone[: max(n, 0)]
        mine: Json = {"owner": owner, "exp_key": exp_key}
        if again:
            self._handed_out.update_many({"_id": {"$in": again}}, {"$set": mine})
            self.raise_to(again[-1] + 1)
        above = max((each["_id"] + 1 for each in handed_out), default=0)
        return again + self._fresh(max(n, 0) - len(again), above, mine)

    def allocated(self, owner: str) -> list[Tid]:
        """Returns ids as :meth:`TrialStore.allocated` does."""
        mine = sorted(each["_id"] for each in self._without_documents() if each["owner"] == owner)
        if mine:
            # Or ids that were noted, and never counted, would be handed out again when they
            # are used, and no note tells of them any more.
            self.raise_to(mine[-1] + 1)
        return mine

    def used(self, tids: list[Tid]) -> None:
        """Forgets handed out ids that have a document now, and hands none of them out again."""
        forgotten = self._handed_out.delete_many({"_id": {"$in": tids}}).deleted_count
        # Others were never handed out, and may be above all that were.
        if forgotten < len(tids):
            self.raise_to(max(tids) + 1)

    def raise_to(self, least: Tid) -> None:
        """Lets no id below ``least`` be handed out any more."""
        if self._next() >= least:
            return
        change: Json = {"$max": {_NEXT: least}, "$setOnInsert": {"_id": "sparktuner"}}
        with suppress(DuplicateKeyError):  # another collection of the database was first
            self._counter.update_one(_COUNTER, change, upsert=True)
            return
        self._counter.update_one(_COUNTER, {"$max": {_NEXT: least}})

    def _next(self) -> Tid:
        found: Any = self._counter.find_one(_COUNTER)
        return 0 if found is None else int(found.get(_NEXT, 0))

    def _without_documents(self) -> list[Json]:
        handed_out = list(self._handed_out.find())
        if not handed_out:
            return []
        # A writer that died after an insertion has left its ids here.
        tids = [each["_id"] for each in handed_out]
        documents = self._connection.jobs.find({"tid": {"$in": tids}}, {"tid": 1})
        there = {document["tid"] for document in documents}
        return [each for each in handed_out if each["_id"] not in there]

    def _fresh(self, n: int, above: Tid, mine: Json) -> list[Tid]:
        """Hands out ids that nobody had, from ``above`` on."""
        if n == 0:
            return []
        while True:
            counted = self._counter.find_one(_COUNTER) or {}
            first = max(int(counted.get(_NEXT, 0)), above)
            tids = list(range(first, first + n))
            # Noted before they are counted: a writer that dies in between leaves no gap.
            self._handed_out.insert_many([{"_id": tid, **mine} for tid in tids])
            if self._counted(counted, first + n):
                return tids
            self._handed_out.delete_many({"_id": {"$in": tids}})

    def _counted(self, found: Json, end: Tid) -> bool:
        """Moves Hyperopt's counter on, unless somebody else has: Hyperopt takes no turns."""
        if _NEXT not in found:
            self.raise_to(end)
            return True
        expected = {"_id": found["_id"], _NEXT: found[_NEXT]}
        return self._counter.find_one_and_update(expected, {"$set": {_NEXT: end}}) is not None
