"""How a search's log writes to its store, and hears from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparktuner.errors import StaleTrial
from sparktuner.records._attachments import TrialAttachments
from sparktuner.records._document import Tid, TrialDocument
from sparktuner.records._store import TrialStore


@dataclass
class News:
    """What a line has to say since it was last asked.

    Attributes:
        versions: those that documents which were handed over have in the store now.
        written: documents that are there as they were handed over last.
        stale: documents that somebody else has changed or deleted, so they were not written;
            what is there instead is, or will be, among ``changed``.
        changed: documents as they are in the store, where they may have changed.
        claimed: documents that are this owner's now, in state NEW.
    """

    versions: dict[Tid, int] = field(default_factory=dict)
    written: list[Tid] = field(default_factory=list)
    stale: list[Tid] = field(default_factory=list)
    changed: list[TrialDocument] = field(default_factory=list)
    claimed: list[TrialDocument] = field(default_factory=list)


class Reader:
    """Reads what has changed in the store, each time since the last.

    Args:
        store: where the documents live.
        exp_key: the experiment; None is all that the store holds.
    """

    def __init__(self, store: TrialStore, exp_key: str | None) -> None:
        self.store = store
        self.exp_key = exp_key
        self._token: object = None

    def begin_anew(self) -> None:
        """Has the next :meth:`read` return all documents."""
        self._token = None

    def read(self) -> list[TrialDocument]:
        """Returns the documents that were written since the last time."""
        changed, self._token = self.store.load_since(self._token, self.exp_key)
        return changed


class Line(ABC):
    """Takes what a log writes, in order. All methods are called in the thread of the log.

    Attributes:
        wake: is called, from any thread, when there may be news.
    """

    wake: Callable[[], object] = staticmethod(lambda: None)

    @abstractmethod
    def insert(self, documents: Sequence[TrialDocument]) -> None:
        """Takes new documents."""

    @abstractmethod
    def update(self, documents: Sequence[TrialDocument]) -> None:
        """Takes documents that were changed."""

    @abstractmethod
    def attach(self, tid: Tid, values: Mapping[str, Any]) -> None:
        """Takes attachments of a trial, which are there before what is written of it later.

        One that is a ``FromFile`` is copied from its file.
        """

    @abstractmethod
    def allocate(self, n: int, owner: str | None, limit: int | None) -> list[Tid]:
        """Returns new ids, as the store does; fewer where they are still to come."""

    @abstractmethod
    def claim(self, owner: str, limit: int | None) -> list[TrialDocument]:
        """Takes trials that nobody runs, as the store does, when all else is written."""

    @abstractmethod
    def news(self, read: bool) -> News:
        """Returns what there is to say; ``read`` asks for what others have changed, too."""

    def expects_ids(self) -> bool:
        """Returns whether ids are still to come, or may come when others end."""
        return False

    def is_full(self) -> bool:
        """Returns whether so much is not written yet that nothing should be added."""
        return False

    def wait(self, timeout: float | None) -> None:
        """Blocks until there is news, at most so many seconds; at once where none can come."""
        return

    def drain(self) -> None:
        """Blocks until everything is written.

        Raises:
            StoreError: it cannot be; the message says where it is kept instead.
        """
        return


class Direct(Line):
    """Writes at once, in the thread of its caller.

    Args:
        reader: reads the store to which it writes.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._store = reader.store
        self._written: dict[Tid, int] = {}

    def insert(self, documents: Sequence[TrialDocument]) -> None:
        self._store.insert(documents)

    def update(self, documents: Sequence[TrialDocument]) -> None:
        stale: list[Tid] = []
        try:
            self._store.update(documents)
        except StaleTrial as error:
            stale = error.tids  # type: ignore[assignment]
            raise
        finally:
            for document in documents:
                if document["tid"] not in stale:
                    self._written[document["tid"]] = document["version"]

    def attach(self, tid: Tid, values: Mapping[str, Any]) -> None:
        attachments = TrialAttachments(self._store.attachments, tid)
        for name, value in values.items():
            attachments.keep(name, value)

    def allocate(self, n: int, owner: str | None, limit: int | None) -> list[Tid]:
        return self._store.allocate(n, owner, self._reader.exp_key, limit)

    def claim(self, owner: str, limit: int | None) -> list[TrialDocument]:
        return self._store.claim(owner, self._reader.exp_key, limit)

    def news(self, read: bool) -> News:
        written, self._written = self._written, {}
        return News(written, list(written), changed=self._reader.read() if read else [])
