"""Keeping a log of objects quick to read: many of them in one, and old ones removed."""

from __future__ import annotations

import logging

from sparktuner.errors import StoreError
from sparktuner.stores import _object_history
from sparktuner.stores._bucket import Bucket, Found
from sparktuner.stores._object_layout import (
    FAN_OUT,
    LEVELS,
    OWNERS,
    log_folder,
    log_index,
    log_key,
)
from sparktuner.stores._object_log import Entry, pack, superseded, unpack

_log = logging.getLogger("sparktuner")

# Bundles that are missing are made as far back as this many: their writers may have died.
_BACK = 64
# Seconds after which nobody asks any more whether an owner lives.
_FORGOTTEN_OWNER = 86400.0


def tidy(bucket: Bucket, number: int) -> None:
    """Makes bundles of the entries up to ``number``, and removes what older bundles hold.

    A bundle is created like an entry, and all writers would make the same one of its entries,
    so it does not matter who does, or who dies half way. What is in a bundle too is removed
    when that is an hour old, after all who may have looked for it by its name.
    """
    try:
        for level in range(1, LEVELS):
            if (number + 1) % FAN_OUT**level:
                break
            _make_missing(bucket, level, (number + 1) // FAN_OUT**level - 1)
            _remove_bundled(bucket, level)
        _remove_owners(bucket)
        bucket.sweep()
    except StoreError as error:
        # What was to be written is; the log is only slower to read, until the next one comes by.
        _log.warning("%s could not be tidied up, which is tried again: %s", bucket.location, error)


def _make_missing(bucket: Bucket, level: int, last: int) -> None:
    first = max(last - _BACK, 0)
    after = log_key(level, first - 1) if first else ""
    there = {log_index(found.key) for found in bucket.list(log_folder(level), after)}
    for index in range(first, last + 1):
        if index not in there:
            _make(bucket, level, index)


def _make(bucket: Bucket, level: int, index: int) -> None:
    children = range(index * FAN_OUT, (index + 1) * FAN_OUT)
    entries: list[Entry] = []
    for data in bucket.get_many([log_key(level - 1, child) for child in children]):
        if data is None:
            return
        try:
            entries += unpack(data)
        except ValueError as error:
            raise StoreError(f"one of the {FAN_OUT} objects of a bundle: {error}") from error
    if len(entries) == FAN_OUT**level:
        bucket.create(log_key(level, index), pack(superseded(entries)))


def _remove_bundled(bucket: Bucket, level: int) -> None:
    bundles = bucket.list(log_folder(level))
    if not bundles:
        return
    # One of them was written just now, by the store's clock.
    oldest = max(bundle.modified for bundle in bundles) - _object_history.GRACE
    old = {log_index(bundle.key) for bundle in bundles if bundle.modified < oldest}
    if not old:
        return

    def is_bundled(found: Found) -> bool:
        index = log_index(found.key)
        return index is not None and index // FAN_OUT in old

    gone = [found.key for found in bucket.list(log_folder(level - 1)) if is_bundled(found)]
    bucket.remove(gone)


def _remove_owners(bucket: Bucket) -> None:
    owners = bucket.list(OWNERS)
    now = max((owner.modified for owner in owners), default=0.0)
    bucket.remove([o.key for o in owners if now - o.modified > _FORGOTTEN_OWNER])
