"""Attachments in a store that outlives the process: bytes in pieces, under names."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, BinaryIO

import cloudpickle

from sparktuner.errors import StoreError
from sparktuner.records import Attachments
from sparktuner.stores import _codec

# Attachments travel in pieces of so many bytes, however large they are.
PIECE = 1 << 20


class Kind(str, Enum):
    """How a blob's bytes are read as a value."""

    BYTES = "bytes"
    JSON = "json"
    PICKLE = "pickle"


class Blobs(ABC):
    """Where a store keeps bytes under names."""

    @abstractmethod
    def put(self, name: str, kind: Kind, pieces: Iterable[bytes]) -> None:
        """Keeps bytes under a name, in place of what is there.

        Others read all of the old or all of the new, also if the writer dies in between.
        ``pieces`` are at most :data:`PIECE` long, and there may be none.
        """

    @abstractmethod
    def get(self, name: str) -> tuple[Kind, Iterator[bytes]]:
        """Returns what is kept under a name, in pieces that are read as they are asked for.

        Raises:
            KeyError: there is nothing.
            StoreError: what is there is not whole.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Forgets what is kept under a name.

        Raises:
            KeyError: there is nothing.
        """

    @abstractmethod
    def names(self, prefix: str) -> Iterator[str]:
        """Yields the names that start with ``prefix``."""


class BlobAttachments(Attachments):
    """Attachments as blobs.

    A value of bytes is kept as it is, one that the codec knows as JSON, and any other pickled:
    that is unpickled when its value is asked for, and never before.

    Args:
        blobs: where they are kept.
        location: of the store, for messages.
    """

    def __init__(self, blobs: Blobs, location: str) -> None:
        self._blobs = blobs
        self._location = location

    def __getitem__(self, name: str) -> Any:
        kind, pieces = self._blobs.get(name)
        data = b"".join(pieces)
        if kind is Kind.BYTES:
            return data
        try:
            return _codec.loads(data) if kind is Kind.JSON else cloudpickle.loads(data)
        except ImportError as error:
            raise StoreError(
                f"attachment {name!r} of {self._location} needs module {error.name!r}, which is "
                f"missing here ({error})"
            ) from error
        except Exception as error:  # whatever unpickling raises
            raise StoreError(
                f"attachment {name!r} of {self._location} cannot be read: {error!r}"
            ) from error

    def __setitem__(self, name: str, value: object) -> None:
        kind, data = packed(value)
        self._blobs.put(name, kind, split(data))

    def __delitem__(self, name: str) -> None:
        self._blobs.remove(name)

    def read_kept(self, name: str) -> tuple[Kind, Iterator[bytes]]:
        """Returns how and in which pieces an attachment is kept, without reading its value.

        Raises:
            KeyError: there is none of this name.
        """
        return self._blobs.get(name)

    def write_kept(self, name: str, kind: Kind, pieces: Iterable[bytes]) -> None:
        """Keeps what :meth:`read_kept` has returned, as it is."""
        self._blobs.put(name, kind, pieces)

    def copy_to(self, other: Attachments, name: str) -> None:
        """Copies an attachment as it is; into another store nothing is unpickled for it."""
        if isinstance(other, BlobAttachments):
            other._blobs.put(name, *self._blobs.get(name))
        else:
            other[name] = self[name]

    def __contains__(self, name: object) -> bool:
        # Not by reading the value, which may be large, or a pickle.
        return any(found == name for found in self._blobs.names(str(name)))

    def names(self, prefix: str = "") -> Iterator[str]:
        return self._blobs.names(prefix)

    def open(self, name: str) -> BinaryIO:
        kind, pieces = self._blobs.get(name)
        if kind is not Kind.BYTES:
            raise TypeError(f"attachment {name!r} is kept as {kind.value}, not as bytes")
        return io.BufferedReader(_Pieces(pieces), PIECE)

    def write(self, name: str, stream: BinaryIO) -> None:
        self._blobs.put(name, Kind.BYTES, iter(lambda: stream.read(PIECE), b""))


def packed(value: object) -> tuple[Kind, bytes]:
    """Returns a value as the bytes of a blob.

    Raises:
        Exception: whatever pickling it raises.
    """
    if isinstance(value, bytes | bytearray):
        return Kind.BYTES, bytes(value)
    try:
        return Kind.JSON, _codec.dumps(value).encode()
    except ValueError:  # no form in JSON, or too deep
        return Kind.PICKLE, cloudpickle.dumps(value)


def split(data: bytes) -> Iterator[bytes]:
    """Yields the pieces of a blob."""
    return (data[i : i + PIECE] for i in range(0, len(data), PIECE))


class _Pieces(io.RawIOBase):
    """Pieces as a stream, of which one at a time is in memory."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        n = min(len(buffer), len(self._rest))
        buffer[:n], self._rest = self._rest[:n], self._rest[n:]
        return n
