"""The seam between the store of objects and where they lie: a cloud's bucket, a folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Nothing but attachments is larger, and those are never read whole. Somebody else's object may be.
LARGEST = 1 << 30


@dataclass(frozen=True)
class Found:
    """An object of a listing.

    Attributes:
        key: its name: folders and file, ``/`` in between.
        modified: when it was written, in seconds by the store's clock.
    """

    key: str
    modified: float


class Bucket(ABC):
    """Objects by key: written whole, never changed in place.

    Every method raises :class:`~sparktuner.errors.StoreUnavailable` where the same call may
    succeed later, and :class:`~sparktuner.errors.StoreError` for all else that goes wrong.

    Attributes:
        location: where it is, in words for messages.
        resolution: seconds that two times of :class:`Found` may be off.
    """

    location: str
    resolution: float

    @abstractmethod
    def create(self, key: str, data: bytes) -> bool:
        """Writes an object if there is none of this key, and returns whether it did.

        False may be wrong where the store's answer was lost or it refused for another reason:
        :meth:`get` tells who wrote what is there.
        """

    @abstractmethod
    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        """Writes an object in place of what is there; nobody sees half of it."""

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """Returns an object, or None where there is none."""

    @abstractmethod
    def open(self, key: str) -> Iterator[bytes]:
        """Yields an object in pieces that are read as they are asked for.

        Raises:
            KeyError: there is none, at once.
        """

    @abstractmethod
    def list(self, folder: str, after: str = "") -> list[Found]:
        """Returns the objects below a folder, in the order of their keys.

        Args:
            folder: ends with ``/``.
            after: only keys behind this one.
        """

    @abstractmethod
    def remove(self, keys: Sequence[str]) -> None:
        """Forgets objects; there need not be any."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Returns whether there is no object at all."""

    def get_many(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """Returns objects as :meth:`get` does."""
        return [self.get(key) for key in keys]

    def sweep(self) -> None:
        """Removes what writers that died have left behind outside of any key."""
        return

    def close(self) -> None:
        """Lets go of connections; they are opened again when they are needed."""
        return
