"""Being an owner: a lease that is renewed for as long as a search lives."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sparktuner.errors import StoreError
from sparktuner.records._store import TrialStore

_log = logging.getLogger("sparktuner")

# Two renewals may fail before the lease runs out.
_RENEWALS_PER_LEASE = 3.0


@contextmanager
def held_lease(store: TrialStore, owner: str) -> Iterator[None]:
    """Holds an owner's lease, and releases it at the end.

    A thread renews it, because the search's own may be inside the objective for hours.
    """
    store.renew(owner)
    ended = threading.Event()
    thread = threading.Thread(
        target=_keep_renewing, args=(store, owner, ended), name="sparktuner-lease", daemon=True
    )
    # A search in one process needs no thread for it.
    if math.isfinite(store.lease):
        thread.start()
    try:
        yield
    finally:
        # The thread first, so that it cannot renew what was just released.
        ended.set()
        if thread.is_alive():
            thread.join()
        try:
            store.release(owner)
        except StoreError as error:  # it runs out by itself
            _log.warning("the search's lease could not be ended, and runs out: %s", error)


def _keep_renewing(store: TrialStore, owner: str, ended: threading.Event) -> None:
    while not ended.wait(store.lease / _RENEWALS_PER_LEASE):
        try:
            store.renew(owner)
        except Exception as error:  # a thread's border; the store may come back in time
            _log.warning(
                "the search's lease could not be renewed, which is tried again: %r", error
            )
