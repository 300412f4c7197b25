"""The store of a single process: documents in a dictionary."""

from __future__ import annotations

import copy
import math
import threading
from collections import Counter
from collections.abc import Iterable
from numbers import Integral
from typing import Any

from sparktuner.errors import InvalidTrial, StaleTrial
from sparktuner.records._attachments import Attachments, MemoryAttachments, attachment_name
from sparktuner.records._document import Tid, TrialDocument, begin_again, copy_document
from sparktuner.records._store import TrialStore
from sparktuner.status import JOB_STATE_NEW, JOB_STATE_RUNNING


class MemoryStore(TrialStore):
    """Keeps documents in this process; a pickled one is a copy, of which nobody owns a trial."""

    lease = math.inf  # a search that ends for whatever reason releases what it owns
    location = "memory"

    def __init__(self) -> None:
        self._documents: dict[Tid, TrialDocument] = {}
        self._attachments = MemoryAttachments()
        self._next_tid = 0
        # How many documents each experiment has: a search asks for it with each trial.
        self._counts: Counter[str | None] = Counter()
        # Ids that have no document yet: whose they are, and for which experiment.
        self._handed_out: dict[Tid, tuple[str | None, str | None]] = {}
        # Documents in the order of their last change: what changed since a revision is a tail.
        self._changes: dict[Tid, int] = {}
        self._revision = 0
        # Owners that live. In one process their number is that of the searches that run.
        self._owners: set[str] = set()
        # Searches in several threads may share the store; each holds it for microseconds.
        self._lock = threading.RLock()

    @property
    def attachments(self) -> Attachments:
        return self._attachments

    def allocate(
        self,
        n: int,
        owner: str | None = None,
        exp_key: str | None = None,
        limit: int | None = None,
    ) -> list[Tid]:
        with self._lock:
            gone = sorted(t for t, (o, _) in self._handed_out.items() if not self._lives(o))
            if limit is not None:
                n = min(n, limit - self._expected(exp_key))
            # What nobody will use any more, before what nobody had.
            tids = gone[: max(n, 0)]
            first = self._next_tid
            self._next_tid += max(n, 0) - len(tids)
            tids += range(first, self._next_tid)
            self._handed_out.update(dict.fromkeys(tids, (owner, exp_key)))
            return tids

    def allocated(self, owner: str) -> list[Tid]:
        with self._lock:
            return sorted(tid for tid, (other, _) in self._handed_out.items() if other == owner)

    def _lives(self, owner: str | None) -> bool:
        return owner is None or owner in self._owners

    def _expected(self, exp_key: str | None) -> int:
        """How many trials an experiment has, or will have of the ids that were handed out."""
        pending = sum(
            owner in self._owners and exp_key in (None, key)
            for owner, key in self._handed_out.values()
        )
        known = len(self._documents) if exp_key is None else self._counts[exp_key]
        return pending + known

    def insert(self, documents: Iterable[TrialDocument]) -> None:
        documents = list(documents)
        added = {document["tid"]: document for document in documents}
        with self._lock:
            known = [tid for tid in added if tid in self._documents]
            if known or len(added) < len(documents):
                raise InvalidTrial(
                    f"there is a trial with tid {known[0]!r} already"
                    if known
                    else "two of the documents have the same tid"
                )
            for tid, document in added.items():
                self._put(document)
                self._handed_out.pop(tid, None)
                # Other tools' documents may have ids of any kind; text cannot collide with ours.
                if isinstance(tid, Integral):
                    self._next_tid = max(self._next_tid, int(tid) + 1)

    def update(self, documents: Iterable[TrialDocument]) -> None:
        stale: list[Tid] = []
        with self._lock:
            for document in documents:
                stored = self._documents.get(document["tid"])
                if stored is None or stored["version"] != document["version"]:
                    stale.append(document["tid"])
                    continue
                document["version"] += 1
                self._put(document)
        if stale:
            raise StaleTrial(stale)

    def load_since(
        self, token: object = None, exp_key: str | None = None
    ) -> tuple[list[TrialDocument], object]:
        with self._lock:
            changed = self._changed_since(token if isinstance(token, int) else None)
            # Copies: a reader who changes a document must not change the store.
            copies = [copy_document(d) for d in changed if exp_key in (None, d["exp_key"])]
            return copies, self._revision

    def claim(
        self, owner: str, exp_key: str | None = None, limit: int | None = None
    ) -> list[TrialDocument]:
        with self._lock:
            free = [
                document
                for document in self._documents.values()
                if document["state"] in (JOB_STATE_NEW, JOB_STATE_RUNNING)
                and document["owner"] not in self._owners
                and exp_key in (None, document["exp_key"])
            ]
            claimed = []
            for document in free[:limit]:
                if begin_again(document, owner):
                    claimed.append(document)
                document["version"] += 1
                self._touch(document["tid"])
            return [copy_document(document) for document in claimed]

    def renew(self, owner: str) -> None:
        self._owners.add(owner)

    def release(self, owner: str) -> None:
        self._owners.discard(owner)

    def owners(self) -> list[str]:
        return sorted(self._owners)

    def delete_all(self, exp_key: str | None = None) -> None:
        with self._lock:
            gone = [t for t, d in self._documents.items() if exp_key in (None, d["exp_key"])]
            for tid in gone:
                self._counts[self._documents[tid]["exp_key"]] -= 1
                del self._documents[tid], self._changes[tid]
                prefix = attachment_name(tid, "")
                for name in self._attachments.names(prefix):
                    del self._attachments[name]
            if exp_key is None:
                self._attachments.clear()
                self._handed_out.clear()
                self._next_tid = 0

    def _changed_since(self, revision: int | None) -> list[TrialDocument]:
        if revision is None:
            return list(self._documents.values())
        changed = []
        # From the last change backwards, as far as the reader has not been.
        for tid in reversed(self._changes):
            if self._changes[tid] <= revision:
                break
            changed.append(self._documents[tid])
        changed.reverse()
        return changed

    def _put(self, document: TrialDocument) -> None:
        before = self._documents.get(document["tid"])
        if before is not None:
            self._counts[before["exp_key"]] -= 1
        self._counts[document["exp_key"]] += 1
        self._documents[document["tid"]] = copy_document(document)
        self._touch(document["tid"])

    def _touch(self, tid: Tid) -> None:
        self._revision += 1
        self._changes.pop(tid, None)
        self._changes[tid] = self._revision

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            state = dict(vars(self))
            # Copied under the lock, so that a search that goes on does not tear them.
            state["_documents"] = {t: copy_document(d) for t, d in self._documents.items()}
            state["_attachments"] = copy.copy(self._attachments)
            state["_handed_out"] = dict(self._handed_out)
            state["_changes"] = dict(self._changes)
        del state["_lock"], state["_owners"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._owners = set()
        self._lock = threading.RLock()
