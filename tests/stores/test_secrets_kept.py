"""A password is in nothing that a search on a PostgreSQL server leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import cloudpickle
import pytest

from sparktuner import ThreadTrials, fmin, hp
from tests.servers.postgres import PASSWORD, PostgresServer, require_postgres


@pytest.fixture
def url() -> Iterator[str]:
    require_postgres()
    server = PostgresServer()
    try:
        server.start()
        yield server.new_database("secrets")
    finally:
        server.remove()


def test_a_search_leaves_no_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert PASSWORD in url
    trials = ThreadTrials(2, store=url)
    with caplog.at_level(logging.DEBUG):
        fmin(abs, hp.uniform("x", -1, 1), max_evals=4, trials=trials, rstate=0, verbose=False)
    store = trials.store
    kept = [store.attachments.read_bytes(n) for n in store.attachments.names("")]
    shown = f"{trials!r} {store!r} {store.location} {trials.all_trials} {kept} {caplog.text}"
    assert PASSWORD not in shown
    assert PASSWORD.encode() not in cloudpickle.dumps(lambda: trials)
