"""Attachments in GridFS, laid out so that Hyperopt finds ours and we find Hyperopt's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import gridfs
from pymongo.errors import WriteError

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.stores._blobs import Blobs, Kind
from sparktuner.stores._bson import is_text
from sparktuner.stores._mongo_client import Connection, Json, translated

# Names that are no text as servers keep it are JSON behind this.
_ESCAPE = "sparktuner-json:"
_OF_TRIAL = re.compile(r"ATTACH::(-?\d{1,20})::(.*)", re.DOTALL)
# A trial's files, as its document lists them: (name, id of the file).
_LISTED = "_attachments"
_NEWEST = [("uploadDate", -1), ("_id", -1)]


class GridBlobs(Blobs):
    """Blobs as files of GridFS.

    A file's name is the attachment's. A trial's document lists the files that belong to it, as
    Hyperopt has it; of those that Hyperopt wrote, that list is all there is to find them by.
    A file is there once all its pieces are; a writer that dies before leaves pieces that no
    name leads to.

    Args:
        connect: returns the connection.
        location: of the store, for messages.
        writing: surrounds a change of a trial's document.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        location: str,
        writing: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._connect = connect
        self._location = location
        self._writing = writing

    def put(self, name: str, kind: Kind, pieces: Iterable[bytes]) -> None:
        with translated(self._location):
            connection = self._connect()
            files = gridfs.GridFS(connection.database)
            older = [file["_id"] for file in self._files_of(connection, name)]
            metadata = {"kind": kind.value, "jobs": connection.jobs.name, **(_job_of(name) or {})}
            file = files.new_file(filename=_to_text(name), metadata={"sparktuner": metadata})
            try:
                for piece in pieces:
                    file.write(piece)
            except BaseException:
                file.abort()
                raise
            file.close()
            self._list(connection, name, file._id)
            # Those that were there before, and no others: two writers must not delete both.
            remove_files(connection, older)

    def get(self, name: str) -> tuple[Kind, Iterator[bytes]]:
        with translated(self._location):
            connection = self._connect()
            found = self._files_of(connection, name)
        if not found:
            raise KeyError(name)
        # Hyperopt's are bytes or text.
        kind = _ours(found[0]).get("kind", "bytes")
        if kind not in [each.value for each in Kind]:
            raise StoreError(
                f"attachment {name!r} of {self._location} is of the kind {kind!r}, which this "
                "version of sparktuner does not know"
            )
        return Kind(kind), self._read(connection, name, found[0])

    def remove(self, name: str) -> None:
        with translated(self._location):
            connection = self._connect()
            found = self._files_of(connection, name)
            if not found:
                raise KeyError(name)
            self._list(connection, name, None)
            remove_files(connection, [file["_id"] for file in found])

    def names(self, prefix: str) -> Iterator[str]:
        with translated(self._location):
            connection = self._connect()
            query: Json = {"$or": [_starts_with(_ESCAPE), _starts_with(prefix)]}
            if not is_text(prefix):
                query = _starts_with(_ESCAPE)
            files = connection.database.fs.files.find(query, {"filename": 1, "metadata": 1})
            found = {
                _from_text(file["filename"])
                for file in files
                if _is_of(file, connection.jobs.name) and isinstance(file["filename"], str)
            }
            found.update(self._listed_names(connection, prefix))
        return iter(sorted(name for name in found if name.startswith(prefix)))

    def list_files(self, connection: Connection, names: Iterable[str]) -> None:
        """Lists files in their trials' documents that were written before those were."""
        for name in names:
            for file in self._files_of(connection, name)[:1]:
                self._push(connection, name, file["_id"])

    def _list(self, connection: Connection, name: str, file: object) -> None:
        query = _job_of(name)
        if query is None or connection.jobs.find_one(query, {"_id": 1}) is None:
            return
        with self._writing():
            self._push(connection, name, file)

    def _push(self, connection: Connection, name: str, file: object) -> None:
        """Puts a file into its trial's list, in place of another one of its name."""
        match, query = _OF_TRIAL.fullmatch(name), _job_of(name)
        if match is None or query is None:
            return
        document = connection.jobs.find_one(query, {_LISTED: 1}) or {}
        own = _to_text(match[2])
        listed = [list(entry) for entry in _listed(document) if entry[0] != own]
        if file is not None:
            listed.append([own, file])
        # Neither the version nor the revision: the trial itself is what it was. FerretDB knows
        # no lists of lists, so there Hyperopt would not find it; by its name it is found.
        with suppress(WriteError):
            connection.jobs.update_one(query, {"$set": {_LISTED: listed}})

    def _files_of(self, connection: Connection, name: str) -> list[Json]:
        """The files of a name, the newest first."""
        files = connection.database.fs.files
        query = {"filename": _to_text(name)}
        found = [f for f in files.find(query, sort=_NEWEST) if _is_of(f, connection.jobs.name)]
        if found or (job := _job_of(name)) is None:
            return found
        document = connection.jobs.find_one(job, {_LISTED: 1}) or {}
        own = _to_text(name.split("::", 2)[2])
        ids = [file for listed, file in _listed(document) if listed == own]
        return list(files.find({"_id": {"$in": ids}}, sort=_NEWEST)) if ids else []

    def _listed_names(self, connection: Connection, prefix: str) -> Iterator[str]:
        query: Json = {_LISTED: {"$exists": True}}
        if (job := _job_of(prefix)) is not None:
            query.update(job)
        for document in connection.jobs.find(query, {"tid": 1, _LISTED: 1}):
            for name, _ in _listed(document):
                yield f"ATTACH::{document['tid']}::{_from_text(name)}"

    def _read(self, connection: Connection, name: str, file: Json) -> Iterator[bytes]:
        """Yields the pieces of a file; what it claims of its length reserves no memory."""
        with translated(self._location):
            read = 0
            chunks = connection.database.fs.chunks
            query = {"files_id": file["_id"]}
            for n, chunk in enumerate(chunks.find(query, sort=[("n", 1)], batch_size=4)):
                if chunk.get("n") != n or not isinstance(chunk.get("data"), bytes):
                    break
                read += len(chunk["data"])
                yield chunk["data"]
            if read == file.get("length"):
                return
            there = connection.database.fs.files.find_one({"_id": file["_id"]}, {"_id": 1})
        if there is None:
            raise StoreUnavailable(
                f"attachment {name!r} of {self._location} was replaced while it was read; read it "
                "again"
            )
        raise StoreError(
            f"attachment {name!r} of {self._location} is not whole: {read} of "
            f"{file.get('length')!r} bytes; delete it, or write it again"
        )


def remove_files(connection: Connection, ids: list[Any]) -> None:
    """Deletes files with their pieces."""
    if ids:
        # Names first: what has none is not found any more.
        connection.database.fs.files.delete_many({"_id": {"$in": ids}})
        connection.database.fs.chunks.delete_many({"files_id": {"$in": ids}})


def remove_files_of(connection: Connection, tids: list[Any] | None) -> None:
    """Deletes the files of these trials, or of None all of the store's, and nobody else's."""
    query: Json = {"metadata.sparktuner.jobs": connection.jobs.name}
    jobs: Json = {_LISTED: {"$exists": True}}
    if tids is not None:
        query["metadata.sparktuner.tid"] = {"$in": tids}
        jobs["tid"] = {"$in": tids}
    ids = [file["_id"] for file in connection.database.fs.files.find(query, {"_id": 1})]
    for document in connection.jobs.find(jobs, {_LISTED: 1}):
        ids += [file for _, file in _listed(document)]
    remove_files(connection, ids)


def _is_of(file: Json, jobs: str) -> bool:
    # Other collections of the database have files too; Hyperopt's say nothing of theirs.
    return bool(_ours(file).get("jobs", jobs) == jobs)


def _ours(file: Json) -> Json:
    metadata = file.get("metadata")
    ours = metadata.get("sparktuner") if isinstance(metadata, dict) else None
    return ours if isinstance(ours, dict) else {}


def _listed(document: Json) -> list[tuple[str, Any]]:
    entries = document.get(_LISTED)
    return [
        (entry[0], entry[1])
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
    ]


def _job_of(name: str) -> Json | None:
    """The query for the trial that an attachment of this name belongs to."""
    match = _OF_TRIAL.fullmatch(name)
    return None if match is None or abs(int(match[1])) >= 2**63 else {"tid": int(match[1])}


def _starts_with(prefix: str) -> Json:
    return {"filename": {"$regex": "^" + re.escape(prefix)}}


def _to_text(name: str) -> str:
    if is_text(name) and not name.startswith(_ESCAPE):
        return name
    return _ESCAPE + json.dumps(name)


def _from_text(text: str) -> str:
    if not text.startswith(_ESCAPE):
        return text
    try:
        return str(json.loads(text[len(_ESCAPE) :]))
    except ValueError:  # somebody else's name
        return text
