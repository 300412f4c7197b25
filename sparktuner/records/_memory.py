"""The store of a single process: documents in a list."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from numbers import Integral
from typing import Any

from sparktuner.errors import InvalidTrial
from sparktuner.records._document import Document
from sparktuner.records._store import TrialStore, attachment_name


class MemoryStore(TrialStore):
    """Hands out the documents themselves, not copies."""

    def __init__(self) -> None:
        self._documents: dict[Any, Document] = {}
        self._attachments: dict[str, Any] = {}
        self._next_tid = 0
        # Documents in the order of their last change: what changed since a revision is a tail.
        self._changes: dict[Any, int] = {}
        self._revision = 0

    @property
    def attachments(self) -> MutableMapping[str, Any]:
        return self._attachments

    def allocate(self, n: int) -> list[int]:
        first = self._next_tid
        self._next_tid += n
        return list(range(first, self._next_tid))

    def insert(self, documents: Iterable[Document]) -> None:
        documents = list(documents)
        added = {document["tid"]: document for document in documents}
        known = [tid for tid in added if tid in self._documents]
        if known or len(added) < len(documents):
            raise InvalidTrial(
                f"there is a trial with tid {known[0]!r} already"
                if known
                else "two of the documents have the same tid"
            )
        for tid, document in added.items():
            self._documents[tid] = document
            self._touch(tid)
            if isinstance(tid, Integral):
                self._next_tid = max(self._next_tid, int(tid) + 1)

    def update(self, document: Document) -> None:
        tid = document["tid"]
        stored = self._documents.get(tid)
        if stored is None or stored["version"] != document["version"]:
            raise InvalidTrial(f"trial {tid!r} was changed or deleted by somebody else")
        document["version"] += 1
        self._documents[tid] = document
        self._touch(tid)

    def load_since(self, revision: int) -> tuple[list[Document], int]:
        changed = []
        for tid in reversed(self._changes):
            if self._changes[tid] <= revision:
                break
            changed.append(self._documents[tid])
        changed.reverse()
        if revision == 0:
            changed = list(self._documents.values())
        return changed, self._revision

    def delete_all(self, exp_key: str | None = None) -> None:
        gone = [
            tid
            for tid, document in self._documents.items()
            if exp_key is None or document["exp_key"] == exp_key
        ]
        for tid in gone:
            del self._documents[tid], self._changes[tid]
            prefix = attachment_name(tid, "")
            for name in [name for name in self._attachments if name.startswith(prefix)]:
                del self._attachments[name]
        if exp_key is None:
            self._attachments.clear()
            self._next_tid = 0

    def _touch(self, tid: Any) -> None:
        self._revision += 1
        self._changes.pop(tid, None)
        self._changes[tid] = self._revision
