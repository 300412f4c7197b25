"""Folders of file systems that fsspec knows, such as HDFS: for one driver at a time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import fsspec

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.stores._blobs import PIECE
from sparktuner.stores._bucket import LARGEST, Bucket, Found

_UNFINISHED = ".unfinished"


class FsspecFolder(Bucket):
    """Objects as files of a file system that fsspec opens.

    A file is written under another name and renamed when it is whole. Neither fsspec nor every
    file system behind it can create a file only if there is none, so two drivers that write at
    the same moment may both believe that they were first; one driver at a time is safe.

    Args:
        url: as fsspec reads it.
        location: of the store, for messages.
    """

    resolution = 1.0

    def __init__(self, url: str, location: str) -> None:
        self.location = location
        with self._errors():
            self._files, path = fsspec.core.url_to_fs(url)
            self._root = str(path).rstrip("/")

    def create(self, key: str, data: bytes) -> bool:
        with self._errors():
            if self._files.exists(self._path(key)):
                return False
            self._write(key, [data])
            return True

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        with self._errors():
            self._write(key, pieces)

    def _write(self, key: str, pieces: Iterable[bytes]) -> None:
        target = self._path(key)
        unfinished = self._path(f"{_UNFINISHED}/{uuid.uuid4().hex}")
        for path in (target, unfinished):
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            with self._files.open(unfinished, "wb") as file:
                for piece in pieces:
                    file.write(piece)
            if self._files.exists(target):
                self._files.rm_file(target)
            self._files.mv(unfinished, target)
        finally:
            with suppress(Exception):
                self._files.rm_file(unfinished)

    def get(self, key: str) -> bytes | None:
        try:
            pieces = self.open(key)
        except KeyError:
            return None
        data = b""
        for piece in pieces:
            data += piece
            if len(data) > LARGEST:
                raise StoreError(f"{key} in {self.location} is too large to be sparktuner's")
        return data

    def open(self, key: str) -> Iterator[bytes]:
        with self._errors():
            try:
                file = self._files.open(self._path(key), "rb")
            except FileNotFoundError:
                raise KeyError(key) from None

        def pieces() -> Iterator[bytes]:
            with self._errors(), file:
                yield from iter(lambda: file.read(PIECE), b"")

        return pieces()

    def list(self, folder: str, after: str = "") -> list[Found]:
        with self._errors():
            self._files.invalidate_cache()
            try:
                details = self._files.find(self._path(folder.rstrip("/")), detail=True)
            except FileNotFoundError:
                return []
        found = [
            Found(path.partition(f"{self._root}/")[2], _modified(info))
            for path, info in details.items()
        ]
        return sorted((one for one in found if one.key > after), key=lambda one: one.key)

    def remove(self, keys: Sequence[str]) -> None:
        with self._errors():
            for key in keys:
                with suppress(FileNotFoundError):
                    self._files.rm_file(self._path(key))

    def is_empty(self) -> bool:
        with self._errors():
            try:
                paths = self._files.ls(self._root, detail=False)
            except FileNotFoundError:
                return True
            return all(path.rpartition("/")[2].startswith(".") for path in paths)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, KeyError):
            raise
        except (PermissionError, ImportError, ValueError) as error:
            raise StoreError(f"{self.location} cannot be used: {error}") from error
        except OSError as error:
            raise StoreUnavailable(f"{self.location} does not answer: {error}") from error


def _modified(info: dict[str, Any]) -> float:
    for name in ("mtime", "modified", "LastModified", "created"):
        value = info.get(name)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return 0.0
