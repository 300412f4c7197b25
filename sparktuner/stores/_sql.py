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
from sparktuner.stores._blobs import Blobs
from sparktuner.stores._rows import LEASE, Reclaim, Row, RowStore, taken
from sparktuner.stores._sql_blobs import LOCK, SqlBlobs, remove_blobs
from sparktuner.stores._sql_database import Database, parsed, without_password
from sparktuner.stores._sql_schema import (
    ALLOCATED,
    BLOBS,
    COUNTER,
    EXPERIMENTS,
    IS_OPEN,
    OWNERS,
    TRIALS,
)
from sparktuner.stores._urls import shown, split_options

_NAMES = ("tid", "exp_key", "state", "owner", "version", "text", "revision", "position")
_ROW = [TRIALS.c[name] for name in _NAMES]
# Ids in one statement: SQLite before 3.32 takes 999 parameters.
_CHUNK = 900
_LONGEST_WORD = 1000
_CHANGES = ("exp_key", "state", "owner", "version", "text", "revision")
_RENEW = (
    "INSERT INTO sparktuner_owners (name, expires) VALUES (:name, {now} + :lease) "
    "ON CONFLICT (name) DO UPDATE SET expires = excluded.expires"
)
_COUNT = sa.text(
    "INSERT INTO sparktuner_experiments (name, trials) VALUES (:name, :more) ON CONFLICT (name) "
    "DO UPDATE SET trials = sparktuner_experiments.trials + excluded.trials"
)


class SqlStore(RowStore):
    """Keeps trials in the tables ``sparktuner_…`` of a database, which it makes.

    Every call is one transaction; those that write documents take turns. Where the answer of a
    call got lost (:class:`~sparktuner.errors.StoreUnavailable`), all of it was written or
    nothing, and a repeated one says which: an insertion is refused for ids that are there
    (``InvalidTrial``), an update as stale (``StaleTrial``), and ``load_since`` shows what is
    there. Repeating any other call does no harm.

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
        with self._writing() as (connection, revision, next_tid):
            if limit is not None:
                n = min(n, limit - self._expected(connection, exp_key))
            if n <= 0:
                return []
            mine = {"owner": owner, "exp_key": exp_key}
            # What nobody will use any more, before what nobody had.
            tids = self._given_up(connection, n)
            if tids:
                connection.execute(
                    sa.update(ALLOCATED).where(ALLOCATED.c.tid == sa.bindparam("t")),
                    [{"t": tid, **mine} for tid in tids],
                )
            new = range(next_tid, next_tid + n - len(tids))
            if new:
                connection.execute(sa.insert(ALLOCATED), [{"tid": tid, **mine} for tid in new])
                _count_on(connection, revision, new.stop)
            return [*tids, *new]

    def _given_up(self, connection: sa.Connection, n: int) -> list[Tid]:
        query = (
            sa.select(ALLOCATED.c.tid)
            .where(ALLOCATED.c.owner.is_not(None), ~self._lives(ALLOCATED.c.owner))
            .order_by(ALLOCATED.c.tid)
            .limit(n)
        )
        return list(connection.scalars(query))

    def _expected(self, connection: sa.Connection, exp_key: str | None) -> int:
        """How many trials an experiment has, or will have of the ids that were handed out."""
        there = sa.select(sa.func.sum(EXPERIMENTS.c.trials))
        # Ids of nobody may never be used.
        coming = (
            sa.select(sa.func.count()).select_from(ALLOCATED).where(self._lives(ALLOCATED.c.owner))
        )
        if exp_key is not None:
            there = there.where(EXPERIMENTS.c.name == _experiment(exp_key))
            coming = coming.where(ALLOCATED.c.exp_key == exp_key)
        return int(connection.scalar(there) or 0) + int(connection.scalar(coming) or 0)

    # --- documents

    def _insert_rows(self, rows: Sequence[Row]) -> None:
        records = [_record(row) for row in rows]
        with self._writing() as (connection, revision, next_tid):
            for place, record in enumerate(records, revision + 1):
                record["position"] = record["revision"] = place
            try:
                connection.execute(sa.insert(TRIALS), records)
            except IntegrityError:
                connection.rollback()
                if there := self._there(connection, [row.tid for row in rows]):
                    raise taken(list(there)) from None
                raise
            connection.execute(
                sa.delete(ALLOCATED).where(ALLOCATED.c.tid == sa.bindparam("t")),
                [{"t": row.tid} for row in rows],
            )
            _count_trials(connection, Counter(row.exp_key for row in rows))
            highest = max(row.tid for row in rows)
            _count_on(connection, revision + len(rows), max(next_tid, highest + 1))

    def _update_rows(self, rows: Sequence[Row]) -> list[Tid]:
        stale: list[Tid] = []
        fresh: list[Row] = []
        with self._writing() as (connection, revision, _):
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
                _overwrite(connection, fresh, revision)
            if moved:
                _count_trials(connection, moved)
        return stale

    def _rows_since(self, token: object, exp_key: str | None) -> tuple[list[Row], object]:
        since = token if isinstance(token, int) else 0
        query = sa.select(*_ROW)
        if since:
            query = query.where(TRIALS.c.revision > since)
        if exp_key is not None:
            query = query.where(TRIALS.c.exp_key == exp_key)
        with self._database.transaction(query) as (_, result):
            found = result.all()
        rows = {record.position: self._whole(record) for record in found}
        # Who writes holds the counter's row, so nothing below the highest can come later.
        last = max((record.revision for record in found), default=since)
        # In order here, as SQLite would rather read all trials in order than sort a few.
        return [rows[position] for position in sorted(rows)], last

    def _claim_rows(
        self, owner: str, exp_key: str | None, limit: int | None, reclaim: Reclaim
    ) -> list[Row]:
        query = (
            sa.select(*_ROW)
            .where(IS_OPEN, sa.or_(TRIALS.c.owner.is_(None), ~self._lives(TRIALS.c.owner)))
            .order_by(TRIALS.c.position)
            .limit(limit)
        )
        if exp_key is not None:
            query = query.where(TRIALS.c.exp_key == exp_key)
        # Who waits for work asks often, and mostly in vain: that holds up nobody.
        with self._database.transaction(query.with_only_columns(TRIALS.c.tid).limit(1)) as (_, it):
            if it.first() is None:
                return []
        with self._writing() as (connection, revision, _):
            found = [self._whole(record) for record in connection.execute(query)]
            rows = [reclaim(row) for row in found]
            if rows:
                _overwrite(connection, rows, revision)
            # Owners that are gone are known by their absence.
            connection.execute(sa.delete(OWNERS).where(OWNERS.c.expires <= self._now))
        return rows

    def delete_all(self, exp_key: str | None = None) -> None:
        with self._writing() as (connection, revision, _):
            if exp_key is not None:
                mine = TRIALS.c.exp_key == exp_key
                remove_blobs(connection, BLOBS.c.tid.in_(sa.select(TRIALS.c.tid).where(mine)))
                connection.execute(sa.delete(TRIALS).where(mine))
                name = _experiment(exp_key)
                connection.execute(sa.delete(EXPERIMENTS).where(EXPERIMENTS.c.name == name))
                return
            remove_blobs(connection, BLOBS.c.name.is_not(None))
            for table in (TRIALS, EXPERIMENTS, ALLOCATED):
                connection.execute(sa.delete(table))
            # Revisions go on: other searches hold tokens.
            _count_on(connection, revision, 0)

    # --- owners

    def renew(self, owner: str) -> None:
        statement = sa.text(_RENEW.format(now=self._database.now))
        parameters = {"name": _word("owner", owner), "lease": self.lease}
        with self._database.transaction(statement, parameters, write=True):
            pass

    def release(self, owner: str) -> None:
        statement = sa.delete(OWNERS).where(OWNERS.c.name == owner)
        with self._database.transaction(statement, write=True):
            pass

    def owners(self) -> list[str]:
        query = sa.select(OWNERS.c.name).where(OWNERS.c.expires > self._now)
        with self._database.transaction(query.order_by(OWNERS.c.name)) as (_, names):
            return list(names.scalars())

    @property
    def _now(self) -> sa.ColumnElement[float]:
        return sa.literal_column(self._database.now, sa.Double())

    def _lives(self, owner: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return sa.exists().where(OWNERS.c.name == owner, OWNERS.c.expires > self._now)

    # --- transactions

    @contextmanager
    def _writing(self) -> Iterator[tuple[sa.Connection, int, int]]:
        """Begins to write trials: yields the revision and the next id as they are now."""
        with self._database.transaction(LOCK, write=True) as (connection, result):
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
            query = sa.select(TRIALS.c.tid, TRIALS.c.version, TRIALS.c.exp_key).where(
                TRIALS.c.tid.in_(tids[i : i + _CHUNK])
            )
            found.update((tid, (v, exp_key)) for tid, v, exp_key in connection.execute(query))
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


def _overwrite(connection: sa.Connection, rows: Sequence[Row], revision: int) -> None:
    connection.execute(
        sa.update(TRIALS)
        .where(TRIALS.c.tid == sa.bindparam("t"))
        .values({name: sa.bindparam(name) for name in _CHANGES}),
        [
            {"t": row.tid, **_record(row), "revision": place}
            for place, row in enumerate(rows, revision + 1)
        ],
    )
    connection.execute(sa.update(COUNTER).values(revision=revision + len(rows)))


def _count_on(connection: sa.Connection, revision: int, next_tid: int) -> None:
    connection.execute(sa.update(COUNTER).values(revision=revision, next_tid=next_tid))


def _count_trials(connection: sa.Connection, more: dict[str | None, int]) -> None:
    connection.execute(_COUNT, [{"name": _experiment(k), "more": n} for k, n in more.items()])
