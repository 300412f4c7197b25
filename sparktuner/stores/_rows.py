"""What stores share that outlive the process: documents as rows, values as attachments."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeAlias, cast

from sparktuner.errors import InvalidTrial, StaleTrial, StoreError
from sparktuner.records import (
    Attachments,
    Tid,
    TrialDocument,
    TrialStore,
    begin_again,
    validate_document,
)
from sparktuner.stores import _codec
from sparktuner.stores._blobs import BlobAttachments, Blobs
from sparktuner.stores._codec import Keep
from sparktuner.stores._keeping import LARGEST_IN_DOCUMENT, keeper

# Seconds. Longer than a garbage collection or a short outage, shorter than anybody's patience.
LEASE = 60.0
_COLUMNS = ("tid", "exp_key", "state", "owner", "version")


@dataclass(frozen=True)
class Row:
    """A document as a back end keeps it.

    Attributes:
        tid: as in the document; so are ``exp_key``, ``state``, ``owner`` and ``version``.
        text: the rest of it, as the codec writes it, or as the back end's own ``_encoded`` does.
    """

    tid: int
    exp_key: str | None
    state: int
    owner: str | None
    version: int
    text: Any


# Hands a row on to its new owner: the row as it is to be, of the next version.
Reclaim: TypeAlias = Callable[[Row], Row]


class RowStore(TrialStore):
    """A store whose back end keeps rows and blobs, and knows nothing of what is in them.

    A derived class brings :meth:`_insert_rows`, :meth:`_update_rows`, :meth:`_rows_since`,
    :meth:`_claim_rows`, :attr:`_blobs`, and the rest of :class:`TrialStore`.

    Attributes:
        lease: see :class:`TrialStore`.
        location: see :class:`TrialStore`.
    """

    def __init__(self, location: str, lease: float = LEASE) -> None:
        self.location = location
        self.lease = lease

    # --- what a back end brings

    @property
    @abstractmethod
    def _blobs(self) -> Blobs:
        """Where attachments are kept."""

    @abstractmethod
    def _insert_rows(self, rows: Sequence[Row]) -> None:
        """Adds rows, all or none, and takes their ids from those that were handed out.

        Raises:
            InvalidTrial: :func:`taken` makes it: an id is there already.
        """

    @abstractmethod
    def _update_rows(self, rows: Sequence[Row]) -> list[Tid]:
        """Writes rows over those of the same ``tid`` and ``version``, as the next version.

        Returns:
            The ids for which there is no such row; all others were written.
        """

    @abstractmethod
    def _rows_since(self, token: object, exp_key: str | None) -> tuple[list[Row], object]:
        """Returns rows as :meth:`load_since` does documents."""

    @abstractmethod
    def _claim_rows(
        self, owner: str, exp_key: str | None, limit: int | None, reclaim: Reclaim
    ) -> list[Row]:
        """Writes what ``reclaim`` makes of rows that can be claimed, and returns that."""

    # --- documents

    @property
    def attachments(self) -> Attachments:
        return BlobAttachments(self._blobs, self.location)

    def insert(self, documents: Iterable[TrialDocument]) -> None:
        rows = [self._row(document) for document in documents]
        if len({row.tid for row in rows}) < len(rows):
            raise InvalidTrial("two of the documents have the same tid")
        if rows:
            self._insert_rows(rows)

    def update(self, documents: Iterable[TrialDocument]) -> None:
        documents = list(documents)
        if not documents:
            return
        stale = self._update_rows([self._row(document) for document in documents])
        for document in documents:
            if document["tid"] not in stale:
                document["version"] += 1
        if stale:
            raise StaleTrial(stale)

    def load_since(
        self, token: object = None, exp_key: str | None = None
    ) -> tuple[list[TrialDocument], object]:
        rows, token = self._rows_since(token, exp_key)
        return [self._document(row) for row in rows], token

    def claim(
        self, owner: str, exp_key: str | None = None, limit: int | None = None
    ) -> list[TrialDocument]:
        claimed: dict[Tid, TrialDocument] = {}

        def reclaim(row: Row) -> Row:
            document = self._document(row)
            if begin_again(document, owner):
                claimed[row.tid] = document
            document["version"] += 1
            # In the back end's transaction, in which no attachment can be written; and what
            # was read here has its attachments already.
            return self._row(document, keep_large=False)

        rows = self._claim_rows(owner, exp_key, limit, reclaim)
        return [claimed[row.tid] for row in rows if row.tid in claimed]

    def _row(self, document: TrialDocument, keep_large: bool = True) -> Row:
        tid = document["tid"]
        if not isinstance(tid, Integral):
            raise InvalidTrial(
                f"{self.location} keeps trials whose tid is an integer, got {tid!r}"
            )

        rest = {k: v for k, v in document.items() if k not in _COLUMNS}
        keep = keeper(document, self._blobs.put) if keep_large else None
        try:
            text = self._encoded(rest, keep)
        except _codec.NotPlain as error:
            raise StoreError(
                f"trial {tid} cannot be written to {self.location}: {error}"
            ) from error
        return Row(
            int(tid),
            document["exp_key"],
            document["state"],
            document["owner"],
            document["version"],
            text,
        )

    def _encoded(self, rest: dict[str, Any], keep: Keep | None) -> Any:
        """Returns what a row holds of a document beside the columns.

        Args:
            rest: of the document.
            keep: what keeps large values and those that have no form here; None where the
                document was read from here, and has none that were not here before.

        Raises:
            NotPlain: without ``keep``, something inside cannot be encoded.
        """
        return _codec.dumps(rest, keep, None if keep is None else LARGEST_IN_DOCUMENT)

    def _decoded(self, text: Any) -> dict[str, Any]:
        """Returns what :meth:`_encoded` was called on; nothing that is read is executed."""
        rest: dict[str, Any] = _codec.loads(text)
        return rest

    def _document(self, row: Row) -> TrialDocument:
        try:
            document = {
                **self._decoded(row.text),
                **{name: getattr(row, name) for name in _COLUMNS},
            }
            return validate_document(cast(TrialDocument, document))
        except Exception as error:  # whatever somebody else's text makes of it
            raise StoreError(
                f"trial {row.tid} in {self.location} is no trial document ({error}); mend it "
                "there, or take it out"
            ) from error


def taken(tids: Sequence[object]) -> InvalidTrial:
    """Returns the error of an insertion whose ids are there already."""
    return InvalidTrial(f"there is a trial with tid {tids[0]!r} already")
