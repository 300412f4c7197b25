"""Attachments as objects: an object each, whose key holds the name in letters that no path has."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator

from sparktuner.errors import StoreError
from sparktuner.records import Tid, attachment_name
from sparktuner.stores._blobs import Blobs, Kind
from sparktuner.stores._bucket import Bucket
from sparktuner.stores._object_layout import Home

_FOLDER = "files/"
_MAGIC = b"sparktuner-file 1 "
# The last bytes: the length of what is in between.
_END = len(b"\n0000000000000000")
_LONGEST_HEAD = 1 << 20
_SAFE = re.compile(r"[^A-Za-z0-9_-]")
# Names are longer than a file's may be; of those the key has a digest, and the object the name.
_LONGEST = 200
_LONGEST_PART = 60


class Files(Blobs):
    """Blobs, an object each: a line with kind and name, the bytes, and how many these are.

    Args:
        bucket: where they lie.
        home: the bucket's folder.
    """

    def __init__(self, bucket: Bucket, home: Home) -> None:
        self._bucket = bucket
        self._home = home

    def put(self, name: str, kind: Kind, pieces: Iterable[bytes]) -> None:
        head = _MAGIC + json.dumps([kind.value, name]).encode() + b"\n"
        if len(head) > _LONGEST_HEAD:
            raise StoreError(f"an attachment's name may have {_LONGEST_HEAD} letters")
        self._home.settle()
        self._bucket.put(file_key(name), _framed(head, pieces))

    def get(self, name: str) -> tuple[Kind, Iterator[bytes]]:
        self._home.check()
        try:
            pieces = self._bucket.open(file_key(name))
        except KeyError:
            raise KeyError(name) from None
        where = f"attachment {name!r} of {self._bucket.location}"
        kind, _, rest = _head(pieces, where)
        return kind, _content(rest, pieces, where)

    def remove(self, name: str) -> None:
        key = file_key(name)
        # A store of objects does not say whether there was something to remove.
        if all(found.key != key for found in self._bucket.list(_folder(name))):
            raise KeyError(name)
        self._bucket.remove([key])

    def names(self, prefix: str) -> Iterator[str]:
        self._home.check()
        for found in self._bucket.list(_folder(prefix)):
            name = self._name(found.key)
            if name is not None and name.startswith(prefix):
                yield name

    def _name(self, key: str) -> str | None:
        if "=h" not in key:
            return _decoded(key)
        try:
            return _head(self._bucket.open(key), key)[1]
        except KeyError:
            return None

    def clear(self, tids: Collection[Tid] | None = None) -> None:
        """Forgets the attachments of trials; with None, all."""
        if tids is None:
            self._bucket.remove([found.key for found in self._bucket.list(_FOLDER)])
            return
        # One listing of all trials' attachments: one for each trial would be thousands.
        folders = {_folder(attachment_name(tid, "")) for tid in tids}
        found = self._bucket.list(_folder("ATTACH::")) if folders else []
        self._bucket.remove([one.key for one in found if _trial_folder(one.key) in folders])


def _trial_folder(key: str) -> str:
    return "".join(f"{part}/" for part in key.split("/")[:3])


def file_key(name: str) -> str:
    """Returns the key of an attachment.

    The first two parts of a name, which tell the trial, are folders, so that the names of one
    trial are listed without those of all others.
    """
    folders, rest = _split(name)
    tail = _encoded(rest)
    if len(tail) > _LONGEST:
        tail = "=h" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return _FOLDER + folders + (tail or "=e")


def _folder(prefix: str) -> str:
    return _FOLDER + _split(prefix)[0]


def _split(name: str) -> tuple[str, str]:
    folders = ""
    for _ in range(2):
        part, separator, rest = name.partition("::")
        encoded = _encoded(part) or "=e"
        if not separator or len(encoded) > _LONGEST_PART:
            break
        folders += encoded + "=s/"
        name = rest
    return folders, name


def _encoded(text: str) -> str:
    def escaped(match: re.Match[str]) -> str:
        data = match[0].encode("utf-8", "surrogatepass")
        return "".join(f"={byte:02X}" for byte in data)

    return _SAFE.sub(escaped, text)


def _decoded(key: str) -> str | None:
    text = key[len(_FOLDER) :].replace("=s/", "::").replace("=e", "")
    data = re.sub(
        rb"=([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode()
    )
    try:
        name = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    # What is not exactly ours is nobody's attachment.
    return name if file_key(name) == key else None


def _framed(head: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    length = 0
    yield head
    for piece in pieces:
        length += len(piece)
        yield piece
    yield b"\n%016x" % length


def _head(pieces: Iterator[bytes], where: str) -> tuple[Kind, str, bytes]:
    """Reads the first line: the kind, the name, and what was read behind it."""
    data = b""
    while b"\n" not in data and len(data) <= _LONGEST_HEAD:
        piece = next(pieces, None)
        if piece is None:
            break
        data += piece
    line, _, rest = data.partition(b"\n")
    try:
        if not line.startswith(_MAGIC):
            raise ValueError(f"it does not start with {_MAGIC!r}")
        kind, name = json.loads(line[len(_MAGIC) :])
        return Kind(kind), str(name), rest
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreError(f"{where} cannot be read: {error}") from error


def _content(rest: bytes, pieces: Iterator[bytes], where: str) -> Iterator[bytes]:
    length = 0
    for piece in pieces:
        # The last bytes are not content, and only the end tells which are the last.
        rest += piece
        if len(rest) > _END:
            length += len(rest) - _END
            yield rest[:-_END]
            rest = rest[-_END:]
    if len(rest) > _END:
        length += len(rest) - _END
        yield rest[:-_END]
        rest = rest[-_END:]
    if rest != b"\n%016x" % length:
        raise StoreError(f"{where} is not whole: it was cut off after {length} bytes")
