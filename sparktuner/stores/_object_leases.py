"""Owners of a store of objects: an object each, written anew when its lease is renewed."""

from __future__ import annotations

import json
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
        # A key is of one name for ever, so nobody need be read twice.
        self._names: dict[str, str | None] = {}

    def renew(self, owner: str) -> None:
        """Lets an owner live for another lease."""
        self._home.settle()
        self._names[owner_key(owner)] = owner
        self._write(owner_key(owner), json.dumps(owner))

    def release(self, owner: str) -> None:
        """Ends an owner's lease."""
        key = owner_key(owner)
        self._written.pop(key, None)
        self._bucket.remove([key])

    def owners(self) -> list[str]:
        """Returns the names of those who live."""
        living = sorted(self._living())
        unknown = [key for key in living if key not in self._names]
        for key, data in zip(unknown, self._bucket.get_many(unknown), strict=True):
            self._names[key] = _name(key, data or b"")
        names = (self._names.get(key) for key in living)
        return [name for name in names if name is not None]

    def lives(self) -> Lives:
        """Returns what tells whether an owner lives; it asks the store once, if it is called."""
        living: list[set[str]] = []

        def lives(owner: str) -> bool:
            if not living:
                living.append(self._living())
            return owner_key(owner) in living[0]

        return lives

    def _living(self) -> set[str]:
        self._home.check()
        modified = self._modified()
        if not modified:
            return set()
        present = self._present(modified)
        if present is None:
            self._write(self._nobody, "null")
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

    def _write(self, key: str, text: str) -> None:
        self._bucket.put(key, [text.encode()])
        # Afterwards: a present that is too early lets no lease end too early.
        self._written[key] = now()


def _name(key: str, data: bytes) -> str | None:
    """Returns whose object it is; None where it is nobody's, or somebody else put it there."""
    try:
        name = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return name if isinstance(name, str) and owner_key(name) == key else None
