"""A file to which every change of trials is appended, and which is a pickle as well.

Programs that come from Hyperopt read the file that ``trials_save_file`` names with
``pickle.load``. So its framing is that of a pickle: a call of one function here, whose argument
is a list of byte strings, the records. Nothing else of pickle's is in it, and this module
reads the records by their lengths, without unpickling anything.
"""

from __future__ import annotations

import io
import json
import os
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import IO, Any, cast

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.records import Tid, TrialDocument, validate_document
from sparktuner.stores import _codec
from sparktuner.stores._blobs import PIECE, Blobs, Kind
from sparktuner.stores._keeping import LARGEST_IN_DOCUMENT, keeper

# Pickle's protocol 4, the function to call, and an empty list for the records. A later layout
# calls a function of another name.
_HEADER = b"\x80\x04csparktuner.trials\nload_records_1\n]"
_ANY_HEADER = b"\x80\x04csparktuner.trials\nload_records_"
# A record: BINBYTES, its length, its bytes, APPEND. The end: TUPLE1, REDUCE, STOP.
_RECORD, _APPEND, _TRAILER = b"B", b"a", b"\x85R."
_LENGTH = struct.Struct("<I")
_LONGEST_RECORD = 2**32 - 1
# A journal is written anew when it is so much larger than what it holds.
_MOST_WASTE, _LEAST_WASTE = 0.5, 1 << 20


@dataclass
class _Blob:
    """An attachment in the file: where its pieces are."""

    kind: Kind
    pieces: list[tuple[int, int]]  # offset and length in bytes


@dataclass
class _Contents:
    """What a journal says up to its last whole record."""

    documents: dict[Tid, bytes] = field(default_factory=dict)
    blobs: dict[str, _Blob] = field(default_factory=dict)
    # Pieces of attachments that are not whole yet.
    uploads: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    end: int = 0  # in bytes


class JournalFile(Blobs):
    """Trials in one file, which only grows while it is written.

    Each record is a line of JSON, and bytes after it. A process that dies while it writes
    leaves a last record that is not whole: it is left out by readers, and overwritten by the
    next writer. One process writes at a time (see :mod:`._lock`).

    Args:
        path: the file; it is made by the first record.

    Raises:
        StoreError: the file is no journal, or is corrupt before its last record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._contents = _Contents()
        self._next_upload = 0
        # What was in the file, where there is none.
        self._memory: io.BytesIO | None = None
        self.read()

    # --- reading

    @classmethod
    def of_records(cls, records: Iterable[bytes]) -> JournalFile:
        """Returns a journal that has been read already, by ``pickle.load``; it is not written."""
        journal = cls(Path("the pickled trials"))
        journal._memory = memory = io.BytesIO()
        for record in records:
            line, _, data = record.partition(b"\n")
            _apply(json.loads(line), data, memory.tell(), journal._contents)
            memory.write(data)
        return journal

    def again(self) -> JournalFile:
        """Returns the journal as it is now, which another search may have written anew."""
        return self if self._memory is not None else JournalFile(self.path)

    def read(self) -> None:
        """Reads the file from its beginning."""
        self.close()
        self._contents = _Contents()
        with suppress(FileNotFoundError), self._errors(), self.path.open("rb") as file:
            _replay(file, self._contents, self.path)

    def documents(self) -> list[TrialDocument]:
        """Returns the last version of each document, in the order of the ids.

        They were written in that of the trials' ends.
        """
        tids = sorted(self._contents.documents, key=_in_order)
        return [self._document(tid, self._contents.documents[tid]) for tid in tids]

    def _document(self, tid: Tid, text: bytes) -> TrialDocument:
        try:
            return validate_document(cast(TrialDocument, _codec.loads(text)))
        except Exception as error:  # whatever somebody else's text makes of it
            raise StoreError(
                f"trial {tid} in {self.path} is no trial document: {error}"
            ) from error

    # --- writing

    def put_documents(self, documents: Iterable[TrialDocument]) -> None:
        """Appends documents, in place of those with the same ids."""
        for document in documents:
            text = _codec.dumps(document, keeper(document, self.put), LARGEST_IN_DOCUMENT).encode()
            tid = document["tid"]
            self._append({"document": _codec.dumps(tid)}, text)
            self._contents.documents[tid] = text
        self.flush()

    def put(self, name: str, kind: Kind, pieces: Iterable[bytes]) -> None:
        upload = f"{os.getpid()}.{self._next_upload}"
        self._next_upload += 1
        spans = [self._append({"piece": upload}, piece) for piece in pieces]
        self._append({"attachment": name, "kind": kind.value, "upload": upload})
        self._contents.blobs[name] = _Blob(kind, spans)
        self.flush()

    def get(self, name: str) -> tuple[Kind, Iterator[bytes]]:
        blob = self._contents.blobs[name]
        return blob.kind, self._pieces(blob)

    def _pieces(self, blob: _Blob) -> Iterator[bytes]:
        if self._memory is not None:
            buffer = self._memory.getbuffer()
            yield from (bytes(buffer[offset : offset + n]) for offset, n in blob.pieces)
            return
        with self._errors(), self.path.open("rb") as file:
            for offset, length in blob.pieces:
                file.seek(offset)
                yield file.read(length)

    def size(self, name: str) -> int:
        """Returns how many bytes are kept under a name."""
        return sum(length for _, length in self._contents.blobs[name].pieces)

    def remove(self, name: str) -> None:
        del self._contents.blobs[name]
        self._append({"remove": name})
        self.flush()

    def names(self, prefix: str) -> Iterator[str]:
        return (name for name in list(self._contents.blobs) if name.startswith(prefix))

    def compact(self) -> None:
        """Writes the file anew, with what it holds and no more; atomically."""
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the file, because a rename is atomic only within one file system.
        descriptor, temporary = tempfile.mkstemp(
            dir=self.path.parent, prefix=f".{self.path.name}."
        )
        os.close(descriptor)
        os.unlink(temporary)
        try:
            new = JournalFile(Path(temporary))
            for name, blob in self._contents.blobs.items():
                new.put(name, blob.kind, self._pieces(blob))
            for tid, text in self._contents.documents.items():
                new._append({"document": _codec.dumps(tid)}, text)
                new._contents.documents[tid] = text
            new._opened()
            new.sync()
            new.close()
            with self._errors():
                os.replace(temporary, self.path)
            self._contents = new._contents
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise

    def tidy(self) -> None:
        """Writes the file anew where it has become much larger than what it holds."""
        held = sum(map(len, self._contents.documents.values())) + sum(
            length for blob in self._contents.blobs.values() for _, length in blob.pieces
        )
        waste = self._contents.end - held
        if waste > _LEAST_WASTE and waste > _MOST_WASTE * self._contents.end:
            self.compact()

    def flush(self) -> None:
        """Hands everything to the system, so that a process that dies loses nothing."""
        if self._file is not None:
            with self._errors():
                # The next record takes the trailer's place.
                self._file.write(_TRAILER)
                self._file.flush()
                self._file.seek(self._contents.end)

    def sync(self) -> None:
        """Has the system write everything, so that a machine that dies loses nothing."""
        if self._file is not None:
            self.flush()
            with self._errors():
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file; the next record opens it again."""
        file, self._file = self._file, None
        if file is not None:
            with self._errors():
                file.close()

    def _append(self, head: Mapping[str, Any], data: bytes = b"") -> tuple[int, int]:
        """Writes one record; where its data is."""
        line = json.dumps(head).encode() + b"\n"
        length = len(line) + len(data)
        if length > _LONGEST_RECORD:
            raise StoreError(f"a record of {length} bytes is too long for {self.path}")
        begin = _RECORD + _LENGTH.pack(length) + line
        file = self._opened()
        try:
            with self._errors():
                file.write(begin + data + _APPEND)
        except BaseException:
            # A part of it may be there: the next record overwrites it.
            self.close_quietly()
            raise
        start = self._contents.end + len(begin)
        self._contents.end = start + len(data) + len(_APPEND)
        return start, len(data)

    def close_quietly(self) -> None:
        """Closes the file, whatever it says."""
        with suppress(StoreError):
            self.close()
        self._file = None

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            with self._errors():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("r+b" if self.path.exists() else "w+b", PIECE)
                if self._contents.end == 0:
                    self._file.write(_HEADER)
                    self._contents.end = len(_HEADER)
                # A record that is not whole, of a process that died.
                self._file.truncate(self._contents.end)
                self._file.seek(self._contents.end)
        return self._file

    def _errors(self) -> _Errors:
        return _Errors(self.path)


class _Errors:
    """Turns the system's errors into the store's."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, FileNotFoundError):
            return
        if isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError):
            raise StoreError(f"{self._path} cannot be used: {error.strerror}") from error
        if isinstance(error, OSError):
            raise StoreUnavailable(
                f"{self._path} cannot be written or read now: {error.strerror}"
            ) from error


def is_journal(path: Path) -> bool:
    """Returns whether a file begins as a journal does, of this version or a later one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(_ANY_HEADER)) == _ANY_HEADER


def _replay(file: IO[bytes], contents: _Contents, path: Path) -> None:
    header = file.read(len(_HEADER))
    if header != _HEADER:
        # Empty, or of a process that died while it began the file.
        if not _HEADER.startswith(header):
            raise StoreError(_not_a_journal(header + file.read(80), path))
        return
    contents.end = len(header)
    frame = len(_RECORD) + _LENGTH.size
    while (begin := file.read(frame)).startswith(_RECORD) and len(begin) == frame:
        (length,) = _LENGTH.unpack(begin[len(_RECORD) :])
        record = file.read(length + len(_APPEND))
        if len(record) < length + len(_APPEND):
            return  # the record that a process died with
        try:
            if not record.endswith(_APPEND):
                raise ValueError("a record without its end")
            line, _, data = record[: -len(_APPEND)].partition(b"\n")
            _apply(json.loads(line), data, contents.end + frame + len(line) + 1, contents)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _corrupt(path, contents.end, repr(error)) from error
        contents.end += frame + length + len(_APPEND)
    # The trailer, or nothing, or what a machine that died makes of the end of a file.
    if begin.strip(b"\0") and not _TRAILER.startswith(begin[: len(_TRAILER)]):
        raise _corrupt(path, contents.end, f"{begin!r} is no record")


def _corrupt(path: Path, offset: int, why: str) -> StoreError:
    return StoreError(
        f"{path} is corrupt at byte {offset}: {why}; nothing was changed. Restore it from a copy, "
        "or cut it off there to go on with what is before"
    )


def _apply(head: Mapping[str, Any], data: bytes, start: int, contents: _Contents) -> None:
    if "document" in head:
        contents.documents[_codec.loads(head["document"])] = data
    elif "piece" in head:
        contents.uploads.setdefault(head["piece"], []).append((start, len(data)))
    elif "attachment" in head:
        pieces = contents.uploads.pop(head["upload"], [])
        contents.blobs[head["attachment"]] = _Blob(Kind(head["kind"]), pieces)
    elif "remove" in head:
        contents.blobs.pop(head["remove"], None)
    else:
        raise ValueError(f"an unknown record {sorted(head)}")


def _not_a_journal(header: bytes, path: Path) -> str:
    if header.startswith(_ANY_HEADER):
        return f"{path} was written by a later version of sparktuner; use that one"
    if header.startswith(b"\x80"):
        return (
            f"{path} is a pickle, as earlier versions and Hyperopt wrote it; reading it runs "
            "whatever is in it, so it is not read here. Where you trust it: sparktuner import "
            f"{path} --trust-pickle --store sqlite:///tuning.db"
        )
    return f"{path} holds no saved trials; name another file"


def _in_order(tid: Tid) -> tuple[bool, int, str]:
    """Sorts ids of any kind: numbers as such, and those of other tools by what they look like."""
    is_number = isinstance(tid, Integral)
    return not is_number, int(tid) if is_number else 0, repr(tid)
