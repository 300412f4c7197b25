"""The seam between trials and the place where their documents live."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from sparktuner.records._attachments import Attachments
from sparktuner.records._document import Tid, TrialDocument


class TrialStore(ABC):
    """Keeps trial documents and attachments for one or more drivers.

    Documents go in and come out as copies: to change one, change a copy and :meth:`update` it.
    Each document has at most one owner, the search that made it or runs it. An owner lives as
    long as it renews its lease; what an owner that is gone left behind can be claimed.

    Methods may be called from several threads, and from several processes where the store
    is made for it.

    Attributes:
        lease: seconds, by the store's clock, after which an owner that has not renewed its
            lease counts as gone. Infinite where no driver can go without the store.
        location: where the documents live, in words for messages; it holds no password.
    """

    # By the store's clock: those of drivers on several machines differ.
    lease: float
    location: str

    @property
    @abstractmethod
    def attachments(self) -> Attachments:
        """Large values beside the documents, by name."""

    @abstractmethod
    def allocate(
        self,
        n: int,
        owner: str | None = None,
        exp_key: str | None = None,
        limit: int | None = None,
    ) -> list[Tid]:
        """Returns ``n`` trial ids that nobody has or gets.

        They are above all known and handed out; but ids that were handed to an owner who is
        gone, and that no document has, come first, lowest first, so that a search that was
        killed and goes on makes the trials that it would have made.

        Args:
            n: how many.
            owner: who is to use them; None is somebody who is never gone.
            exp_key: the experiment that ``limit`` is of; None is all of them.
            limit: returns fewer than ``n`` rather than let the experiment have more trials,
                counting its documents, and ids that were handed out for it to owners that
                live; ids of nobody do not count, as they may never be used.
        """

    @abstractmethod
    def allocated(self, owner: str) -> list[Tid]:
        """Returns the ids that were handed out to an owner, and that no document has yet.

        Lowest first. An owner who got no answer to :meth:`allocate` finds here what it would
        have been.
        """

    @abstractmethod
    def insert(self, documents: Iterable[TrialDocument]) -> None:
        """Adds documents, all or none, as they are: state, owner and version included.

        Raises:
            InvalidTrial: one has the id of a document that is there already.
        """

    @abstractmethod
    def update(self, documents: Iterable[TrialDocument]) -> None:
        """Writes changed documents, and counts up ``version`` in each that was written.

        Raises:
            StaleTrial: the stored version of some is another one, or they are gone, so
                somebody else has written or deleted them; the others were written.
        """

    @abstractmethod
    def load_since(
        self, token: object = None, exp_key: str | None = None
    ) -> tuple[list[TrialDocument], object]:
        """Returns the documents that changed, and the token for the next call.

        Args:
            token: what an earlier call returned; None is the beginning.
            exp_key: only documents of this experiment; None is all of them.

        Returns:
            Documents inserted or updated since ``token``, new ones in the order of their
            insertion; the same version of a document may come twice.
        """

    @abstractmethod
    def claim(
        self, owner: str, exp_key: str | None = None, limit: int | None = None
    ) -> list[TrialDocument]:
        """Takes trials that nobody runs, in the order of their insertion.

        Those are the ones in state NEW or RUNNING that have no owner, or one that is gone.
        They become NEW, and the caller's, or as :func:`begin_again` has it; no trial is handed
        to two callers.

        Args:
            owner: the caller, who must have renewed a lease.
            exp_key: only trials of this experiment; None is all of them.
            limit: no more than so many.
        """

    @abstractmethod
    def renew(self, owner: str) -> None:
        """Lets an owner live for another :attr:`lease` from now."""

    @abstractmethod
    def release(self, owner: str) -> None:
        """Ends an owner's lease: what it has not finished can be claimed at once."""

    @abstractmethod
    def owners(self) -> list[str]:
        """Returns the owners that live."""

    @abstractmethod
    def delete_all(self, exp_key: str | None = None) -> None:
        """Forgets all documents and attachments; with ``exp_key``, those of that experiment."""

    def close(self) -> None:
        """Lets go of files and connections; the store opens them again when it is used."""
        return
