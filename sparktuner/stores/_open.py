"""From a URL to a store."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable

from sparktuner import checks
from sparktuner.errors import MissingExtra
from sparktuner.records import TrialStore
from sparktuner.stores._urls import shown

# Scheme -> (module, class, extra). Modules are imported on use: each needs a library.
_SQL = ("_sql", "SqlStore", "sql")
_MONGO = ("_mongo", "MongoStore", "mongo")
_OBJECTS = ("_objects", "ObjectStore", "objects")
_KINDS = {
    "sqlite": _SQL,
    "postgresql": _SQL,
    "postgres": _SQL,
    "mongodb": _MONGO,
    "mongodb+srv": _MONGO,
    "mongo": _MONGO,
    "s3": _OBJECTS,
    "s3a": _OBJECTS,
    "gs": _OBJECTS,
    "az": _OBJECTS,
    "abfs": _OBJECTS,
    "abfss": _OBJECTS,
    "hdfs": _OBJECTS,
    "file": _OBJECTS,
}
# Cloud storage that is mounted: it knows no locks, no appending and no renaming.
_MOUNTED = ("/Volumes/", "/dbfs/")
_EXAMPLES = "'sqlite:///tuning.db', 'postgresql://user@host/db', 's3://bucket/folder'"


def open_store(store: str | os.PathLike[str] | TrialStore) -> TrialStore:
    """Returns the store that a URL names; a store is returned as it is.

    Args:
        store: ``sqlite:///tuning.db`` (a file below the working directory; four slashes for an
            absolute path), ``postgresql://user@host/db``, ``mongodb://host/db``,
            ``s3://bucket/folder``, ``gs://``, ``az://``, ``file:///folder``, or a folder below
            ``/Volumes/`` or ``/dbfs/``.

    Raises:
        ValueError: there is no store for it; the message says which there are.
        MissingExtra: its library is not installed.
        StoreError: it cannot be opened.
    """
    if isinstance(store, TrialStore):
        return store
    if not isinstance(store, str | os.PathLike):
        raise TypeError(
            f"store must be a URL, such as {_EXAMPLES}, or an object whose class derives from "
            f"TrialStore, got {checks.shown(store)}"
        )
    url = _url(os.fspath(store))
    return _class_of(url)(url)


def is_made(url: str) -> bool:
    """Returns whether a store has been made; to find out nothing is made.

    Only databases are asked: other stores are made with their first trial.

    Raises:
        ValueError, MissingExtra, StoreError: as :func:`open_store` does.
    """
    url = _url(url)
    ask: Callable[[str], bool] = getattr(_class_of(url), "is_made", lambda url: True)
    return ask(url)


def _url(text: str) -> str:
    return f"file://{text.replace('%', '%25')}" if text.startswith(_MOUNTED) else text


def _class_of(url: str) -> Callable[[str], TrialStore]:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9.-]*(?:\+srv)?)(?:\+\w+)?://", url)
    if scheme is None:
        raise ValueError(f"store must be a URL, such as {_EXAMPLES}, got {shown(url)!r}")
    if scheme[1].lower() not in _KINDS:
        raise ValueError(
            f"there is no store for {scheme[1]}://; there are {', '.join(sorted(_KINDS))}"
        )
    module, name, extra = _KINDS[scheme[1].lower()]
    try:
        found = importlib.import_module(f"sparktuner.stores.{module}")
    except ImportError as error:
        raise MissingExtra(
            f"{shown(url)} needs {error.name}, which is not installed: "
            f"pip install 'sparktuner[{extra}]'"
        ) from error
    made: Callable[[str], TrialStore] = getattr(found, name)
    return made
