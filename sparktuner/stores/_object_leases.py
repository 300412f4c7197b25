"""Owners of a store of objects: an object each, written anew when its lease is renewed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sparktuner.errors import StoreUnavailable
from sparktuner.stores._bucket import Bucket
from sparktuner.stores._object_history import now
from sparktuner.stores._object_layout import OWNERS, Home, owner_key
from sparktuner.stores._object_state import Lives


class Leases:
    """Which owners live, by the store's clock: the times at which it says objects were written.

    Args:
        bucket: where their objects lie.
        home: the bucket's folder.
        lease: see :class:`sparktuner.records.TrialStore`.
    """

    def __init__(self, bucket: Bucket, home: Home, lease: float) -> None:
        self._bucket = bucket
        self._home = home
        self._lease = lease
        # Tells what time it is for those who own nothing.
        self._nobody = owner_key(uuid.uuid4().hex)
        # By this machine's clock, when the objects were written by which the store's is read.
        self._written: dict[str, float] = {}

    def renew(self, owner: str) -> None:
        """Lets an owner live for another lease."""
        self._home.settle()
        self._write(owner_key(owner), owner)

    def release(self, owner: str) -> None:
        """Ends an owner's lease."""
        key = owner_key(owner)
        self._written.pop(key, None)
        self._bucket.remove([key])

    def lives(self) -> Lives:
        """Returns what tells whether an owner lives; it asks the store once, if it is called."""
        living: list[set[str]] = []

        def lives(owner: str) -> bool:
            if not living:
                living.append(self._living())
            return owner_key(owner) in living[0]

        return lives

    def owners(self) -> list[str]:
        """Returns the owners that live."""
        names = (self._bucket.get(key) for key in self._living())
        # None has been released meanwhile, and nobody has no name.
        return sorted(name.decode("utf-8", "surrogatepass") for name in names if name)

    def _living(self) -> set[str]:
        modified = self._modified()
        present = self._present(modified)
        if not modified:
            return set()
        if present is None:
            self._home.settle()
            self._write(self._nobody, "")
            modified = self._modified()
            present = self._present(modified)
        if present is None:
            raise StoreUnavailable(f"{self._bucket.location} does not list what was just written")
        longest = self._lease + self._bucket.resolution
        return {key for key, written in modified.items() if present - written <= longest}

    def _modified(self) -> dict[str, float]:
        return {found.key: found.modified for found in self._bucket.list(OWNERS)}

    def _present(self, modified: Mapping[str, float]) -> float | None:
        """Returns the time by the store's clock; None where nothing tells it."""
        known = now()
        # From a writing on, this machine's clock runs as fast as the store's.
        return max(
            (
                modified[key] + known - at
                for key, at in list(self._written.items())
                if key in modified
            ),
            default=None,
        )

    def _write(self, key: str, owner: str) -> None:
        # The name, because the key is a digest of it.
        self._bucket.put(key, [owner.encode("utf-8", "surrogatepass")])
        # Afterwards: a present that is too early lets no lease end too early.
        self._written[key] = now()
