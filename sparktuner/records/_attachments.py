"""Large values that belong to trials, beside their documents."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from sparktuner.records._document import Tid


class TrialAttachments(MutableMapping[str, Any]):
    """The attachments of one trial: the store's, seen through names that hold the trial's id.

    Args:
        store: all attachments of a store, by name.
        tid: the trial.
    """

    def __init__(self, store: MutableMapping[str, Any], tid: Tid) -> None:
        self._store = store
        self._prefix = attachment_name(tid, "")

    def __getitem__(self, name: str) -> Any:
        return self._store[self._prefix + name]

    def __setitem__(self, name: str, value: object) -> None:
        self._store[self._prefix + name] = value

    def __delitem__(self, name: str) -> None:
        del self._store[self._prefix + name]

    def __iter__(self) -> Iterator[str]:
        # By prefix, not by an index of its own: that is how Hyperopt's stores hold them.
        start = len(self._prefix)
        return (name[start:] for name in self._store if name.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def attachment_name(tid: Tid, name: str) -> str:
    """Returns the store's name for a trial's attachment, as Hyperopt writes it."""
    return f"ATTACH::{tid}::{name}"
