"""What an SQL store asks and tells its database about trials, made once.

To build a statement costs as much as to send it. Names that begin with ``_`` are parameters:
others would be taken for columns.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from sparktuner.stores._sql_schema import (
    ALLOCATED,
    COUNTER,
    EXPERIMENTS,
    IS_OPEN,
    OWNERS,
    TRIALS,
)


class StoreTime(FunctionElement[float]):
    """The store's clock, in seconds since 1970."""

    inherit_cache = True
    type = sa.Double()


@compiles(StoreTime, "sqlite")
def _sqlite_time(element: StoreTime, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(StoreTime, "postgresql")
def _postgresql_time(element: StoreTime, compiler: Any, **options: Any) -> str:
    return "extract(epoch from clock_timestamp())"


_TID: sa.BindParameter[int] = sa.bindparam("_tid", type_=sa.BigInteger())
_EXP_KEY: sa.BindParameter[str] = sa.bindparam("_exp_key", type_=sa.Text())
_NAME: sa.BindParameter[str] = sa.bindparam("_name", type_=sa.Text())
_MOST: sa.BindParameter[int] = sa.bindparam("_most", type_=sa.BigInteger())
_IN_EXPERIMENT = TRIALS.c.exp_key == _EXP_KEY


def _lives(owner: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.exists().where(OWNERS.c.name == owner, OWNERS.c.expires > StoreTime())


# --- the counter, with which each transaction that writes trials begins and ends

LOCK = sa.select(COUNTER.c.revision, COUNTER.c.next_tid).with_for_update()
COUNT_ON = sa.update(COUNTER).values(
    revision=sa.bindparam("_revision"), next_tid=sa.bindparam("_next_tid")
)

# --- ids

GIVEN_UP = (
    sa.select(ALLOCATED.c.tid)
    .where(ALLOCATED.c.owner.is_not(None), ~_lives(ALLOCATED.c.owner))
    .order_by(ALLOCATED.c.tid)
    .limit(_MOST)
)
ALLOCATED_TO = (
    sa.select(ALLOCATED.c.tid)
    .where(ALLOCATED.c.owner == sa.bindparam("_owner"))
    .order_by(ALLOCATED.c.tid)
)
ALLOCATE = sa.insert(ALLOCATED)
ALLOCATE_AGAIN = (
    sa.update(ALLOCATED)
    .where(ALLOCATED.c.tid == _TID)
    .values(owner=sa.bindparam("_owner"), exp_key=_EXP_KEY)
)
FORGET_ALLOCATED = sa.delete(ALLOCATED).where(ALLOCATED.c.tid == _TID)


def _expected(of_experiment: bool) -> sa.Select[Any]:
    there = sa.select(sa.func.sum(EXPERIMENTS.c.trials))
    coming = (
        sa.select(sa.func.count())
        .select_from(ALLOCATED)
        # Ids of nobody may never be used.
        .where(_lives(ALLOCATED.c.owner))
    )
    if of_experiment:
        there = there.where(EXPERIMENTS.c.name == _NAME)
        coming = coming.where(ALLOCATED.c.exp_key == _EXP_KEY)
    return sa.select(there.scalar_subquery(), coming.scalar_subquery())


# By whether one experiment is meant, or all: the trials there, and the ids handed out.
EXPECTED = {of_experiment: _expected(of_experiment) for of_experiment in (False, True)}
ADD_TO_EXPERIMENT = sa.text(
    "INSERT INTO sparktuner_experiments (name, trials) VALUES (:_name, :_more) ON CONFLICT "
    "(name) DO UPDATE SET trials = sparktuner_experiments.trials + excluded.trials"
)
FORGET_EXPERIMENT = sa.delete(EXPERIMENTS).where(EXPERIMENTS.c.name == _NAME)

# --- trials

ROW = [
    TRIALS.c[name]
    for name in ("tid", "exp_key", "state", "owner", "version", "text", "revision", "position")
]
INSERT = sa.insert(TRIALS)
UPDATE = (
    sa.update(TRIALS)
    .where(TRIALS.c.tid == _TID)
    .values(
        {
            name: sa.bindparam(f"_{name}")
            for name in ("exp_key", "state", "owner", "version", "text", "revision")
        }
    )
)
THERE = sa.select(TRIALS.c.tid, TRIALS.c.version, TRIALS.c.exp_key).where(
    TRIALS.c.tid.in_(sa.bindparam("_tids", expanding=True))
)


def _since(begun: bool, of_experiment: bool) -> sa.Select[Any]:
    query = sa.select(*ROW)
    if begun:
        query = query.where(TRIALS.c.revision > sa.bindparam("_since"))
    return query.where(_IN_EXPERIMENT) if of_experiment else query


# By whether there is a revision to begin with, and whether one experiment is meant.
SINCE = {(a, b): _since(a, b) for a in (False, True) for b in (False, True)}


def _to_claim(columns: list[Any], of_experiment: bool) -> sa.Select[Any]:
    query = (
        sa.select(*columns)
        .where(IS_OPEN, sa.or_(TRIALS.c.owner.is_(None), ~_lives(TRIALS.c.owner)))
        .order_by(TRIALS.c.position)
        .limit(_MOST)
    )
    return query.where(_IN_EXPERIMENT) if of_experiment else query


# By whether one experiment is meant: the ids alone, and the rows.
WAITING = {of_one: _to_claim([TRIALS.c.tid], of_one) for of_one in (False, True)}
TO_CLAIM = {of_one: _to_claim(ROW, of_one) for of_one in (False, True)}
OF_EXPERIMENT = sa.select(TRIALS.c.tid).where(_IN_EXPERIMENT)
FORGET_TRIALS = sa.delete(TRIALS).where(_IN_EXPERIMENT)

# --- owners

LIVING = sa.select(OWNERS.c.name).where(OWNERS.c.expires > StoreTime()).order_by(OWNERS.c.name)
_RENEWED: dict[str, Any] = {
    "name": _NAME,
    "expires": StoreTime() + sa.bindparam("_lease", type_=sa.Double()),
}
# Both write it alike; SQLAlchemy has it for each.
RENEW = {
    "sqlite": sqlite.insert(OWNERS)
    .values(_RENEWED)
    .on_conflict_do_update(index_elements=["name"], set_={"expires": _RENEWED["expires"]}),
    "postgresql": postgresql.insert(OWNERS)
    .values(_RENEWED)
    .on_conflict_do_update(index_elements=["name"], set_={"expires": _RENEWED["expires"]}),
}
RELEASE = sa.delete(OWNERS).where(OWNERS.c.name == _NAME)
# Owners that are gone are known by their absence.
FORGET_OWNERS = sa.delete(OWNERS).where(OWNERS.c.expires <= StoreTime())
