"""A PostgreSQL server that goes away, stands still, or does not let in."""

from __future__ import annotations

import logging
import pickle
import signal
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("sqlalchemy")

from sparktuner.errors import MissingExtra, StoreError, StoreUnavailable
from sparktuner.records import TrialStore, new_document
from sparktuner.stores import open_store
from tests.servers.postgres import PASSWORD, PostgresServer

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One that may be killed."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.new_database(f"t{uuid.uuid4().hex}")


@pytest.fixture
def opened() -> Iterator[Callable[[str], TrialStore]]:
    stores = []

    def make(url: str) -> TrialStore:
        stores.append(open_store(url))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def count(store: TrialStore) -> int:
    return len(store.load_since()[0])


def told(error: BaseException) -> str:
    """All that anybody can read of an error, its causes included."""
    chain, texts = error, []
    while chain is not None:
        texts += [repr(chain), str(vars(chain)), *traceback.format_exception(chain)]
        chain = chain.__cause__ or chain.__context__
    return "".join(texts)


# --- who is let in


def test_a_wrong_password_is_an_error_that_does_not_show_it(
    server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"postgresql://tuner:wr0ng-word@127.0.0.1:{server.port}/postgres"
    with pytest.raises(StoreError, match="tuner:.*@127.0.0.1.*check user and password") as error:
        open_store(url)
    assert not isinstance(error.value, StoreUnavailable)
    assert "wr0ng-word" not in told(error.value) + caplog.text


@pytest.mark.parametrize("name", ["p/w?x#y", "a@b", "[x"])
def test_no_part_of_a_password_is_shown_however_it_is_written(
    server: PostgresServer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = f"tops3cret{name}tops3cret"
    with pytest.raises((StoreError, ValueError)) as error:
        open_store(f"postgresql://tuner:{secret}@127.0.0.1:{server.port}/postgres")
    assert "tops3cret" not in told(error.value) + caplog.text


def test_a_database_that_is_not_there_must_be_made_first(server: PostgresServer) -> None:
    with pytest.raises(StoreError, match='"nowhere" does not exist; .*createdb') as error:
        open_store(f"{server.server}/nowhere")
    assert PASSWORD not in told(error.value)


def test_a_user_who_may_make_no_tables_is_told(server: PostgresServer, url: str) -> None:
    import psycopg

    name = f"u{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE USER {name} PASSWORD 'guest'")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
    with pytest.raises(StoreError, match="permission denied .* GRANT USAGE, CREATE"):
        open_store(url.replace(f"tuner:{PASSWORD}", f"{name}:guest"))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql+psycopg2"])
def test_other_ways_to_write_the_scheme_are_understood(url: str, scheme: str, opened: Any) -> None:
    store = opened(url.replace("postgresql", scheme, 1))
    store.insert([new_document(0, {})])
    assert count(opened(f"{url}?connect_timeout=3&lease=5")) == 1


def test_a_psycopg_that_waits_for_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    monkeypatch.setattr(psycopg, "__version__", "3.2.1")
    monkeypatch.delitem(sys.modules, "sparktuner.stores._sql_postgres", raising=False)
    monkeypatch.delattr("sparktuner.stores._sql_postgres", raising=False)
    with pytest.raises(MissingExtra, match=r"3.2.13 or later \(psycopg 3.2.1 is there\)"):
        open_store("postgresql://me@localhost/x")


def test_a_pickled_store_has_no_password_and_finds_it_again(
    url: str, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"{url}?lease=5")
    store.insert([new_document(0, {})])
    pickled = pickle.dumps(store)
    assert PASSWORD.encode() not in pickled
    assert PASSWORD not in repr(store) + store.location
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    copy = pickle.loads(pickled)
    assert (count(copy), copy.lease, copy.location) == (1, 5, store.location)
    copy.close()


# --- a server that goes away


def test_a_server_that_is_gone_is_unavailable_until_it_is_back(
    server: PostgresServer, url: str, opened: Any
) -> None:
    store = opened(url)
    store.insert([new_document(0, {})])
    server.kill()
    try:
        with pytest.raises(StoreUnavailable, match="127.0.0.1.* does not answer") as error:
            store.insert([new_document(1, {})])
        with pytest.raises(StoreUnavailable):
            open_store(url)
        assert PASSWORD not in told(error.value)
    finally:
        server.start()
    store.insert([new_document(1, {})])
    assert count(store) == 2


def test_a_restart_that_nobody_saw_is_no_error(
    server: PostgresServer, url: str, opened: Any
) -> None:
    store = opened(url)
    store.insert([new_document(0, {})])
    store.attachments["a"] = b"1" * 3_000_000
    server.kill()
    server.start()
    store.insert([new_document(1, {})])
    server.kill()
    server.start()
    store.attachments["a"] = b"2" * 3_000_000
    server.kill()
    server.start()
    assert count(store) == 2
    assert set(store.attachments["a"]) == set(b"2")


def test_what_was_written_is_there_after_kills_in_mid_call(
    server: PostgresServer, url: str, opened: Any
) -> None:
    store = opened(url)
    written: list[int] = []
    refused: list[StoreError] = []
    others: list[BaseException] = []
    ended = threading.Event()

    def write(first: int) -> None:
        tid = first
        while not ended.is_set():
            try:
                store.insert([new_document(tid, {}), new_document(tid + 1, {})])
                written.extend([tid, tid + 1])
            except StoreUnavailable as error:
                refused.append(error)
                time.sleep(0.05)
            except BaseException as error:
                others.append(error)
                return
            tid += 2

    threads = [threading.Thread(target=write, args=(i * 10**6,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.5)
        server.kill()
        time.sleep(0.2)
        server.start()
    time.sleep(0.5)
    ended.set()
    for thread in threads:
        thread.join()
    assert not others, others
    assert refused
    there = [document["tid"] for document in store.load_since()[0]]
    assert len(there) == len(set(there))
    assert set(written) <= set(there)
    # Both documents of a call, or none.
    assert all(tid ^ 1 in there for tid in there)


def test_a_server_that_stands_still_is_not_waited_for_long(
    server: PostgresServer, url: str, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparktuner.stores import _sql_postgres

    monkeypatch.setattr(_sql_postgres, "_SILENCE", 0.5)
    monkeypatch.setitem(_sql_postgres._PARAMETERS, "connect_timeout", 2)
    store = opened(url)
    store.insert([new_document(0, {})])
    server.signal(signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable, match="does not answer"):
            store.insert([new_document(1, {})])
    finally:
        server.signal(signal.SIGCONT)
    store.insert([new_document(2, {})])
    assert {0, 2} <= {document["tid"] for document in store.load_since()[0]}


def test_a_writer_who_stands_still_is_waited_for_within_bounds(
    url: str, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    from sparktuner.stores import _sql_postgres

    settings = "SET lock_timeout = 200; SET idle_in_transaction_session_timeout = 30000"
    monkeypatch.setattr(_sql_postgres, "_SETTINGS", settings)
    store = opened(url)
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM sparktuner_counter FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            store.insert([new_document(0, {})])
        assert count(store) == 0
    store.insert([new_document(0, {})])


def test_many_that_open_an_empty_database_make_its_tables_once(url: str, opened: Any) -> None:
    failed: list[BaseException] = []

    def use(tid: int) -> None:
        try:
            opened(url).insert([new_document(tid, {})])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=use, args=(tid,)) for tid in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    assert count(opened(url)) == 6
