"""A folder as a bucket: of this machine, of a network, or a mounted cloud volume."""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.stores._blobs import PIECE
from sparktuner.stores._bucket import LARGEST, Bucket, Found

# Files are written here first, and get their name when they are whole.
_UNFINISHED = ".unfinished"
_ABANDONED = 3600.0  # seconds
# What mounted volumes answer to a link or a rename that they do not know.
_NOT_KNOWN = frozenset(
    {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EXDEV, errno.EMLINK}
)
_PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN}
    | {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EBUSY, errno.EHOSTDOWN, errno.ENOMEM}
)


class Folder(Bucket):
    """Objects as files below a folder, which is made when the first is written.

    A file is written under another name and then linked to its own, which fails where there is
    one; a name is never seen without all of its bytes. Where the file system knows no hard
    links, as mounted cloud volumes, the file is created under its own name (``O_EXCL``) and
    written from the beginning to the end.

    Args:
        root: the folder.
        location: of the store, for messages.
    """

    resolution = 0.05

    def __init__(self, root: Path, location: str) -> None:
        self.location = location
        self._root = root
        self._links = True
        self._renames = True

    def create(self, key: str, data: bytes) -> bool:
        path = self._root / key
        with self._errors(path):
            if path.exists():
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            if self._links:
                created = self._create_linked(path, data)
                if created is not None:
                    return created
                self._links = False
            return _create_in_place(path, data)

    def _create_linked(self, path: Path, data: bytes) -> bool | None:
        """Returns whether a file was created; None where hard links are not known."""
        with self._unfinished([data]) as unfinished:
            try:
                os.link(unfinished, path)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno in _NOT_KNOWN:
                    return None
                raise
            return True

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        path = self._root / key
        with self._errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if self._renames:
                with self._unfinished(pieces) as unfinished:
                    try:
                        os.replace(unfinished, path)
                        return
                    except OSError as error:
                        if error.errno not in _NOT_KNOWN:
                            raise
                    self._renames = False
                    with unfinished.open("rb") as source:
                        _write(path, iter(lambda: source.read(PIECE), b""))
                    return
            _write(path, pieces)

    @contextmanager
    def _unfinished(self, pieces: Iterable[bytes]) -> Iterator[Path]:
        path = self._root / _UNFINISHED / uuid.uuid4().hex
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(path, pieces)
            yield path
        finally:
            with suppress(OSError):
                path.unlink()

    def get(self, key: str) -> bytes | None:
        path = self._root / key
        with self._errors(path):
            try:
                with path.open("rb") as file:
                    if os.fstat(file.fileno()).st_size > LARGEST:
                        raise StoreError(f"{path} is no file of sparktuner: it is too large")
                    return file.read()
            except FileNotFoundError:
                return None

    def open(self, key: str) -> Iterator[bytes]:
        path = self._root / key
        with self._errors(path):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                raise KeyError(key) from None

        def pieces() -> Iterator[bytes]:
            with self._errors(path), file:
                yield from iter(lambda: file.read(PIECE), b"")

        return pieces()

    def list(self, folder: str, after: str = "") -> list[Found]:
        with self._errors(self._root / folder):
            return sorted(self._found(folder, after), key=lambda one: one.key)

    def _found(self, folder: str, after: str) -> Iterator[Found]:
        try:
            entries = list(os.scandir(self._root / folder))
        except FileNotFoundError:
            return
        for entry in entries:
            key = folder + entry.name
            # A link may lead anywhere, and none is ours.
            if key > after and not entry.is_dir(follow_symlinks=False):
                # Somebody may have removed it meanwhile.
                with suppress(FileNotFoundError):
                    yield Found(key, entry.stat(follow_symlinks=False).st_mtime)
            elif entry.is_dir(follow_symlinks=False):
                yield from self._found(f"{key}/", after)

    def remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            path = self._root / key
            with self._errors(path), suppress(FileNotFoundError):
                path.unlink()

    def is_empty(self) -> bool:
        with self._errors(self._root):
            try:
                # Hidden files are other programs' notes about any folder.
                return all(name.startswith(".") for name in os.listdir(self._root))
            except FileNotFoundError:
                return True

    def sweep(self) -> None:
        with suppress(OSError):
            for entry in os.scandir(self._root / _UNFINISHED):
                if time.time() - entry.stat().st_mtime > _ABANDONED:
                    os.unlink(entry.path)

    @contextmanager
    def _errors(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = f"{path}: {error.strerror or error}"
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreUnavailable(
                    f"{self.location} has no room left ({reason}); make room, and what was not "
                    "written can be written again"
                ) from error
            if error.errno in _PASSING:
                raise StoreUnavailable(f"{self.location} does not answer ({reason})") from error
            raise StoreError(
                f"{self.location} cannot be used ({reason}); it must be a folder in which this "
                "user may create and remove files"
            ) from error


def _create_in_place(path: Path, data: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            _sync(file.fileno())
    except BaseException:
        # Half a file would be in everybody's way.
        with suppress(OSError):
            path.unlink()
        raise
    return True


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        _sync(file.fileno())


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Mounted volumes write when the file is closed.
        if error.errno not in _NOT_KNOWN:
            raise
