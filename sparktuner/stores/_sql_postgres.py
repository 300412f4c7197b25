"""Connections to PostgreSQL that never wait for ever."""

from __future__ import annotations

import re
import time
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

# Earlier ones take a wait in vain for an answer.
if tuple(map(int, re.findall(r"\d+", psycopg.__version__)[:3])) < (3, 2, 13):
    raise ImportError(f"psycopg {psycopg.__version__} is there")

# Seconds without a byte from the server. A waiting writer hears from it earlier: see below.
_SILENCE = 10.0
# Seconds to connect and, on networks that lose packets, until TCP notices.
_PARAMETERS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Milliseconds: that one writer waits for another, and that one who stands still is waited for.
# Set here, as poolers between driver and server refuse settings in the URL.
_SETTINGS = "SET lock_timeout = 5000; SET idle_in_transaction_session_timeout = 30000"


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A connection that breaks when the server says nothing for ten seconds."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Runs one of psycopg's waits, within bounds."""
        return super().wait(self._bounded(gen), interval)

    def _bounded(self, gen: PQGen[RV]) -> PQGen[RV]:
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now = time.monotonic()
                if ready:
                    heard = now
                elif now > heard + _SILENCE:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer for {_SILENCE:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result


def connect(arguments: Any, parameters: dict[str, Any]) -> BoundedConnection:
    """Returns a new connection; ``parameters`` are libpq's, and win over ours."""
    connection = BoundedConnection.connect(*arguments, **{**_PARAMETERS, **parameters})
    try:
        connection.execute(_SETTINGS)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection
