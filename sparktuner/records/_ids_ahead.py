"""Ids that a store has handed out ahead of time, so that a search need not wait for them."""

from __future__ import annotations

from sparktuner.records._document import Tid

# Others who share the experiment wait for the trials of ids that are hoarded.
_MOST_AHEAD = 16


class IdsAhead:
    """The ids that are ready, and how many are to be. Its user guards it with a lock.

    As many are kept ready as were last asked for. Who comes for more than there are runs its
    trials faster than the store answers, so twice as many are fetched the next time.

    Attributes:
        limit: of :meth:`sparktuner.records.TrialStore.allocate`, as it was last given.
        is_dry: whether the store had no more ids for this experiment.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self.is_dry = False
        self._ready: list[Tid] = []
        self._wanted = 0
        self._at_least = 1
        self._is_waited_for = False

    def take(self, n: int, limit: int | None) -> list[Tid]:
        """Returns up to ``n`` ids that are ready."""
        given, self._ready = self._ready[:n], self._ready[n:]
        self._is_waited_for = len(given) < n
        if self._is_waited_for and not self.is_dry:
            self._at_least = min(2 * self._at_least, _MOST_AHEAD)
        self._wanted, self.limit = max(n, self._at_least), limit
        return given

    def add(self, tids: list[Tid], asked: int) -> None:
        """Takes in what the store has handed out when it was asked for ``asked`` ids."""
        self._ready += tids
        self._is_waited_for = False
        self.is_dry = len(tids) < asked

    def missing(self) -> int:
        """Returns how many are to be fetched."""
        return max(0, self._wanted - len(self._ready))

    def may_come(self) -> bool:
        """Says whether asking again, later, can give any."""
        return bool(self._ready) or (self._wanted > 0 and not self.is_dry)

    def are_waited_for(self) -> bool:
        """Says whether the search has come for ids that the store can be asked for."""
        return self._is_waited_for and not self.is_dry
