"""SQL stores under several processes, under kills, and with documents of any content."""

from __future__ import annotations

import multiprocessing
import uuid
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("sqlalchemy")

from sparktuner.records import TrialDocument, TrialStore, new_document
from sparktuner.stores import open_store
from tests.stores.documents import check_round_trip, documents
from tests.stores.processes import (
    check_drivers,
    check_kills,
    follow_while,
    forked,
    insert_many,
)
from tests.waiting import wait_until


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tuning.db"
    name = f"t{uuid.uuid4().hex}"
    found: str = request.getfixturevalue("postgres").new_database(name)
    return found


@pytest.fixture
def store(url: str) -> Iterator[TrialStore]:
    store = open_store(url)
    yield store
    store.close()


def test_eight_drivers_in_processes_double_nothing_and_lose_nothing(store: TrialStore) -> None:
    check_drivers(store)


def test_a_follower_misses_nothing_that_several_write(store: TrialStore) -> None:
    follow_while(store, lambda: forked(insert_many, [(store, number, 10) for number in range(4)]))


def test_kills_in_mid_call_leave_whole_documents(store: TrialStore) -> None:
    check_kills(store)


def _open_and_insert(url: str, tid: int) -> int:
    store = open_store(url)
    store.insert([new_document(tid, {})])
    return len(store.load_since()[0])


def test_processes_that_open_an_empty_database_at_once_share_it(url: str) -> None:
    forked(_open_and_insert, [(url, tid) for tid in range(8)])
    assert _open_and_insert(url, 8) == 9


def _insert_when_told(store: TrialStore, told: Connection, tids: list[int]) -> None:
    for tid in tids:
        told.recv()
        store.insert([new_document(tid, {})])
        told.send(tid)


def test_a_child_s_trials_outlive_what_its_parent_closes(store: TrialStore) -> None:
    store.insert([new_document(0, {})])
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_insert_when_told, args=(store, theirs, [1, 2]), daemon=True)
    process.start()
    for _ in range(2):
        ours.send("go on")
        assert ours.poll(60.0)
        ours.recv()
        store.load_since()
        store.close()
    process.join(20.0)
    assert [document["tid"] for document in store.load_since()[0]] == [0, 1, 2]


def test_a_lease_runs_out_by_the_store_s_clock(url: str) -> None:
    store = open_store(f"{url}?lease=1.5")
    store.renew("first")
    store.insert([{**new_document(0, {}), "owner": "first"}])
    store.renew("second")
    assert store.claim("second") == []
    claimed: list[TrialDocument] = []

    def taken_over() -> bool:
        store.renew("second")
        claimed.extend(store.claim("second"))
        return bool(claimed)

    wait_until(taken_over)
    store.close()
    assert [(d["tid"], d["owner"]) for d in claimed] == [(0, "second")]


def test_documents_of_any_content_come_back(store: TrialStore) -> None:
    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(documents())
    def check(made: list[TrialDocument]) -> None:
        check_round_trip(store, made)

    check()
