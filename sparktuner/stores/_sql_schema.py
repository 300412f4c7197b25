"""The tables of an SQL store, and the numbered steps that make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import sqlalchemy as sa

from sparktuner.errors import StoreError

# All tables have it, so that a database can be shared with others.
_PREFIX = "sparktuner_"
_INTEGER = sa.BigInteger()

SCHEMA = sa.table("sparktuner_schema", sa.column("version", _INTEGER))
# One row, which whoever writes trials holds to the end of its transaction. So revisions become
# visible in their order, and a reader who has seen one has seen all below it.
COUNTER = sa.table(
    "sparktuner_counter", sa.column("revision", _INTEGER), sa.column("next_tid", _INTEGER)
)
# `position` is the order of insertion, `revision` that of the last change.
TRIALS = sa.table(
    "sparktuner_trials",
    sa.column("position", _INTEGER),
    sa.column("revision", _INTEGER),
    sa.column("tid", _INTEGER),
    sa.column("exp_key", sa.Text()),
    sa.column("state", _INTEGER),
    sa.column("owner", sa.Text()),
    sa.column("version", _INTEGER),
    sa.column("text", sa.Text()),
)
# How many trials each experiment has, as counting them would take longer with each.
EXPERIMENTS = sa.table(
    "sparktuner_experiments", sa.column("name", sa.Text()), sa.column("trials", _INTEGER)
)
# Ids that were handed out and have no trial yet.
ALLOCATED = sa.table(
    "sparktuner_allocated",
    sa.column("tid", _INTEGER),
    sa.column("owner", sa.Text()),
    sa.column("exp_key", sa.Text()),
)
OWNERS = sa.table(
    "sparktuner_owners", sa.column("name", sa.Text()), sa.column("expires", sa.Double())
)
# A blob that is still being written has no name. Names are bytes: text cannot be just anything.
BLOBS = sa.table(
    "sparktuner_blobs",
    sa.column("id", sa.Text()),
    sa.column("name", sa.LargeBinary()),
    sa.column("kind", sa.Text()),
    sa.column("pieces", _INTEGER),
    sa.column("tid", _INTEGER),
    sa.column("begun", sa.Double()),
)
PIECES = sa.table(
    "sparktuner_pieces",
    sa.column("blob", sa.Text()),
    sa.column("number", _INTEGER),
    sa.column("data", sa.LargeBinary()),
)
# In the words of the indexes below, without which they are not used.
IS_OPEN = sa.text("sparktuner_trials.state IN (0, 1)")

_FIRST = """
CREATE TABLE sparktuner_schema (version BIGINT NOT NULL);
INSERT INTO sparktuner_schema VALUES (0);
CREATE TABLE sparktuner_counter (revision BIGINT NOT NULL, next_tid BIGINT NOT NULL);
INSERT INTO sparktuner_counter VALUES (0, 0);
CREATE TABLE sparktuner_trials (
    position {key}, revision BIGINT NOT NULL, tid BIGINT NOT NULL UNIQUE, exp_key TEXT,
    state BIGINT NOT NULL, owner TEXT, version BIGINT NOT NULL, text TEXT NOT NULL);
CREATE INDEX sparktuner_trials_changed ON sparktuner_trials (revision);
CREATE INDEX sparktuner_trials_of_experiment ON sparktuner_trials (exp_key, revision);
CREATE INDEX sparktuner_trials_open ON sparktuner_trials (position) WHERE state IN (0, 1);
CREATE INDEX sparktuner_trials_open_of_experiment ON sparktuner_trials (exp_key, position)
    WHERE state IN (0, 1);
CREATE TABLE sparktuner_experiments (name TEXT PRIMARY KEY, trials BIGINT NOT NULL);
CREATE TABLE sparktuner_allocated (tid {key}, owner TEXT, exp_key TEXT);
CREATE TABLE sparktuner_owners (name TEXT PRIMARY KEY, expires DOUBLE PRECISION NOT NULL);
CREATE TABLE sparktuner_blobs (
    id TEXT PRIMARY KEY, name {bytes} UNIQUE, kind TEXT NOT NULL, pieces BIGINT NOT NULL,
    tid BIGINT, begun DOUBLE PRECISION NOT NULL);
CREATE INDEX sparktuner_blobs_of_trial ON sparktuner_blobs (tid);
CREATE TABLE sparktuner_pieces (
    blob TEXT NOT NULL, number BIGINT NOT NULL, data {bytes} NOT NULL,
    PRIMARY KEY (blob, number))
"""

Step: TypeAlias = Callable[[sa.Connection], None]


def _first(connection: sa.Connection) -> None:
    kinds = (
        {"key": "INTEGER PRIMARY KEY", "bytes": "BLOB"}
        if connection.dialect.name == "sqlite"
        else {"key": "BIGINT PRIMARY KEY", "bytes": "BYTEA"}
    )
    for statement in _FIRST.format(**kinds).split(";"):
        connection.exec_driver_sql(statement)


# The step at index i makes version i + 1 of version i. One that was released never changes.
STEPS: tuple[Step, ...] = (_first,)


def version_of(connection: sa.Connection, location: str, newest: int) -> int:
    """Returns the version of a store's tables; 0 where there are none.

    Raises:
        StoreError: the version is above ``newest``, or such tables are not a store's.
    """
    names = sa.inspect(connection).get_table_names()
    ours = sorted(name for name in names if name.startswith(_PREFIX))
    if not ours:
        return 0
    if SCHEMA.name not in ours:
        raise StoreError(
            f"{location} has tables that are named as sparktuner's and are not ({ours[0]}); "
            "rename them, or use another database"
        )
    found = list(connection.scalars(sa.select(SCHEMA.c.version)))
    if len(found) != 1 or not isinstance(found[0], int):
        raise StoreError(f"{SCHEMA.name} in {location} holds no version; use another database")
    version: int = found[0]
    if version > newest:
        raise StoreError(
            f"{location} has tables of version {version}, and this sparktuner knows none above "
            f"{newest}: install a newer one"
        )
    return version


def upgrade(connection: sa.Connection, location: str, steps: Sequence[Step]) -> None:
    """Takes the steps that a store's tables lack, in the connection's transaction."""
    if connection.dialect.name == "postgresql":
        # Two that make the tables at the same time would hinder each other.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7236174511)")
    version = version_of(connection, location, len(steps))
    for step in steps[version:]:
        step(connection)
    connection.execute(sa.update(SCHEMA).values(version=len(steps)))
