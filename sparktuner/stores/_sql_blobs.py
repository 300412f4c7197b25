"""Attachments in an SQL store: rows of one piece each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.stores._blobs import Blobs, Kind
from sparktuner.stores._sql_database import Database
from sparktuner.stores._sql_schema import BLOBS, PIECES
from sparktuner.stores._sql_statements import LOCK, StoreTime

# Seconds after which a blob without a name is what a writer left that died.
_ABANDONED = 86_400.0
_LONGEST_NAME = 2000
_OF_TRIAL = re.compile(r"ATTACH::(-?\d{1,18})::")


class SqlBlobs(Blobs):
    """Blobs whose pieces are written one by one, and get their name with the last.

    Only the last write holds up others. What a writer that died has left has no name, and is
    removed by whoever writes an attachment a day later.

    Args:
        database: where.
        location: how messages name it.
    """

    def __init__(self, database: Database, location: str) -> None:
        self._database = database
        self._location = location

    def put(self, name: str, kind: Kind, pieces: Iterable[bytes]) -> None:
        key = _key(name)
        blob = uuid.uuid4().hex
        number = 0
        rest = iter(pieces)
        piece = next(rest, None)
        try:
            while (following := next(rest, None)) is not None:
                self._add(blob, number, piece or b"")
                number, piece = number + 1, following
            self._finish(blob, key, kind, number, piece)
        except BaseException:
            with suppress(StoreError):
                self._discard(blob)
            raise

    def _add(self, blob: str, number: int, piece: bytes) -> None:
        """Writes a piece that is not the last."""
        if number == 0:
            with self._database.transaction(*self._begun(blob), write=True):
                pass
        values = {"blob": blob, "number": number, "data": piece}
        with self._database.transaction(sa.insert(PIECES), values, write=True):
            pass

    def _begun(self, blob: str) -> tuple[sa.Executable, dict[str, object]]:
        statement = sa.insert(BLOBS).values(begun=StoreTime())
        return statement, {"id": blob, "kind": "", "pieces": 0}

    def _finish(self, blob: str, key: bytes, kind: Kind, number: int, piece: bytes | None) -> None:
        """Writes the last piece, if there is any, and gives the blob its name."""
        tid = _OF_TRIAL.match(key.decode("utf-8", "replace"))
        with self._database.transaction(LOCK, write=True) as (connection, _):
            if number == 0:
                connection.execute(*self._begun(blob))
            if piece is not None:
                connection.execute(
                    sa.insert(PIECES), {"blob": blob, "number": number, "data": piece}
                )
            abandoned = StoreTime() - _ABANDONED
            remove_blobs(
                connection,
                sa.or_(
                    BLOBS.c.name == key,
                    sa.and_(BLOBS.c.name.is_(None), BLOBS.c.begun < abandoned),
                ),
            )
            named = connection.execute(
                sa.update(BLOBS)
                .where(BLOBS.c.id == blob)
                .values(
                    name=key,
                    kind=kind.value,
                    pieces=number + (piece is not None),
                    tid=int(tid[1]) if tid else None,
                )
            )
            if named.rowcount != 1:
                raise StoreUnavailable(f"{self._location}: an attachment was deleted meanwhile")

    def _discard(self, blob: str) -> None:
        with self._database.transaction(
            sa.delete(PIECES).where(PIECES.c.blob == blob), write=True
        ) as (connection, _):
            connection.execute(sa.delete(BLOBS).where(BLOBS.c.id == blob, BLOBS.c.name.is_(None)))

    def get(self, name: str) -> tuple[Kind, Iterator[bytes]]:
        query = sa.select(BLOBS.c.id, BLOBS.c.kind, BLOBS.c.pieces).where(
            BLOBS.c.name == _key(name)
        )
        with self._database.transaction(query) as (_, result):
            found = result.one_or_none()
        if found is None:
            raise KeyError(name)
        try:
            return Kind(found.kind), self._pieces(name, found.id, int(found.pieces))
        except (TypeError, ValueError):
            raise self._not_whole(name) from None

    def _pieces(self, name: str, blob: str, count: int) -> Iterator[bytes]:
        for number in range(count):
            query = sa.select(PIECES.c.data).where(
                PIECES.c.blob == blob, PIECES.c.number == number
            )
            with self._database.transaction(query) as (connection, result):
                piece = result.scalar_one_or_none()
                if piece is None and not connection.scalar(
                    sa.select(sa.func.count()).select_from(BLOBS).where(BLOBS.c.id == blob)
                ):
                    raise StoreUnavailable(
                        f"attachment {name!r} of {self._location} was replaced or deleted while "
                        "it was read; read it again"
                    )
            if not isinstance(piece, bytes):
                raise self._not_whole(name)
            yield piece

    def _not_whole(self, name: str) -> StoreError:
        return StoreError(
            f"attachment {name!r} of {self._location} is not whole; delete it, or write it anew"
        )

    def remove(self, name: str) -> None:
        with self._database.transaction(LOCK, write=True) as (connection, _):
            if not remove_blobs(connection, BLOBS.c.name == _key(name)):
                raise KeyError(name)

    def names(self, prefix: str) -> Iterator[str]:
        start = _key(prefix)
        query = sa.select(BLOBS.c.name).where(BLOBS.c.name >= start).order_by(BLOBS.c.name)
        if start:
            # UTF-8 has no byte 255, so this is the first name that does not start so.
            query = query.where(BLOBS.c.name < start[:-1] + bytes([start[-1] + 1]))
        with self._database.transaction(query) as (_, result):
            keys = list(result.scalars())
        try:
            return iter([bytes(key).decode("utf-8", "surrogatepass") for key in keys])
        except UnicodeDecodeError as error:
            raise StoreError(
                f"{BLOBS.name} in {self._location} has a name that is no text: {error}"
            ) from None


def remove_blobs(
    connection: sa.Connection,
    condition: sa.ColumnElement[bool],
    parameters: dict[str, Any] | None = None,
) -> int:
    """Removes blobs and their pieces, and returns how many there were."""
    chosen = sa.select(BLOBS.c.id).where(condition)
    connection.execute(sa.delete(PIECES).where(PIECES.c.blob.in_(chosen)), parameters)
    return connection.execute(sa.delete(BLOBS).where(condition), parameters).rowcount


def _key(name: str) -> bytes:
    """The bytes of any name, in the order of the names."""
    key = name.encode("utf-8", "surrogatepass")
    if len(key) > _LONGEST_NAME:
        raise ValueError(
            f"an attachment's name has at most {_LONGEST_NAME} bytes, got {len(key)}: "
            f"{name[:40]!r}…"
        )
    return key
