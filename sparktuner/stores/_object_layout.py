"""Where the objects of a store lie in its folder, and whether the folder is one of a store.

::

    sparktuner-store          says what the folder is, and in which layout
    log/0/000000000123        the entry that one call has written
    log/1/000000000002        entries 128 to 191 in one object; log/2 has 64 of those in one, …
    owners/<digest>           written anew by each renewal of a lease
    files/…                   attachments
"""

from __future__ import annotations

import hashlib
import threading

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.stores._bucket import Bucket

_MARK = "sparktuner-store"
_LAYOUT = b"1\n"

# So many objects of one level make one of the next.
FAN_OUT = 64
LEVELS = 4
OWNERS = "owners/"


def log_folder(level: int) -> str:
    """Returns the folder of a level of the log."""
    return f"log/{level}/"


def log_key(level: int, index: int) -> str:
    """Returns the key of entry ``index``, or of bundle ``index`` of a level above 0."""
    return f"{log_folder(level)}{index:012d}"


def log_index(key: str) -> int | None:
    """Returns the number in a key of the log; None where somebody else has put it there."""
    name = key.rpartition("/")[2]
    return int(name) if len(name) == 12 and name.isascii() and name.isdecimal() else None


def owner_key(owner: str) -> str:
    """Returns the key of an owner, whose name may have any length and letters."""
    return OWNERS + hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()


class Home:
    """A folder that is a store's, or may become one.

    Args:
        bucket: the folder.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lock = threading.Lock()
        self._is_marked = False

    def check(self) -> None:
        """Makes sure that there is nothing in the folder that is not a store's.

        Raises:
            StoreError: there is, or it is a store of another version.
        """
        with self._lock:
            if self._is_marked:
                return
            mark = self._bucket.get(_MARK)
            if mark is None and not self._bucket.is_empty():
                # Another writer may have made it one in between.
                mark = self._bucket.get(_MARK)
                if mark is None:
                    raise StoreError(
                        f"{self._bucket.location} holds other files, which stay as they are; "
                        f"name a folder that is empty, or that has a store (a file {_MARK!r})"
                    )
            if mark is not None and mark != _LAYOUT:
                raise StoreError(
                    f"{self._bucket.location} is a store in layout {mark[:20]!r}, and this "
                    f"version of sparktuner knows {_LAYOUT!r}: use the version that made it"
                )
            self._is_marked = mark is not None

    def settle(self) -> None:
        """Makes an empty folder a store's, before the first thing is written.

        Raises:
            StoreError: as :meth:`check` does.
        """
        self.check()
        if self._is_marked:
            return
        # Looked at in any case: without the mark the folder would be nobody's.
        self._bucket.create(_MARK, _LAYOUT)
        self.check()
        if not self._is_marked:
            raise StoreUnavailable(f"{self._bucket.location} refuses to create {_MARK}; try again")
