"""Keeps SQLite out of forks: no connection of its library may be open while a process forks.

A child inherits what the library believes about the locks that its parent holds, and holds none
of them: the parent removes the log in which the child has just written. What another thread does
in the library at that moment is locked in the child for ever.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

# Seconds that a fork waits for transactions, and they for a fork.
_PATIENCE = 10.0


class _Closable(Protocol):
    def close(self) -> None:
        """Lets go of connections."""


class ForkGate:
    """Lets transactions in until the process forks; then waits for them, and closes all."""

    def __init__(self) -> None:
        self._databases: weakref.WeakSet[_Closable] = weakref.WeakSet()
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before, after_in_parent=self._after, after_in_child=self._renew
            )

    def _renew(self) -> None:
        # In a child too, where the old one may be held by a thread that is not there.
        self._condition = threading.Condition()
        self._inside = 0
        self._forks = 0

    @contextmanager
    def entered(self, database: _Closable) -> Iterator[None]:
        """Uses a database's connections in the block, which enters no other gate."""
        with self._condition:
            self._condition.wait_for(lambda: not self._forks, _PATIENCE)
            self._inside += 1
            self._databases.add(database)
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                self._condition.notify_all()

    def _before(self) -> None:
        with self._condition:
            self._forks += 1
            self._condition.wait_for(lambda: not self._inside, _PATIENCE)
        for database in list(self._databases):
            database.close()

    def _after(self) -> None:
        with self._condition:
            self._forks -= 1
            self._condition.notify_all()


# One for the process, as forks are.
GATE = ForkGate()
