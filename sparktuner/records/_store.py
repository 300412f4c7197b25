"""The seam between trials and the place where their documents live."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

from sparktuner.records._document import Document


class TrialStore(ABC):
    """Keeps trial documents and attachments for one or more drivers."""

    @property
    @abstractmethod
    def attachments(self) -> MutableMapping[str, Any]:
        """Large values beside the documents, by name."""

    @abstractmethod
    def allocate(self, n: int) -> list[int]:
        """``n`` trial ids that nobody has or gets: above all ids known and handed out."""

    @abstractmethod
    def insert(self, documents: Iterable[Document]) -> None:
        """Add documents.

        Raises:
            InvalidTrial: one has the id of a document that is there already; none is added.
        """

    @abstractmethod
    def update(self, document: Document) -> None:
        """Write a changed document and count up its ``version``.

        Raises:
            InvalidTrial: the stored version is another one, so somebody else has written it.
        """

    @abstractmethod
    def load_since(self, revision: int) -> tuple[list[Document], int]:
        """Documents inserted or updated after ``revision`` (0: all), and the present revision.

        Documents come in the order in which they were first inserted.
        """

    @abstractmethod
    def delete_all(self, exp_key: str | None = None) -> None:
        """Forget all documents and attachments; with ``exp_key``, those of that experiment."""


class TrialAttachments(MutableMapping[str, Any]):
    """The attachments of one trial: the store's, seen through names that hold the trial's id."""

    def __init__(self, store: MutableMapping[str, Any], tid: Any) -> None:
        self._store = store
        self._prefix = attachment_name(tid, "")

    def __getitem__(self, name: str) -> Any:
        return self._store[self._prefix + name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._store[self._prefix + name] = value

    def __delitem__(self, name: str) -> None:
        del self._store[self._prefix + name]

    def __iter__(self) -> Iterator[str]:
        start = len(self._prefix)
        return (name[start:] for name in self._store if name.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def attachment_name(tid: Any, name: str) -> str:
    """The store's name for a trial's attachment, as Hyperopt writes it."""
    return f"ATTACH::{tid}::{name}"
