"""Trials as documents of MongoDB, in Hyperopt's layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparktuner.records import attachment_name
from sparktuner.stores._bson import from_bson, to_bson
from sparktuner.stores._codec import Keep, Kept, Lost, NotPlain
from sparktuner.stores._keeping import LARGEST_IN_DOCUMENT
from sparktuner.stores._mongo_client import Json
from sparktuner.stores._rows import Row

# Ours in a trial's document, beside Hyperopt's keys: the turn of its last change; and the turn
# of its insertion with its place in it.
REVISION, INSERTED = "_revision", "_inserted"
PLACE_BITS = 20
# What a document has that is no part of the trial.
_OWN = ("_id", "_attachments", REVISION, INSERTED)
_COLUMNS = ("tid", "exp_key", "state", "owner", "version")
# Tuples in memory, lists for Hyperopt, which reads them.
_PAIRS = ("cmd", "error")


@dataclass(frozen=True)
class Body:
    """What a row holds beside the columns.

    Attributes:
        fields: the other keys of the document.
        kept: the attachments that hold parts of it, by name.
    """

    fields: Json
    kept: tuple[str, ...] = ()


def body_of(rest: dict[str, Any], keep: Keep | None) -> Body:
    """Returns a trial without its columns as BSON keeps it.

    Raises:
        NotPlain: without ``keep``, something inside cannot be encoded.
    """
    kept: list[str] = []
    misc: Any = rest["misc"]

    def noted(value: object, path: tuple[object, ...]) -> Kept | Lost:
        if keep is None:
            raise NotPlain(f"a {type(value).__name__} cannot be in a document")
        stands = keep(value, path)
        if isinstance(stands, Kept):
            kept.append(attachment_name(misc["tid"], stands.name))
        return stands

    pairs = {key: list(misc[key]) for key in _PAIRS if isinstance(misc.get(key), tuple)}
    largest = None if keep is None else LARGEST_IN_DOCUMENT
    plain = {**rest, "misc": {**misc, **pairs}}
    fields = {k: to_bson(v, noted, largest, (k,)) for k, v in plain.items()}
    return Body(fields, tuple(kept))


def rest_of(body: Body) -> dict[str, Any]:
    """Returns what :func:`body_of` was called on, or the same of what Hyperopt wrote.

    Raises:
        ValueError: a part of it is not of its form.
    """
    rest: dict[str, Any] = from_bson(body.fields)
    misc = rest.get("misc")
    if isinstance(misc, dict):
        # Hyperopt's workers leave a failure beside misc.
        if "error" in rest and "error" not in misc:
            misc["error"] = rest.pop("error")
        misc.update({key: tuple(misc[key]) for key in _PAIRS if isinstance(misc.get(key), list)})
    return rest


def fields_of(row: Row) -> Json:
    """Returns the document's fields, all but those that are ours alone."""
    return {**row.text.fields, **{name: getattr(row, name) for name in _COLUMNS}}


def row_of(document: Json) -> Row:
    """Returns a document as a row; what is wrong with it shows when it is decoded."""
    owner = document.get("owner")
    # Hyperopt's workers are a list of one.
    if isinstance(owner, list):
        owner = ", ".join(map(str, owner))
    return Row(
        document.get("tid"),  # type: ignore[arg-type]
        document.get("exp_key"),
        document.get("state"),  # type: ignore[arg-type]
        owner,
        document.get("version", 0),
        Body({k: v for k, v in document.items() if k not in (*_OWN, *_COLUMNS)}),
    )


def order_of(document: Json) -> tuple[int, str]:
    """Returns the place of a document in the order of insertion.

    Hyperopt's come first, in the order of their object ids, which begin with the time.
    """
    inserted = document.get(INSERTED)
    return inserted if isinstance(inserted, int) else -1, str(document.get("_id"))
