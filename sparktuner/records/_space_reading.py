"""The trials of a log as the space that is searched now has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from sparktuner.records._attachments import ELSEWHERE_PREFIX, Attachments
from sparktuner.records._document import (
    Configuration,
    TrialDocument,
    configuration_of,
    copy_document,
)
from sparktuner.records._space_record import SPACE_PREFIX, DoesNotFit, SpaceRecord, translate


class SpaceReading:
    """Reads trials of other spaces as trials of the present one, where it can make them.

    Documents that name no space, or one that is not described, are taken as they are.

    Args:
        present: the space.
        attachments: of the store, where descriptions are kept by digest.
    """

    def __init__(self, present: SpaceRecord, attachments: Attachments) -> None:
        self.present = present
        self._attachments = attachments
        self._known: dict[str, SpaceRecord] = {}

    def space_of(self, document: TrialDocument) -> SpaceRecord:
        """Returns the space of a trial: the present one, where nothing else is known."""
        digest = document["misc"].get("space", self.present.digest)
        if digest == self.present.digest:
            return self.present
        if digest not in self._known:
            self._known[digest] = described(self._attachments, digest) or self.present
        return self._known[digest]

    def read(self, document: TrialDocument) -> Configuration:
        """Returns a trial's values by the labels, and the indices, of the present space.

        Raises:
            DoesNotFit: the present space cannot make them.
        """
        space, configuration = self.space_of(document), configuration_of(document)
        if space is self.present:
            return configuration
        return translate(configuration, space, self.present)

    def configuration(self, document: TrialDocument) -> Configuration | None:
        """Returns what :meth:`read` does; None where the trial does not fit."""
        try:
            return self.read(document)
        except DoesNotFit:
            return None

    def fits(self, document: TrialDocument) -> bool:
        """Returns whether the present space can make a trial."""
        return self.space_of(document) is self.present or self.configuration(document) is not None

    def take_over(self, document: TrialDocument) -> None:
        """Makes a document one of the present space, in place.

        Raises:
            DoesNotFit: the present space cannot make it.
        """
        misc, tid = document["misc"], document["tid"]
        if self.space_of(document) is self.present:
            # Foreign ones keep whatever columns they have.
            misc["space"] = self.present.digest
            return
        configuration = self.read(document)
        labels = dict.fromkeys(column.label for column in self.present.columns)
        misc["vals"] = {k: [configuration[k]] if k in configuration else [] for k in labels}
        misc["idxs"] = {k: [tid] if k in configuration else [] for k in labels}
        misc["space"] = self.present.digest

    def as_now(self, document: TrialDocument) -> TrialDocument:
        """Returns a trial that fits as one of the present space; itself where it is one."""
        if self.space_of(document) is self.present:
            return document
        copy = copy_document(document)
        self.take_over(copy)
        return copy


def described(attachments: Attachments, digest: str) -> SpaceRecord | None:
    """Returns the space that a store's attachments describe under a digest, or None."""
    try:
        # As bytes: whoever wrote the store must not have a pickle of theirs loaded here.
        return SpaceRecord.loads(attachments.read_bytes(f"{SPACE_PREFIX}{digest}"))
    except (KeyError, TypeError, ValueError, RecursionError):  # none, or no description
        return None


_HIDDEN = (SPACE_PREFIX, ELSEWHERE_PREFIX)


class ShownAttachments(Attachments):
    """Attachments without those that are no user's, such as the descriptions of spaces.

    Args:
        store: all attachments of a store, by name.
    """

    def __init__(self, store: Attachments) -> None:
        self._store = store

    def __getitem__(self, name: str) -> Any:
        return self._store[name]

    def __setitem__(self, name: str, value: object) -> None:
        self._store[name] = value

    def __delitem__(self, name: str) -> None:
        del self._store[name]

    def open(self, name: str) -> BinaryIO:
        return self._store.open(name)

    def write(self, name: str, stream: BinaryIO) -> None:
        self._store.write(name, stream)

    def names(self, prefix: str = "") -> Iterator[str]:
        names = self._store.names(prefix)
        return (name for name in names if not str(name).startswith(_HIDDEN))
