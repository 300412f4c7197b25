"""A database by its URL: connected to when it is used, also after a fork or its restart."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError

from sparktuner.errors import MissingExtra, StoreError
from sparktuner.stores import _sql_schema
from sparktuner.stores._sql_errors import explained
from sparktuner.stores._sql_fork import GATE
from sparktuner.stores._sql_schema import Step, upgrade, version_of
from sparktuner.stores._urls import shown

# Seconds that a writer waits for its turn at an SQLite file, or for a connection of the pool.
_PATIENCE = 10.0
_SECRETS = ("password", "sslpassword")


def parsed(url: str) -> sa.URL:
    """Returns the URL of a database, whose file, if it is one, has an absolute path.

    Raises:
        ValueError: it is none of SQLite or PostgreSQL.
    """
    try:
        found = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(
            f"{shown(url)} must be sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        ) from None
    if found.get_backend_name() == "sqlite":
        return _file(found)
    if "@" in (found.host or ""):
        # Else part of the password would be taken for the host, and shown in messages.
        raise ValueError("user and password in a URL must have %40 for @, %2F for / and %3A for :")
    # Whatever driver is named, this one is installed.
    return found.set(drivername="postgresql+psycopg")


def _file(url: sa.URL) -> sa.URL:
    if not url.database or url.database == ":memory:" or url.host or url.query:
        raise ValueError(
            f"{shown(str(url))} must be sqlite:/// and the path of a file; trials that only this "
            "process needs are kept without any store"
        )
    return sa.URL.create("sqlite", database=str(Path(url.database).expanduser().absolute()))


def without_password(url: sa.URL) -> sa.URL:
    """Returns a URL that may be written down; libpq finds the password elsewhere."""
    return sa.URL.create(
        url.drivername,
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=url.difference_update_query(_SECRETS).query,
    )


class Database:
    """Hands out transactions in a database whose tables are ours and up to date.

    Args:
        url: as :func:`parsed` returns it.
        location: how messages name it.
        steps: that make the tables.
    """

    def __init__(self, url: sa.URL, location: str, steps: Sequence[Step] | None = None) -> None:
        self.url = url
        self._location = location
        self._steps = _sql_schema.STEPS if steps is None else steps
        # By process: a child must neither use nor close what it has inherited.
        self._engines: dict[int, sa.Engine] = {}

    def open(self) -> None:
        """Connects, and looks at the tables.

        Raises:
            StoreError: see :func:`explained` and :func:`version_of`.
        """
        with self._entered():
            self._opened()

    def is_made(self) -> bool:
        """Returns whether the tables are there, and makes none.

        Raises:
            StoreError: see :meth:`open`.
        """
        file = self.url.database if self.url.get_backend_name() == "sqlite" else None
        # SQLite makes the file of whoever connects.
        if file is not None and not Path(file).exists():
            return False
        with self._entered(), explained(self._location):
            engine = _engine(self.url)
            try:
                with engine.connect() as connection:
                    return version_of(connection, self._location, len(self._steps)) > 0
            finally:
                engine.dispose()

    def _entered(self) -> AbstractContextManager[None]:
        is_sqlite = self.url.get_backend_name() == "sqlite"
        return GATE.entered(self) if is_sqlite else nullcontext()

    def _opened(self) -> sa.Engine:
        engine = self._engines.get(os.getpid())
        if engine is None:
            with explained(self._location):
                made = _engine(self.url)
                self._bring_up_to_date(made)
            engine = self._engines.setdefault(os.getpid(), made)
            if engine is not made:
                made.dispose()
        return engine

    def close(self) -> None:
        """Closes this process's connections; the next use opens new ones."""
        engine = self._engines.pop(os.getpid(), None)
        if engine is not None:
            engine.dispose()

    @contextmanager
    def transaction(
        self, first: sa.Executable, parameters: Any = None, *, write: bool = False
    ) -> Iterator[tuple[sa.Connection, sa.CursorResult[Any]]]:
        """Begins a transaction with a statement, and commits it at the end of the block.

        A connection that was cut while nobody used it is found out by that statement, which is
        then tried once more on a new one.
        """
        with self._entered(), explained(self._location):
            engine = self._opened()
            connection, result = _begun(engine, first, parameters, write)
            with connection:
                yield connection, result
                connection.commit()

    def _bring_up_to_date(self, engine: sa.Engine) -> None:
        newest = len(self._steps)
        with engine.connect() as connection:
            if version_of(connection, self._location, newest) == newest:
                return
        if engine.dialect.name == "sqlite":
            _keep_a_log(engine)
        with engine.connect().execution_options(sparktuner_write=True) as connection:
            upgrade(connection, self._location, self._steps)
            connection.commit()


def _begun(
    engine: sa.Engine, first: sa.Executable, parameters: Any, write: bool
) -> tuple[sa.Connection, sa.CursorResult[Any]]:
    for again in (True, False):
        connection = engine.connect().execution_options(sparktuner_write=write)
        try:
            return connection, connection.execute(first, parameters)
        except DBAPIError as error:
            connection.close()
            if not (again and error.connection_invalidated):
                raise
        except BaseException:
            connection.close()
            raise
    raise StoreError("unreachable")


def _engine(url: sa.URL) -> sa.Engine:
    # Documents in messages would be of no use, and may be secret.
    options: dict[str, Any] = {"hide_parameters": True, "pool_timeout": _PATIENCE}
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": _PATIENCE}, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        from sparktuner.stores import _sql_postgres
    except ImportError as error:
        raise MissingExtra(
            f"{shown(str(url))} needs psycopg 3.2.13 or later ({error}): "
            "pip install 'sparktuner[sql]'"
        ) from error
    engine = sa.create_engine(url, **options)
    event.listen(
        engine,
        "do_connect",
        lambda dialect, record, arguments, parameters: _sql_postgres.connect(
            arguments, parameters
        ),
    )
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # Transactions are begun below: sqlite3 would begin them late, and as readers.
    connection.isolation_level = None
    # What a call has written is on the disk when it returns, whatever happens to the power.
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A reader that turns writer fails where another has written meanwhile; so writers say so.
    write = connection.get_execution_options().get("sparktuner_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _keep_a_log(engine: sa.Engine) -> None:
    """Sets the file to a write-ahead log, in which readers and the writer do not wait."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Another process that opens it too: SQLite does not wait for it here.
            if "is locked" not in str(error) or time.monotonic() > deadline:
                raise StoreError(str(error)) from None
            time.sleep(0.05)
        finally:
            connection.close()
