"""Large values that belong to trials, beside their documents."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from sparktuner.checks import shown
from sparktuner.records._document import Tid

# The names of attachments that say where else a search is written; users are not shown them.
ELSEWHERE_PREFIX = "ELSEWHERE::"


@dataclass(frozen=True)
class FromFile:
    """An attachment whose bytes are in an open file, from which they are copied once.

    Attributes:
        file: it can be read anew from its beginning; it is closed when it was copied.
    """

    file: BinaryIO


class Attachments(MutableMapping[str, Any]):
    """Attachments by name: as values, like a dictionary, and as streams of bytes.

    A value that is bytes can be opened as a stream, and a stream that was written is a value
    of bytes. Reading any other value from a store that outlives the process may unpickle it.
    """

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Returns a stream that reads an attachment of bytes; it never unpickles anything.

        Raises:
            KeyError: there is none of this name.
            TypeError: its value is of another kind.
        """

    @abstractmethod
    def write(self, name: str, stream: BinaryIO) -> None:
        """Keeps what a stream reads, under a name; readers see the old bytes or all new ones."""

    @abstractmethod
    def names(self, prefix: str = "") -> Iterator[str]:
        """Yields the names that start with ``prefix``."""

    def __iter__(self) -> Iterator[str]:
        return self.names()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keep(self, name: str, value: object) -> None:
        """Keeps a value, or the bytes of a :class:`FromFile`, a piece of them in memory."""
        if not isinstance(value, FromFile):
            self[name] = value
            return
        value.file.seek(0)  # a write that failed has read some
        self.write(name, value.file)
        value.file.close()

    def read_bytes(self, name: str) -> bytes:
        """Returns an attachment of bytes, as :meth:`open` does."""
        with self.open(name) as stream:
            return stream.read()


@dataclass(frozen=True)
class Deferred:
    """An attachment that is read when it is asked for.

    Attributes:
        read: returns its value, for which it may unpickle something.
        is_bytes: whether its value is bytes.
    """

    read: Callable[[], Any]
    is_bytes: bool


class MemoryAttachments(Attachments):
    """Attachments in a dictionary, the very objects; a :class:`Deferred` is read each time."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        return value.read() if isinstance(value, Deferred) else value

    def __setitem__(self, name: str, value: object) -> None:
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def names(self, prefix: str = "") -> Iterator[str]:
        # A copy: a search in another thread may add some meanwhile. Users' names may be numbers.
        return (name for name in list(self._values) if str(name).startswith(prefix))

    def open(self, name: str) -> BinaryIO:
        value = self._values[name]
        if isinstance(value, Deferred) and value.is_bytes:
            value = value.read()
        if not isinstance(value, bytes | bytearray):
            raise TypeError(f"attachment {name!r} is a {type(value).__name__}, not bytes")
        return io.BytesIO(value)

    def write(self, name: str, stream: BinaryIO) -> None:
        self._values[name] = stream.read()

    def __getstate__(self) -> dict[str, Any]:
        return {"_values": dict(self._values)}


class TrialAttachments(Attachments):
    """The attachments of one trial: the store's, seen through names that hold the trial's id.

    Args:
        store: all attachments of a store, by name.
        tid: the trial.
    """

    def __init__(self, store: Attachments, tid: Tid) -> None:
        self._store = store
        self._prefix = attachment_name(tid, "")

    def __getitem__(self, name: str) -> Any:
        return self._store[self._prefix + name]

    def __setitem__(self, name: str, value: object) -> None:
        if not isinstance(name, str):
            raise TypeError(f"an attachment's name must be text, got {shown(name)}")
        self._store[self._prefix + name] = value

    def __delitem__(self, name: str) -> None:
        del self._store[self._prefix + name]

    def open(self, name: str) -> BinaryIO:
        return self._store.open(self._prefix + name)

    def write(self, name: str, stream: BinaryIO) -> None:
        self._store.write(self._prefix + name, stream)

    def names(self, prefix: str = "") -> Iterator[str]:
        # By prefix, not by an index of its own: that is how Hyperopt's stores hold them.
        start = len(self._prefix)
        return (name[start:] for name in self._store.names(self._prefix + prefix))


def attachment_name(tid: Tid, name: str) -> str:
    """Returns the store's name for a trial's attachment, as Hyperopt writes it."""
    return f"ATTACH::{tid}::{name}"
