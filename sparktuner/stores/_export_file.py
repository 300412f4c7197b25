"""The file that ``sparktuner export`` writes: trials and attachments as JSON.

It is one JSON array, with each entry on a line of its own, so that it is written and read in
pieces however large it is. Documents are as the codec has them; attachments are the bytes that
the store keeps, which nothing here reads as values.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeAlias

from sparktuner.errors import StoreError
from sparktuner.records import TrialDocument, validate_document
from sparktuner.stores import _codec
from sparktuner.stores._blobs import Kind
from sparktuner.stores._keeping import keeper

# An attachment: its name, and its kind and pieces when they are asked for.
RawAttachment: TypeAlias = tuple[str, Kind, Iterator[bytes]]
_FORMAT = 1


def write_export(
    path: Path, documents: Iterable[TrialDocument], attachments: Iterable[RawAttachment]
) -> None:
    """Writes a file, in place of one that is there when all of it is written.

    Raises:
        StoreError: it cannot be written.
    """
    with replaced(path) as file:
        _Writer(file).write(documents, attachments)


@contextmanager
def replaced(path: Path) -> Iterator[IO[str]]:
    """Yields a file of text that takes the place of ``path`` when the block ends well.

    Raises:
        StoreError: it cannot be written.
    """
    with _explained(path):
        # Beside the file, because a rename is atomic only within one file system.
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with _explained(path), os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        with _explained(path):
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            os.unlink(temporary)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class _Writer:
    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._trials = self._attachments = 0

    def write(
        self, documents: Iterable[TrialDocument], attachments: Iterable[RawAttachment]
    ) -> None:
        self._file.write(f"[\n{json.dumps({'sparktuner': 'trials', 'format': _FORMAT})}")
        for document in documents:
            # In one order, whatever store it is from: two exports can be compared.
            ordered = dict(sorted(document.items()))
            # Nothing is kept beside what the codec has written; MongoDB has types of its own.
            text = _codec.dumps(ordered, keeper(document, self._put))
            self._file.write(f',\n{{"trial":{text}}}')
            self._trials += 1
        for name, kind, pieces in attachments:
            self._put(name, kind, pieces)
        end = {"end": {"trials": self._trials, "attachments": self._attachments}}
        self._file.write(f",\n{json.dumps(end)}\n]\n")

    def _put(self, name: str, kind: Kind, pieces: Iterable[bytes]) -> None:
        self._file.write(f",\n{json.dumps({'attachment': name, 'kind': kind.value})}")
        for piece in pieces:
            self._file.write(f',\n{{"piece":"{base64.b64encode(piece).decode()}"}}')
        self._attachments += 1


class ExportFile:
    """A file that :func:`write_export` has written; nothing in it is ever executed.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def documents(self) -> list[TrialDocument]:
        """Returns its trials, after a look at the whole file.

        Raises:
            StoreError: it is not what was written, or not all of it.
        """
        documents: list[TrialDocument] = []
        attachments = 0
        end = None
        for place, entry in self._entries(_codec.loads):
            if end is not None:
                raise self._wrong(place, "it is after the end")
            if "trial" in entry:
                documents.append(self._document(place, entry["trial"]))
            elif "attachment" in entry:
                self._named(place, entry)
                attachments += 1
            elif "piece" in entry:
                self._data(place, entry)
            end = entry.get("end")
        if end != {"trials": len(documents), "attachments": attachments}:
            raise StoreError(f"{self.path} is cut off: its last lines are missing")
        return documents

    def attachments(self) -> Iterator[RawAttachment]:
        """Yields its attachments, of which a piece at a time is in memory.

        The pieces of one must be taken before the next.

        Raises:
            StoreError: one is not as it was written.
        """
        heads = itertools.count()
        head = 0

        def group(entry: tuple[int, dict[str, Any]]) -> int:
            nonlocal head
            head = head if "piece" in entry[1] else next(heads)
            return head

        # Each entry with the pieces that follow it.
        for _, entries in itertools.groupby(self._entries(json.loads), group):
            place, entry = next(entries)
            if "attachment" in entry:
                yield (*self._named(place, entry), (self._data(*piece) for piece in entries))

    def _entries(self, loads: Callable[[str], Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        with self.path.open(encoding="utf-8") as file:
            for place, line in enumerate(file, 1):
                text = line.strip().rstrip(",")
                if text in ("", "[", "]"):
                    continue
                try:
                    entry = loads(text)
                except (ValueError, RecursionError) as error:
                    raise self._wrong(place, str(error)) from error
                if not isinstance(entry, dict):
                    raise self._wrong(place, "it is no object")
                if entry.get("sparktuner") == "trials" and entry.get("format") != _FORMAT:
                    raise StoreError(
                        f"{self.path} was written by another version of sparktuner; use that one"
                    )
                yield place, entry

    def _document(self, place: int, value: Any) -> TrialDocument:
        try:
            value.setdefault("version", 0)
            return validate_document(value)
        except Exception as error:  # whatever somebody else's text makes of it
            raise self._wrong(place, str(error)) from error

    def _data(self, place: int, entry: dict[str, Any]) -> bytes:
        try:
            return base64.b64decode(entry["piece"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise self._wrong(place, f"its piece is no base64, {error!r}") from error

    def _named(self, place: int, entry: dict[str, Any]) -> tuple[str, Kind]:
        name = entry["attachment"]
        try:
            kind = Kind(entry.get("kind"))
        except ValueError as error:
            raise self._wrong(place, str(error)) from error
        if not isinstance(name, str):
            raise self._wrong(place, "an attachment's name must be text")
        return name, kind

    def _wrong(self, place: int, why: str) -> StoreError:
        return StoreError(
            f"line {place} of {self.path} is not as sparktuner export writes it: {why}"
        )
