"""The store of objects: a cloud's bucket, a folder, a mounted volume."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sparktuner.errors import MissingExtra
from sparktuner.records import Tid
from sparktuner.stores._blobs import Blobs
from sparktuner.stores._bucket import Bucket
from sparktuner.stores._folder import Folder
from sparktuner.stores._object_bundles import tidy
from sparktuner.stores._object_files import Files
from sparktuner.stores._object_history import History
from sparktuner.stores._object_layout import FAN_OUT, Home
from sparktuner.stores._object_leases import Leases
from sparktuner.stores._object_log import Entry, Forgotten, HandedOut
from sparktuner.stores._object_state import LogState
from sparktuner.stores._rows import LEASE, Reclaim, Row, RowStore, taken
from sparktuner.stores._urls import shown, split_options, without_secrets


class ObjectStore(RowStore):
    """Keeps trials as small objects that are created once and never changed.

    Each call that changes documents or ids creates one object, the next entry of a log, and
    only if there is none of its number: so what a call writes is there as a whole or not at
    all, and all writers agree on the order. From time to time a writer puts many entries into
    one object, so that opening stays quick.

    A call whose answer was lost looks for its entry. If the store does not answer that either,
    the call raises :class:`~sparktuner.errors.StoreUnavailable` and may have been carried out:
    repeated, an insertion then raises ``InvalidTrial``, and an update ``StaleTrial``.

    Experiments share the log: one that reads its own trials reads the others' too. For many
    large ones, a folder each is quicker.

    Args:
        url: ``s3://bucket/folder``, ``gs://``, ``az://``, ``file:///folder``, ``hdfs://``.
        lease: see :class:`sparktuner.records.TrialStore`; ``?lease=30`` in the URL wins.
    """

    def __init__(self, url: str, *, lease: float = LEASE) -> None:
        base, lease = split_options(url, lease)
        super().__init__(shown(base), lease)
        self._url = url
        self._bucket = _bucket(base, self.location)
        self._begin()

    def _begin(self) -> None:
        """Forgets what it has read, and the locks."""
        self._process = os.getpid()
        self._home = Home(self._bucket)
        self._files = Files(self._bucket, self._home)
        self._leases = Leases(self._bucket, self._home, self.lease)
        self._history = History(self._bucket, self._home)
        self._lock = threading.RLock()

    def _here(self) -> ObjectStore:
        # A forked process has copies of locks that somebody may have held, for ever.
        if self._process != os.getpid():
            self._begin()
        return self

    # --- ids and documents

    def allocate(
        self,
        n: int,
        owner: str | None = None,
        exp_key: str | None = None,
        limit: int | None = None,
    ) -> list[Tid]:
        def change(state: LogState) -> Entry | None:
            tids = state.next_tids(n, owner, exp_key, limit, self._leases.lives())
            return Entry("", handed_out=HandedOut(tuple(tids), owner, exp_key)) if tids else None

        entry = self._commit(change)
        return [] if entry is None or entry.handed_out is None else list(entry.handed_out.tids)

    def allocated(self, owner: str) -> list[Tid]:
        with self._here()._lock:
            return self._history.refresh().allocated(owner)

    def _insert_rows(self, rows: Sequence[Row]) -> None:
        def change(state: LogState) -> Entry:
            known = [row.tid for row in rows if row.tid in state.rows]
            if known:
                raise taken(known)
            return Entry("", tuple(rows))

        self._commit(change)

    def _update_rows(self, rows: Sequence[Row]) -> list[Tid]:
        def change(state: LogState) -> Entry | None:
            fresh = tuple(_next_version(row) for row in rows if _is_present(state, row))
            return Entry("", fresh) if fresh else None

        entry = self._commit(change)
        written = set() if entry is None else {row.tid for row in entry.rows}
        return [row.tid for row in rows if row.tid not in written]

    def _rows_since(self, token: object, exp_key: str | None) -> tuple[list[Row], object]:
        with self._here()._lock:
            state = self._history.refresh()
            since = token if isinstance(token, int) else -1
            return state.changed_since(since, exp_key), state.number

    def _claim_rows(
        self, owner: str, exp_key: str | None, limit: int | None, reclaim: Reclaim
    ) -> list[Row]:
        def change(state: LogState) -> Entry | None:
            rows = state.claimable(owner, exp_key, limit, self._leases.lives())
            return Entry("", tuple(map(reclaim, rows))) if rows else None

        entry = self._commit(change)
        return [] if entry is None else list(entry.rows)

    def delete_all(self, exp_key: str | None = None) -> None:
        """Forgets documents, then attachments: who dies in between leaves some of the latter.

        They are gone after the next deletion of everything.
        """
        gone: list[Tid] = []

        def change(state: LogState) -> Entry:
            gone[:] = [row.tid for row in state.rows.values() if exp_key in (None, row.exp_key)]
            return Entry("", forgotten=Forgotten(exp_key))

        self._commit(change)
        self._files.clear(None if exp_key is None else gone)

    def _commit(self, change: Callable[[LogState], Entry | None]) -> Entry | None:
        with self._here()._lock:
            entry = self._history.commit(change)
            number = self._history.state.number
            if entry is not None and (number + 1) % FAN_OUT == 0:
                tidy(self._bucket, number)
            return entry

    # --- owners

    def renew(self, owner: str) -> None:
        self._here()._leases.renew(owner)

    def release(self, owner: str) -> None:
        self._here()._leases.release(owner)

    def owners(self) -> list[str]:
        """Returns the owners that live."""
        return self._here()._leases.owners()

    # --- the rest

    @property
    def _blobs(self) -> Blobs:
        return self._here()._files

    def close(self) -> None:
        self._bucket.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (without_secrets(self._url),)


def _bucket(url: str, location: str) -> Bucket:
    scheme = urlsplit(url).scheme.lower()
    if scheme == "file":
        # By hand: the name of a folder may hold a `#`.
        host, slash, path = url.partition("://")[2].partition("?")[0].partition("/")
        if host not in ("", "localhost") or not path.strip("/"):
            raise ValueError(
                f"{location}: a folder has three slashes and its whole path: file:///home/me/trials"
            )
        return Folder(Path(unquote(slash + path)), location)
    try:
        if scheme == "hdfs":
            from sparktuner.stores._fsspec import FsspecFolder

            return FsspecFolder(url, location)
        from sparktuner.stores._cloud import Cloud

        return Cloud(url, location)
    except ImportError as error:
        raise MissingExtra(
            f"{location} needs {error.name}, which is not installed: "
            "pip install 'sparktuner[objects]'"
        ) from error


def _is_present(state: LogState, row: Row) -> bool:
    stored = state.rows.get(row.tid)
    return stored is not None and stored.version == row.version


def _next_version(row: Row) -> Row:
    return Row(row.tid, row.exp_key, row.state, row.owner, row.version + 1, row.text)
