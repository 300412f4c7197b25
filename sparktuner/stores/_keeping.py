"""What a document may not hold: values that are kept beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from sparktuner.records import TrialDocument, attachment_name
from sparktuner.stores._blobs import Kind, packed, split
from sparktuner.stores._codec import Keep, Kept, Lost

_log = logging.getLogger("sparktuner")

# Bytes: larger arrays and byte strings in a document are kept beside it.
LARGEST_IN_DOCUMENT = 1 << 16


def keeper(document: TrialDocument, put: Callable[[str, Kind, Iterable[bytes]], None]) -> Keep:
    """Returns what keeps the values of a document that cannot be in it.

    Args:
        document: whose values they are.
        put: keeps an attachment, by its name in the store. It is called while the document is
            encoded, so that a document is never there without what it names.
    """
    tid = document["tid"]

    def keep(value: object, path: tuple[object, ...]) -> Kept | Lost:
        name = ".".join(map(str, path))
        try:
            kind, data = packed(value)
        except Exception as error:  # whatever pickling it raises
            _log.warning(
                "trial %s is stored without %s, which cannot be pickled: %s", tid, name, error
            )
            return Lost(type(value).__qualname__)
        put(attachment_name(tid, name), kind, split(data))
        return Kept(name)

    return keep
