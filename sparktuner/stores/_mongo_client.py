"""The way to a MongoDB server: what a URL means, one client a process, and whose errors it has."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

from bson.codec_options import DatetimeConversion
from bson.errors import BSONError
from pymongo import MongoClient, errors
from pymongo.collection import Collection
from pymongo.database import Database

from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.stores._turns import Turn
from sparktuner.stores._urls import shown

Json: TypeAlias = dict[str, Any]

# Milliseconds. A server that does not answer within these is gone for now.
_TIMEOUTS = {"serverSelectionTimeoutMS": 5000, "connectTimeoutMS": 5000, "socketTimeoutMS": 20000}
_JOBS = "jobs"
_FORM = "mongodb://host:port/database or mongo://host:port/database/jobs"
# Not authorised, not authenticated, and what Atlas says.
_REFUSED = (13, 18, 8000)
# Timed out, shutting down, not primary any more, no room.
_LATER = (50, 91, 189, 262, 11600, 11602, 14031)
# Where a URL names a user and no password, as that of an unpickled store does.
PASSWORD = "SPARKTUNER_STORE_PASSWORD"


@dataclass(frozen=True)
class Place:
    """Where a store's documents are.

    Attributes:
        url: for the driver: the server, and the options of the connection.
        database: its name.
        jobs: the name of the collection of documents.
    """

    url: str
    database: str
    jobs: str


def place_of(url: str) -> Place:
    """Returns what a URL names: ``mongodb://host/db``, or Hyperopt's ``mongo://host/db/jobs``.

    Raises:
        ValueError: it names no database, or more than a database and a collection.
    """
    parts = urlsplit(url)
    if "@" in parts.path:
        # Not shown: the password may be anywhere in it.
        raise ValueError(
            "the URL of the MongoDB store has an @ behind its host; write / as %2F, : as %3A and "
            "@ as %40 in user and password"
        )
    names = [unquote(name) for name in parts.path.split("/") if name]
    if not 1 <= len(names) <= 2 or not parts.netloc:
        raise ValueError(f"{shown(url)} names no database of MongoDB; write {_FORM}")
    scheme = "mongodb" if parts.scheme == "mongo" else parts.scheme
    database = parts.path.split("/")[1]
    server = urlunsplit((scheme, parts.netloc, f"/{database}", parts.query, ""))
    return Place(server, names[0], names[1] if len(names) == 2 else _JOBS)


def without_password(url: str) -> str:
    """Returns a URL without its password, which is then looked for in the environment."""
    return re.sub(r"^([^:/@]+://[^:/@]*):[^@/]*@", r"\1@", url)


class Connection:
    """A client of this process's own, which connects when it is first used.

    Attributes:
        database: the database.
        jobs: the collection of documents.
        lock: held by the thread that writes.
        turn: of that thread; None while nobody writes.
    """

    def __init__(self, place: Place) -> None:
        parts = urlsplit(place.url)
        given = {pair.partition("=")[0].lower() for pair in parts.query.split("&")}
        options: Json = {n: ms for n, ms in _TIMEOUTS.items() if n.lower() not in given}
        if parts.username and parts.password is None and PASSWORD in os.environ:
            options["password"] = os.environ[PASSWORD]
        self._pid = os.getpid()
        self._client: MongoClient[Json] = MongoClient(
            place.url,
            appname="sparktuner",
            connect=False,
            tz_aware=False,
            uuidRepresentation="standard",
            # A year that Python has no date for is no reason not to read the others.
            datetime_conversion=DatetimeConversion.DATETIME_AUTO,
            # What is said to be written is on the disk.
            journal=True,
            **options,
        )
        self.database: Database[Json] = self._client[place.database]
        self.jobs: Collection[Json] = self.database[place.jobs]
        self.lock = threading.RLock()
        self.turn: Turn | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it was made in this process: a client does not survive a fork."""
        return self._pid == os.getpid()

    def beside(self, name: str) -> Collection[Json]:
        """Returns a collection of the store's own, which Hyperopt does not know of."""
        return self.database[f"{self.jobs.name}.sparktuner{name}"]

    def now(self) -> Any:
        """Returns the server's clock, naive UTC."""
        return self._client.admin.command("hello")["localTime"]

    def close(self) -> None:
        """Closes it, if it is this process's own."""
        if self.is_ours:
            self._client.close()


@contextmanager
def translated(location: str) -> Iterator[None]:
    """Raises the driver's errors as ours: they name the server, and hold no password."""
    try:
        yield
    except (errors.PyMongoError, BSONError, OverflowError) as error:
        # The driver's own may hold the URL, so it is no cause of ours.
        raise _ours(error, location) from None


def _ours(error: Exception, location: str) -> StoreError:
    if isinstance(error, errors.InvalidURI | errors.ConfigurationError):
        # The text may quote what it could not read, a password for example.
        return StoreError(
            f"the URL of {location} cannot be used ({type(error).__name__}); check its host, its "
            "options, that there is a password for its user (in the URL, with / : @ as %2F %3A "
            f"%40, or in {PASSWORD}), and for mongodb+srv:// its DNS records"
        )
    code = getattr(error, "code", None)
    text = f"{location}: {type(error).__name__}: {str(error)[:300]}"
    if code in _REFUSED:
        return StoreError(f"{text}; check user, password, their rights, and authSource in the URL")
    gone = isinstance(error, errors.ConnectionFailure | errors.WTimeoutError)
    if gone or code in _LATER or getattr(error, "timeout", False):
        return StoreUnavailable(f"{text}; is the server up, and can this machine reach it?")
    return StoreError(text)
