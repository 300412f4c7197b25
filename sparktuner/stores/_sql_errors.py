"""What a database's errors mean to whoever uses a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sparktuner.errors import StoreError, StoreUnavailable

# Part of the message -> whether the same call may succeed later, and what to do. The text, as
# sqlite3 has codes since Python 3.11 only, and a refused connection to PostgreSQL has none.
_MEANINGS = {
    "is locked": (True, "another process writes to it and does not end"),
    "disk is full": (True, "make room on its disk"),
    "disk i/o error": (True, "see whether its disk is full or broken"),
    "unable to open database file": (
        False,
        "its folder must be there, and be yours to write; sqlite:/// takes a path from the "
        "working directory, sqlite://// an absolute one",
    ),
    "readonly database": (False, "file and folder must be yours to write"),
    "file is not a database": (False, "it is not SQLite's; name another file"),
    "malformed": (False, "it is damaged; copy it, and rescue what is left: sqlite3 FILE .recover"),
    "password authentication failed": (
        False,
        "check user and password, in the URL, PGPASSWORD or ~/.pgpass",
    ),
    "no password supplied": (False, "give one in the URL, PGPASSWORD or ~/.pgpass"),
    "pg_hba.conf": (False, "the server's pg_hba.conf does not let you in"),
    "does not exist": (False, "it must be made first: createdb, createuser"),
    "permission denied": (False, "GRANT USAGE, CREATE ON SCHEMA public TO the user"),
}
# Connection lost, a transaction to be repeated, no resources, operator, system; lock timeout.
_PASSING_STATES = ("08", "40", "53", "57", "58", "55P03")


@contextmanager
def explained(location: str) -> Iterator[None]:
    """Turns errors of the database in the block into the store's, which hold no password."""
    try:
        yield
    except DBAPIError as error:
        explanation = _explanation(error, location)
        # psycopg's error holds the connection's parameters, the password among them, and stays
        # reachable as our error's context.
        vars(error.orig).clear()
        raise explanation from None
    except PoolTimeout:
        raise StoreUnavailable(
            f"{location}: all connections of this process are in use; try again"
        ) from None
    except SQLAlchemyError as error:
        raise StoreError(f"{location}: {_line(error)}") from None


def _explanation(error: DBAPIError, location: str) -> StoreError:
    said = _line(error.orig)
    for part, (passes, advice) in _MEANINGS.items():
        if part in said.lower():
            kind = StoreUnavailable if passes else StoreError
            return kind(f"{location}: {said}; {advice}")
    state = getattr(error.orig, "sqlstate", None)
    # psycopg's error without a state is a connection that was not made, or broke.
    lost = error.connection_invalidated or (
        state is None and isinstance(error, OperationalError) and _is_psycopg(error)
    )
    if lost or (state or "").startswith(_PASSING_STATES):
        return StoreUnavailable(f"{location} does not answer: {said}")
    return StoreError(f"{location}: {said}")


def _is_psycopg(error: DBAPIError) -> bool:
    return type(error.orig).__module__.startswith("psycopg")


def _line(error: object) -> str:
    return " ".join(str(error).split())[:400]
