"""Trials in an SQL database: a file of SQLite, or PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sparktuner.errors import InvalidTrial, StoreError
from sparktuner.records import Tid
from sparktuner.stores import _sql_statements as sql
from sparktuner.stores._blobs import Blobs
from sparktuner.stores._rows import LEASE, Reclaim, Row, RowStore, taken
from sparktuner.stores._sql_blobs import SqlBlobs, remove_blobs
from sparktuner.stores._sql_database import Database, parsed, without_password
from sparktuner.stores._sql_schema import ALLOCATED, BLOBS, COUNTER, EXPERIMENTS, TRIALS
from sparktuner.stores._urls import shown, split_options

# Ids in one statement: SQLite before 3.32 takes 999 parameters.
_CHUNK = 900
_LONGEST_WORD = 1000
# A limit that is none.
_ALL = 2**62


class SqlStore(RowStore):
    """Keeps trials in the tables ``sparktuner_…`` of a database, which it makes.

    Every call is one transaction; those that write documents take turns. Where the answer of a
    call got lost (:class:`~sparktuner.errors.StoreUnavailable`), all of it was written or
    nothing, and a repeated one says which: an insertion is refused for ids that are there
    (``InvalidTrial``), an update as stale (``StaleTrial``), and ``load_since`` shows what is
    there. What a lost ``claim`` has taken is there as the caller's own; ids that a lost
    ``allocate`` has taken are handed out again when their owner is gone.

    What a call has written outlives the process, and a power cut where the disk keeps what it
    has promised to. A pickled store has no password: libpq's ``PGPASSWORD`` or ``~/.pgpass``
    gives it where it is used.

    Args:
        url: ``sqlite:///tuning.db`` or ``postgresql://user@host/database``; ``?lease=30`` in it
            goes before ``lease``.
        lease: see :class:`TrialStore`.

    Raises:
        ValueError: the URL is of another kind.
        StoreUnavailable: the database does not answer now.
        StoreError: it cannot be used; the message says why.
    """

    def __init__(self, url: str, *, lease: float = LEASE) -> None:
        url, lease = split_options(url, lease)
        super().__init__(shown(url), lease)
        self._database = Database(parsed(url), self.location)
        self._database.open()

    @staticmethod
    def is_made(url: str) -> bool:
        """Returns whether the tables are there; neither they nor a file are made."""
        return Database(parsed(split_options(url, LEASE)[0]), shown(url)).is_made()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.location!r})"

    def __getstate__(self) -> dict[str, Any]:
        url = without_password(self._database.url)
        return {"url": url, "location": self.location, "lease": self.lease}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Not opened yet: whoever unpickles it need not have the password.
        super().__init__(state["location"], state["lease"])
        self._database = Database(state["url"], self.location)

    def close(self) -> None:
        self._database.close()

    @property
    def _blobs(self) -> Blobs:
        return SqlBlobs(self._database, self.location)

    # --- ids

    def allocate(
        self,
        n: int,
        owner: str | None = None,
        exp_key: str | None = None,
        limit: int | None = None,
    ) -> list[Tid]:
        mine = {"owner": _word("owner", owner), "exp_key": _word("exp_key", exp_key)}
        with self._writing() as (connection, revision, next_tid):
            if limit is not None:
                n = min(n, limit - _expected(connection, exp_key))
            if n <= 0:
                return []
            # What nobody will use any more, before what nobody had.
            tids = list(connection.scalars(sql.GIVEN_UP, {"_most": n}))
            if tids:
                again = {f"_{name}": value for name, value in mine.items()}
                connection.execute(sql.ALLOCATE_AGAIN, [{"_tid": tid, **again} for tid in tids])
            new = range(next_tid, next_tid + n - len(tids))
            if new:
                connection.execute(sql.ALLOCATE, [{"tid": tid, **mine} for tid in new])
                _count_on(connection, revision, new.stop)
            return [*tids, *new]

    def allocated(self, owner: str) -> list[Tid]:
        with self._database.transaction(sql.ALLOCATED_TO, {"_owner": owner}) as (_, tids):
            return list(tids.scalars())

    # --- documents

    def _insert_rows(self, rows: Sequence[Row]) -> None:
        records = [_record(row) for row in rows]
        with self._writing() as (connection, revision, next_tid):
            for place, record in enumerate(records, revision + 1):
                record["position"] = record["revision"] = place
            try:
                connection.execute(sql.INSERT, records)
            except IntegrityError:
                connection.rollback()
                if there := self._there(connection, [row.tid for row in rows]):
                    raise taken(list(there)) from None
                raise
            connection.execute(sql.FORGET_ALLOCATED, [{"_tid": row.tid} for row in rows])
            _count_trials(connection, Counter(row.exp_key for row in rows))
            highest = max(row.tid for row in rows)
            _count_on(connection, revision + len(rows), max(next_tid, highest + 1))

    def _update_rows(self, rows: Sequence[Row]) -> list[Tid]:
        stale: list[Tid] = []
        fresh: list[Row] = []
        with self._writing() as (connection, revision, next_tid):
            there = self._there(connection, [row.tid for row in rows])
            moved: Counter[str | None] = Counter()
            for row in rows:
                # Of two documents with one id the second finds what the first has written.
                version, exp_key = there.pop(row.tid, (None, None))
                if version != row.version:
                    stale.append(row.tid)
                    continue
                fresh.append(replace(row, version=row.version + 1))
                if row.exp_key != exp_key:
                    moved.update({row.exp_key: 1})
                    moved.subtract({exp_key: 1})
            if fresh:
                _overwrite(connection, fresh, revision, next_tid)
            if moved:
                _count_trials(connection, moved)
        return stale

    def _rows_since(self, token: object, exp_key: str | None) -> tuple[list[Row], object]:
        since = token if isinstance(token, int) else 0
        query = sql.SINCE[bool(since), exp_key is not None]
        with self._database.transaction(query, _given(_since=since, _exp_key=exp_key)) as (
            _,
            result,
        ):
            found = result.all()
        rows = {record.position: self._whole(record) for record in found}
        # Who writes holds the counter's row, so nothing below the highest can come later.
        last = max((record.revision for record in found), default=since)
        # In order here, as SQLite would rather read all trials in order than sort a few.
        return [rows[position] for position in sorted(rows)], last

    def _claim_rows(
        self, owner: str, exp_key: str | None, limit: int | None, reclaim: Reclaim
    ) -> list[Row]:
        one = exp_key is not None
        # Who waits for work asks often, and mostly in vain: that holds up nobody.
        given = _given(_exp_key=exp_key, _most=1)
        with self._database.transaction(sql.WAITING[one], given) as (_, waiting):
            if waiting.first() is None:
                return []
        given["_most"] = _ALL if limit is None else limit
        with self._writing() as (connection, revision, next_tid):
            found = connection.execute(sql.TO_CLAIM[one], given)
            rows = [reclaim(self._whole(record)) for record in found]
            if rows:
                _overwrite(connection, rows, revision, next_tid)
            connection.execute(sql.FORGET_OWNERS)
        return rows

    def delete_all(self, exp_key: str | None = None) -> None:
        with self._writing() as (connection, revision, _):
            if exp_key is not None:
                one = {"_exp_key": exp_key, "_name": _experiment(exp_key)}
                remove_blobs(connection, BLOBS.c.tid.in_(sql.OF_EXPERIMENT), one)
                connection.execute(sql.FORGET_TRIALS, one)
                connection.execute(sql.FORGET_EXPERIMENT, one)
                return
            remove_blobs(connection, BLOBS.c.name.is_not(None))
            for table in (TRIALS, EXPERIMENTS, ALLOCATED):
                connection.execute(sa.delete(table))
            # Revisions go on: other searches hold tokens.
            _count_on(connection, revision, 0)

    # --- owners

    def renew(self, owner: str) -> None:
        given = {"_name": _word("owner", owner), "_lease": self.lease}
        statement = sql.RENEW[self._database.url.get_backend_name()]
        with self._database.transaction(statement, given, write=True):
            pass

    def release(self, owner: str) -> None:
        with self._database.transaction(sql.RELEASE, {"_name": owner}, write=True):
            pass

    def owners(self) -> list[str]:
        with self._database.transaction(sql.LIVING) as (_, names):
            return list(names.scalars())

    # --- transactions

    @contextmanager
    def _writing(self) -> Iterator[tuple[sa.Connection, int, int]]:
        """Begins to write trials: yields the revision and the next id as they are now."""
        with self._database.transaction(sql.LOCK, write=True) as (connection, result):
            found = [tuple(record) for record in result]
            if len(found) != 1 or not all(isinstance(n, int) for n in found[0]):
                raise StoreError(
                    f"{COUNTER.name} in {self.location} must have one row of two integers, "
                    f"got {str(found)[:80]}"
                )
            revision, next_tid = found[0]
            yield connection, revision, next_tid

    @staticmethod
    def _there(
        connection: sa.Connection, tids: Sequence[Tid]
    ) -> dict[Tid, tuple[int, str | None]]:
        """The version and the experiment of those trials that are there."""
        found: dict[Tid, tuple[int, str | None]] = {}
        for i in range(0, len(tids), _CHUNK):
            some = {"_tids": tids[i : i + _CHUNK]}
            found.update((tid, (v, key)) for tid, v, key in connection.execute(sql.THERE, some))
        return found

    def _whole(self, record: Sequence[Any]) -> Row:
        tid, exp_key, state, owner, version, text, revision, position = record
        # SQLite's columns take values of any type, from whoever writes to the file.
        numbers = (tid, state, version, revision, position)
        if all(isinstance(n, int) for n in numbers) and isinstance(text, str):
            return Row(tid, exp_key, state, owner, version, text)
        raise StoreError(f"trial {tid!r} in {self.location} is no trial document; delete it")


def _record(row: Row) -> dict[str, Any]:
    if not -(2**62) < row.tid < 2**62:
        raise InvalidTrial(f"tid must be an integer of 62 bits, got {row.tid}")
    _word("exp_key", row.exp_key)
    _word("owner", row.owner)
    return vars(row).copy()


def _word(name: str, value: str | None) -> str | None:
    """Checks what is compared in the database, where it is text of a limited length."""
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= _LONGEST_WORD and "\0" not in value:
        with suppress(UnicodeEncodeError):
            value.encode()
            return value
    raise InvalidTrial(
        f"{name} must be text of at most {_LONGEST_WORD} characters, got {str(value)[:40]!a}"
    )


def _experiment(exp_key: str | None) -> str:
    # A key cannot be NULL, and an experiment may be named "".
    return "" if exp_key is None else f"={exp_key}"


def _expected(connection: sa.Connection, exp_key: str | None) -> int:
    """How many trials an experiment has, or will have of the ids that were handed out."""
    given = _given(_exp_key=exp_key, _name=_experiment(exp_key))
    there, coming = connection.execute(sql.EXPECTED[exp_key is not None], given).one()
    return int(there or 0) + int(coming)


def _overwrite(
    connection: sa.Connection, rows: Sequence[Row], revision: int, next_tid: int
) -> None:
    records = []
    for place, row in enumerate(rows, revision + 1):
        record = {f"_{name}": value for name, value in _record(row).items()}
        records.append({**record, "_revision": place})
    connection.execute(sql.UPDATE, records)
    _count_on(connection, revision + len(rows), next_tid)


def _count_on(connection: sa.Connection, revision: int, next_tid: int) -> None:
    connection.execute(sql.COUNT_ON, {"_revision": revision, "_next_tid": next_tid})


def _count_trials(connection: sa.Connection, more: dict[str | None, int]) -> None:
    given = [{"_name": _experiment(key), "_more": n} for key, n in more.items()]
    connection.execute(sql.ADD_TO_EXPERIMENT, given)


def _given(**parameters: Any) -> dict[str, Any]:
    return parameters
