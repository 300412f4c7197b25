"""Trials in MongoDB, in the layout of Hyperopt's own."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

from sparktuner.errors import StoreError
from sparktuner.records import Tid
from sparktuner.status import JOB_STATE_NEW, JOB_STATE_RUNNING
from sparktuner.stores._blobs import Blobs
from sparktuner.stores._codec import Keep
from sparktuner.stores._gridfs import GridBlobs, remove_files_of
from sparktuner.stores._mongo_client import (
    Connection,
    Json,
    place_of,
    translated,
    without_password,
)
from sparktuner.stores._mongo_documents import (
    INSERTED,
    PLACE_BITS,
    REVISION,
    body_of,
    fields_of,
    order_of,
    rest_of,
    row_of,
)
from sparktuner.stores._mongo_ids import Ids
from sparktuner.stores._rows import LEASE, Reclaim, Row, RowStore, taken
from sparktuner.stores._turns import Turn, Turns
from sparktuner.stores._urls import shown, split_options

_SCHEMA = 1
_DUPLICATE = 11000
# Documents between two signs of life in a long turn.
_BATCH = 500


class MongoStore(RowStore):
    """Keeps trials in a collection of MongoDB, as Hyperopt's ``MongoTrials`` does.

    The keys of a trial are those of its document, so that other tools can query them; ids come
    from the collection ``job_ids``, attachments are in GridFS. A collection that Hyperopt has
    filled can be opened and gone on with. What is ours alone is in collections named
    ``<jobs>.sparktuner``.

    One writer at a time, see :class:`sparktuner.stores._turns.Turns`. An insertion is seen
    whole or not at all, also after a crash; an update is one for each document. Where the
    answer of a call got lost, the call may have been carried out: an insertion that is
    repeated then raises ``InvalidTrial``, an update ``StaleTrial``.

    Hyperopt's own workers do not know of leases: a trial that one of them runs counts as left
    behind. What Hyperopt writes into an open store is seen when it is opened anew.

    Args:
        url: ``mongodb://host:port/database`` (the collection is ``jobs``),
            ``mongodb+srv://``, or ``mongo://host:port/database/collection``.
        lease: seconds; ``?lease=30`` in the URL wins.
    """

    def __init__(self, url: str, *, lease: float = LEASE) -> None:
        url, lease = split_options(url, lease)
        super().__init__(shown(url), lease)
        self._url = url
        self._place = place_of(url)
        self._begin()

    def _begin(self) -> None:
        self._opening = threading.Lock()
        self._connection: Connection | None = None

    # --- the connection

    def _connected(self) -> Connection:
        """This process's connection to a store that was checked."""
        connection = self._connection
        if connection is not None and connection.is_ours:
            return connection
        if connection is not None:
            # After a fork: a lock that some thread of the parent held is never released here.
            self._begin()
        with self._opening:
            if self._connection is None:
                with translated(self.location):
                    made = Connection(self._place)
                    try:
                        self._open(made)
                    except BaseException:
                        made.close()
                        raise
                self._connection = made
            return self._connection

    def _open(self, connection: Connection) -> None:
        found = connection.beside("").find_one({"_id": "store"})
        if found is None:
            self._create(connection)
        elif found.get("schema") != _SCHEMA:
            raise StoreError(
                f"{self.location} has the layout {found.get('schema')!r}, and this version of "
                f"sparktuner knows {_SCHEMA}; use the version that wrote it"
            )
        self._adopt(connection)

    def _create(self, connection: Connection) -> None:
        """Makes indexes and the store's own collections, where nobody else's documents are."""
        jobs = connection.jobs
        missing = [{key: {"$exists": False}} for key in ("tid", "state", "misc")]
        stranger = jobs.find_one({"$or": missing}, {"_id": 1})
        if stranger is not None:
            raise StoreError(
                f"the collection {jobs.name!r} of {self.location} has documents that are no "
                f"trials, such as {stranger['_id']!r}; nothing was changed; name another "
                "database, or another collection: mongo://host:port/database/collection"
            )
        try:
            jobs.create_index("tid", unique=True)
        except OperationFailure as error:
            # DuplicateKeyError of MongoDB; FerretDB says it in words alone.
            if not re.search("(?i)duplicate|unique constraint", str(error)):
                raise
            raise StoreError(
                f"the collection {jobs.name!r} of {self.location} has two trials with one tid; "
                "give one another tid, or delete it"
            ) from None
        jobs.create_index([("exp_key", 1), (REVISION, 1)])
        jobs.create_index([("state", 1), ("owner", 1)])
        for key in (REVISION, INSERTED):
            jobs.create_index(key)
        # Another process may open the store for the first time too.
        with suppress(DuplicateKeyError):
            connection.beside("").insert_one({"_id": "store", "schema": _SCHEMA})

    def _adopt(self, connection: Connection) -> None:
        """Takes in documents that Hyperopt wrote."""
        stranger: Json = {REVISION: {"$exists": False}}
        if connection.jobs.find_one(stranger, {"_id": 1}) is None:
            return
        with self._turn(connection) as turn:
            connection.jobs.update_many(stranger, {"$set": {REVISION: turn.number}})
            last = connection.jobs.find_one({}, {"tid": 1}, sort=[("tid", -1)])
            if last is not None and isinstance(last["tid"], int):
                self._ids(connection).raise_to(last["tid"] + 1)

    @contextmanager
    def _turn(self, connection: Connection) -> Iterator[Turn]:
        # This process's threads first, which need no server for it.
        with connection.lock:
            if connection.turn is not None:
                yield connection.turn
                return
            with self._turns(connection).taken() as turn:
                connection.turn = turn
                try:
                    yield turn
                finally:
                    connection.turn = None

    def _turns(self, connection: Connection) -> Turns:
        jobs = connection.jobs

        def undo(number: int) -> None:
            low = number << PLACE_BITS
            jobs.delete_many({INSERTED: {"$gte": low, "$lt": low + (1 << PLACE_BITS)}})

        def restamp(number: int, another: int) -> None:
            jobs.update_many({REVISION: number}, {"$set": {REVISION: another}})

        return Turns(connection.beside(".turns"), self.location, undo, restamp)

    def _ids(self, connection: Connection) -> Ids:
        return Ids(connection, self.location)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, Turn]]:
        with translated(self.location):
            connection = self._connected()
            with self._turn(connection) as turn:
                yield connection, turn

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (without_password(self._url), self.lease)

    def __repr__(self) -> str:
        return f"MongoStore({self.location!r})"

    # --- documents

    def _insert_rows(self, rows: Sequence[Row]) -> None:
        with self._writing() as (connection, turn):
            first = turn.number << PLACE_BITS
            documents = [
                {**fields_of(row), REVISION: turn.number, INSERTED: first + place}
                for place, row in enumerate(rows)
            ]
            for batch in _batches(documents):
                try:
                    connection.jobs.insert_many(batch)
                except BulkWriteError as error:
                    # What is there of ours is taken back.
                    raise _why(error, batch) from None
                if len(rows) > _BATCH:
                    turn.beat()
            self._ids(connection).used([row.tid for row in rows])
            kept = [name for row in rows for name in row.text.kept]
            if kept:
                blobs = GridBlobs(lambda: connection, self.location, self._writing)
                blobs.list_files(connection, kept)

    def _update_rows(self, rows: Sequence[Row]) -> list[Tid]:
        with self._writing() as (connection, turn):
            return self._write(connection, turn, rows)

    def _write(self, connection: Connection, turn: Turn, rows: Sequence[Row]) -> list[Tid]:
        """Writes rows over those of the same version; the ids of those that are not there."""
        stale: list[Tid] = []
        for batch in _batches(rows):
            changes = []
            for row in batch:
                change = {**fields_of(row), "version": row.version + 1, REVISION: turn.number}
                # By version, although it is our turn: Hyperopt's workers take none.
                same = {"tid": row.tid, "version": row.version}
                changes.append(UpdateOne(same, {"$set": change}))
            if connection.jobs.bulk_write(changes, ordered=False).matched_count < len(batch):
                ours = {"tid": {"$in": [row.tid for row in batch]}, REVISION: turn.number}
                written = {each["tid"] for each in connection.jobs.find(ours, {"tid": 1})}
                stale += [row.tid for row in batch if row.tid not in written]
            if len(rows) > _BATCH:
                turn.beat()
        return stale

    def _rows_since(self, token: object, exp_key: str | None) -> tuple[list[Row], object]:
        with translated(self.location):
            connection = self._connected()
            settled = self._turns(connection).settled()
            if token == settled:
                return [], token
            query: Json = {} if exp_key is None else {"exp_key": exp_key}
            if isinstance(token, int):
                query[REVISION] = {"$gt": token}
            found = [
                document
                for document in connection.jobs.find(query)
                # An insertion that is not done may be taken back; it has a later revision.
                if order_of(document)[0] >> PLACE_BITS <= settled
            ]
        return [row_of(document) for document in sorted(found, key=order_of)], settled

    def _claim_rows(
        self, owner: str, exp_key: str | None, limit: int | None, reclaim: Reclaim
    ) -> list[Row]:
        if limit == 0:
            return []
        query: Json = {} if exp_key is None else {"exp_key": exp_key}
        query["state"] = {"$in": [JOB_STATE_NEW, JOB_STATE_RUNNING]}
        with translated(self.location):
            connection = self._connected()
            query["owner"] = {"$nin": self._ids(connection).living_owners()}
            # Workers ask again and again, and mostly there is nothing: that takes no turn.
            if connection.jobs.find_one(query, {"_id": 1}) is None:
                return []
        with self._writing() as (connection, turn):
            query["owner"] = {"$nin": self._ids(connection).living_owners()}
            # As `order_of` has it: those without the first one come first.
            found = connection.jobs.find(query, sort=[(INSERTED, 1), ("_id", 1)], limit=limit or 0)
            free = [row_of(document) for document in found]
            claimed = [reclaim(row) for row in free]
            # As `_write` counts the version up, and so does `reclaim`.
            before = [
                Row(new.tid, new.exp_key, new.state, new.owner, old.version, new.text)
                for old, new in zip(free, claimed, strict=True)
            ]
            lost = set(self._write(connection, turn, before))
        return [row for row in claimed if row.tid not in lost]

    # --- what the rows' base class leaves to each store

    @property
    def _blobs(self) -> Blobs:
        return GridBlobs(self._connected, self.location, self._writing)

    def allocate(
        self,
        n: int,
        owner: str | None = None,
        exp_key: str | None = None,
        limit: int | None = None,
    ) -> list[Tid]:
        with self._writing() as (connection, _):
            return self._ids(connection).allocate(n, owner, exp_key, limit)

    def allocated(self, owner: str) -> list[Tid]:
        with translated(self.location):
            return self._ids(self._connected()).allocated(owner)

    def renew(self, owner: str) -> None:
        with translated(self.location):
            connection = self._connected()
            until = connection.now() + timedelta(seconds=self.lease)
            connection.beside(".owners").update_one(
                {"_id": owner}, {"$set": {"until": until}}, upsert=True
            )

    def release(self, owner: str) -> None:
        with translated(self.location):
            connection = self._connected()
            expired = {"until": {"$lte": connection.now()}}
            connection.beside(".owners").delete_many({"$or": [{"_id": owner}, expired]})

    def owners(self) -> list[str]:
        with translated(self.location):
            return sorted(self._ids(self._connected()).living_owners())

    def delete_all(self, exp_key: str | None = None) -> None:
        with self._writing() as (connection, _):
            jobs, query = connection.jobs, {} if exp_key is None else {"exp_key": exp_key}
            tids = [document["tid"] for document in jobs.find(query, {"tid": 1})]
            remove_files_of(connection, None if exp_key is None else tids)
            jobs.delete_many(query)
            if exp_key is None:
                connection.beside(".ids").delete_many({})

    # --- forms

    def _encoded(self, rest: dict[str, Any], keep: Keep | None) -> Any:
        return body_of(rest, keep)

    def _decoded(self, text: Any) -> dict[str, Any]:
        return rest_of(text)


def _reopened(url: str, lease: float) -> MongoStore:
    return MongoStore(url, lease=lease)


def _batches(items: Sequence[Any]) -> Iterator[list[Any]]:
    return (list(items[i : i + _BATCH]) for i in range(0, len(items), _BATCH))


def _why(error: BulkWriteError, batch: list[Json]) -> Exception:
    failed: list[Json] = (error.details or {}).get("writeErrors", [])
    if failed and failed[0].get("code") == _DUPLICATE:
        return taken([batch[failed[0]["index"]]["tid"]])
    return error
