"""Whether a store and a tracking server answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sparktuner.errors import StoreUnavailable
from sparktuner.execute import within
from sparktuner.mlflow import ask
from sparktuner.stores import is_made, open_store, shown

# Drivers of databases wait for minutes for a host that does not answer.
_SECONDS = 30.0
# MLflow's own defaults try for minutes.
_IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


def store_answers(url: str) -> str:
    """Returns in words that a store can be used; makes none.

    Raises:
        Exception: it cannot, and whatever its library raises then.
    """
    return _within(_SECONDS, lambda: _ask_store(url))


def _ask_store(url: str) -> str:
    if not is_made(url):
        return f"{shown(url)} can be used; the first search makes it"
    store = open_store(url)
    try:
        alive = len(store.owners())
    finally:
        store.close()
    return f"{store.location} answers; searches and workers on it now: {alive}"


def tracking_answers(uri: str) -> str:
    """Returns in words that a tracking server answers.

    Raises:
        Exception: it does not, and whatever MLflow raises then.
    """
    if not uri.startswith(("http://", "https://", "databricks")):
        return f"{uri} is no server: MLflow makes it when something is written"
    with _environment(_IMPATIENT):
        _within(_SECONDS, lambda: ask(uri))
    return f"{uri} answers"


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Sets variables that the user has not set, for a block."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _within(seconds: float, ask: Callable[[], str]) -> str:
    late = StoreUnavailable(
        f"no answer within {seconds:g} s. Look whether the host's name and port are right, "
        "whether the server runs, and whether a firewall is between"
    )
    return within(seconds, ask, "sparktuner-doctor", late)
