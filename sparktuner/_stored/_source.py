"""Where the trials are that a command looks at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sparktuner._nothing_found import NothingFound
from sparktuner.records import Attachments, TrialDocument, TrialStore
from sparktuner.stores import BlobAttachments, JournalFile, is_made, open_store, shown
from sparktuner.trials import Trials, load_trials


@dataclass(frozen=True)
class Source:
    """Trials of a store or of a save file.

    Attributes:
        store: the URL of a store, or None.
        file: the path of a save file, or None; one of the two is given.
        exp_key: only trials of this experiment; None is all of them.
    """

    store: str | None
    file: str | None
    exp_key: str | None

    def open(self) -> TrialStore:
        """Returns the store; a save file's trials are in one in memory.

        Raises:
            NothingFound: there is none; whoever looks makes none.
            StoreError: it cannot be opened.
            ValueError: the URL names no store.
        """
        if self.store is not None:
            if not is_made(self.store):
                raise NothingFound(
                    f"there is no store at {shown(self.store)}: the first search with it makes it"
                )
            return open_store(self.store)
        assert self.file is not None  # the parser demands one of the two
        if not Path(self.file).exists():
            raise NothingFound(f"there is no file {self.file}")
        return load_trials(self.file).store

    def trials(self) -> Trials:
        """Returns the trials as a search has them, also where there are none yet.

        Raises:
            NothingFound: there is no such place.
        """
        return Trials(store=self.open(), exp_key=self.exp_key)

    def some_trials(self) -> Trials:
        """Returns the trials as a search has them.

        Raises:
            NothingFound: there are none.
        """
        trials = self.trials()
        if not trials.all_trials:
            raise self.without_trials(trials.store)
        return trials

    def without_trials(self, store: TrialStore) -> NothingFound:
        """Returns the error that says that there are no trials."""
        of = "" if self.exp_key is None else f" of exp_key {self.exp_key!r}"
        return NothingFound(f"{self.where(store)} holds no trials{of}")

    def kept(self) -> tuple[list[TrialDocument], Attachments]:
        """Returns trials, and all attachments of the place as they are kept."""
        if self.file is None:
            store = self.open()
            return self.read(store), store.attachments
        journal = JournalFile(Path(self.file))
        documents = journal.documents()
        if self.exp_key is not None:
            documents = [d for d in documents if d["exp_key"] == self.exp_key]
        return documents, BlobAttachments(journal, self.file)

    def named(self) -> str:
        """Returns the place, and the experiment if it is of one, in words for messages."""
        place = shown(self.store) if self.file is None and self.store else self.file
        return f"{place}" if self.exp_key is None else f"{place} of exp_key {self.exp_key!r}"

    def where(self, store: TrialStore) -> str:
        """Returns the place in words for messages, without a password."""
        return store.location if self.file is None else self.file

    def read(self, store: TrialStore) -> list[TrialDocument]:
        """Returns the trials in the order of their insertion."""
        return store.load_since(None, self.exp_key)[0]
