"""A cloud's bucket, through obstore: S3 and what speaks its protocol, Google, Azure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import from_url

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.stores._bucket import LARGEST, Bucket, Found

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

# obstore's threads are not in a process that was forked from this one; there it waits for ever.
_LOADED_IN = os.getpid()
# Each wait ends within seconds; what is large may take as long as something comes.
_TIMEOUTS: ClientConfig = {"connect_timeout": "3s", "read_timeout": "5s", "timeout": "1h"}
_RETRIES: RetryConfig = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=8),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=1),
        "base": 2,
    },
}
# Larger objects are sent in parts of this size, smaller ones in one request.
_PART = 8 << 20
_PARTS_AT_ONCE = 3
_READERS = 16
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")
_STATUS = re.compile(r"status code: (\d\d\d)")
# Answers that another try may change: too early, conflict, too many, and the server's own faults.
_PASSING = re.compile(r"408|409|425|429|5\d\d")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class Cloud(Bucket):
    """Objects in a cloud's bucket.

    Args:
        url: ``s3://bucket/folder``, ``gs://``, ``az://``; its query holds options of obstore
            (``?endpoint=http://host:9000&region=…``), which go before the environment's.
        location: of the store, for messages.
    """

    # S3 tells whole seconds.
    resolution = 1.0

    def __init__(self, url: str, location: str) -> None:
        self.location = location
        self._url = url
        self._opened: ObjectStore | None = None

    @property
    def _store(self) -> ObjectStore:
        if os.getpid() != _LOADED_IN:
            raise StoreError(
                f"{self.location} cannot be used in a process that was forked from one that had "
                "opened such a store; start it with multiprocessing's method 'spawn'"
            )
        if self._opened is None:
            with self._errors():
                self._opened = _opened(self._url)
        return self._opened

    def create(self, key: str, data: bytes) -> bool:
        with self._errors():
            try:
                obstore.put(self._store, key, data, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        pieces = iter(pieces)
        first: list[bytes] = []
        while sum(map(len, first)) < _PART:
            piece = next(pieces, None)
            if piece is None:
                with self._errors():
                    obstore.put(self._store, key, b"".join(first), use_multipart=False)
                return
            first.append(piece)
        with self._errors():
            obstore.put(
                self._store,
                key,
                chain([b"".join(first)], pieces),
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )

    def get(self, key: str) -> bytes | None:
        with self._errors():
            try:
                result = obstore.get(self._store, key)
                if result.meta["size"] > LARGEST:
                    raise StoreError(f"{key} in {self.location} is too large to be sparktuner's")
                return bytes(result.bytes())
            except FileNotFoundError as error:
                self._refuse_without_bucket(error)
                return None

    def get_many(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        if len(keys) < 2:
            return super().get_many(keys)
        with ThreadPoolExecutor(min(_READERS, len(keys))) as pool:
            return list(pool.map(self.get, keys))

    def open(self, key: str) -> Iterator[bytes]:
        with self._errors():
            try:
                result = obstore.get(self._store, key)
            except FileNotFoundError as error:
                self._refuse_without_bucket(error)
                raise KeyError(key) from None

        def pieces() -> Iterator[bytes]:
            with self._errors():
                for piece in result:
                    yield bytes(piece)

        return pieces()

    def list(self, folder: str, after: str = "") -> list[Found]:
        with self._errors():
            stream = obstore.list(self._store, folder, offset=after or None, chunk_size=1000)
            found = [
                Found(one["path"], one["last_modified"].timestamp())
                for page in stream
                for one in page
            ]
        return sorted(found, key=lambda one: one.key)

    def remove(self, keys: Sequence[str]) -> None:
        if keys:
            with self._errors():
                obstore.delete(self._store, list(keys))

    def is_empty(self) -> bool:
        with self._errors():
            return not any(obstore.list(self._store, chunk_size=1))

    def close(self) -> None:
        self._opened = None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            self._refuse_without_bucket(error)
            raise
        except BaseError as error:
            # Not `from error`: its text holds addresses, which may be signed.
            raise self._translated(error) from None

    def _refuse_without_bucket(self, error: Exception) -> None:
        if any(words in str(error) for words in _NO_BUCKET):
            raise StoreError(
                f"{self.location}: there is no such bucket, or it is another account's; create "
                "it, or mend the URL"
            ) from None

    def _translated(self, error: Exception) -> StoreError:
        self._refuse_without_bucket(error)
        status = _STATUS.search(str(error))
        reason = _reason(error)
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or (
            status is not None and not _PASSING.fullmatch(status[1])
        ):
            return StoreError(
                f"{self.location} refuses the request ({reason}): look at the credentials "
                "(for S3 AWS_ACCESS_KEY_ID and its kin), the region and what they may do: list, "
                "read, create and delete objects"
            )
        return StoreUnavailable(f"{self.location} does not answer as it should ({reason})")


def _reason(error: Exception) -> str:
    """One line of an error of obstore, without addresses and what they may give away."""
    text = str(error).partition("\n\nDebug source")[0]
    code = re.search(r"<Code>(\w+)</Code>", text)
    line = re.sub(r"\S+://\S+", "…", text.partition("<?xml")[0].split("\n", 1)[0])
    return f"{code[1]}: {line[:300]}" if code else line[:300]


def _opened(url: str) -> ObjectStore:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    endpoints = [options.get("endpoint"), *(os.environ.get(name) for name in _ENDPOINTS)]
    endpoint = next((one for one in endpoints if one), "")
    timeouts: ClientConfig = {**_TIMEOUTS, "allow_http": endpoint.startswith("http://")}
    if endpoint and parts.scheme in ("s3", "s3a"):
        options["endpoint"] = endpoint
    # The three clouds' options differ, and obstore refuses what is none of theirs.
    config = cast("S3Config", options)
    return from_url(bare, config=config, client_options=timeouts, retry_config=_RETRIES)
