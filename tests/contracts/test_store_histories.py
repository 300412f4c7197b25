"""Stores that many processes use at once: their recorded calls fit into one order.

``SPARKTUNER_SLOW_STORES=1 python -m pytest tests/contracts/test_store_histories.py`` writes ten
thousand documents to FerretDB too.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest

from sparktuner.errors import StaleTrial, StoreUnavailable
from sparktuner.records import MemoryStore, TrialDocument, TrialStore, new_document
from sparktuner.stores import open_store
from tests.contracts.linearizability import Call, State, first_violation

MONGO = pytest.param("mongo", marks=pytest.mark.service)
STORES = [
    "sqlite",
    "objects",
    *(pytest.param(name, marks=pytest.mark.service) for name in ("postgres", "s3")),
    MONGO,
]
TRIALS = 6
WRITERS = 8
BATCH = 125
# What processes need not import one by one.
_BACK_ENDS = [f"sparktuner.stores.{name}" for name in ("_sql", "_mongo", "_objects")]
Recorded: TypeAlias = list[tuple[int, Call]]


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    kind = request.param
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy")
        return f"sqlite:///{tmp_path}/tuning.db"
    if kind == "objects":
        return f"file://{tmp_path}/trials"
    if kind == "mongo":
        url: str = request.getfixturevalue("mongo_url")
        return url
    server = request.getfixturevalue(kind)
    name = f"h{time.monotonic_ns()}"
    made: str = server.url(name) if kind == "s3" else server.new_database(name)
    return made


@pytest.fixture
def processes() -> Executor:
    """Processes that have inherited nothing of a store: neither threads nor connections."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_BACK_ENDS])
    return ProcessPoolExecutor(WRITERS, mp_context=context)


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Lets threads of this process take turns in the middle of short calls."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def state_of(document: TrialDocument) -> State:
    return document["version"], document["owner"], document["result"].get("value", 0)


def use(store: TrialStore, number: int, rounds: int) -> Recorded:
    """Reads, changes, claims and gives back trials at random; returns what came of it."""
    rng, owner = random.Random(number), f"writer {number}"
    store.renew(owner)
    calls: Recorded = []
    known: dict[int, TrialDocument] = {}

    def timed(call: Callable[[], list[tuple[int, str, State]]]) -> None:
        start = time.monotonic_ns()
        said = call()
        end = time.monotonic_ns()
        calls.extend((tid, Call(start, end, kind, state)) for tid, kind, state in said)

    def read() -> list[tuple[int, str, State]]:
        known.update((document["tid"], document) for document in store.load_since()[0])
        return [(tid, "read", state_of(document)) for tid, document in known.items()]

    def change(changed: list[TrialDocument]) -> list[tuple[int, str, State]]:
        stale: list[object] = []
        wanted = {d["tid"]: (d["version"] + 1, d["owner"], d["result"]["value"]) for d in changed}
        try:
            store.update(changed)
        except StaleTrial as error:
            stale = error.tids
        return [(tid, "stale" if tid in stale else "set", state) for tid, state in wanted.items()]

    def claim() -> list[tuple[int, str, State]]:
        limit = rng.choice([None, None, 1, 2])
        taken = {document["tid"]: document for document in store.claim(owner, "e", limit)}
        known.update(taken)
        passed = [] if limit else [tid for tid in range(TRIALS) if tid not in taken]
        return [
            *((tid, "claim", state_of(document)) for tid, document in taken.items()),
            *((tid, "passed", (0, None, 0)) for tid in passed),
        ]

    timed(read)
    for _ in range(rounds):
        some = rng.sample(sorted(known), rng.randint(1, 3))
        for tid in some:
            # Half of them given back, so that there is something to claim.
            known[tid]["owner"] = rng.choice([owner, None])
            known[tid]["result"]["value"] = rng.getrandbits(40)
        timed(lambda some=some: change([known[tid] for tid in some]))  # type: ignore[misc]
        timed(rng.choice([read, claim]))
    return calls


def use_by_url(url: str, number: int, rounds: int) -> Recorded:
    store = open_store(url)
    try:
        return use(store, number, rounds)
    finally:
        store.close()


def check(histories: list[Recorded]) -> None:
    by_trial: dict[int, list[Call]] = defaultdict(list)
    for tid, call in (entry for history in histories for entry in history):
        by_trial[tid].append(call)
    assert set(by_trial) == set(range(TRIALS))
    for tid, calls in by_trial.items():
        assert first_violation(calls) == "", f"trial {tid}"
    kinds = {call.kind for calls in by_trial.values() for call in calls}
    assert kinds == {"read", "set", "stale", "claim", "passed"}


def test_calls_of_eight_processes_fit_into_one_order(store_url: str, processes: Executor) -> None:
    store = open_store(store_url)
    store.insert([new_document(tid, {}, exp_key="e") for tid in range(TRIALS)])
    with processes:
        running = [processes.submit(use_by_url, store_url, n, 20) for n in range(WRITERS)]
        check([one.result(120) for one in running])
    store.close()


def test_calls_of_eight_threads_fit_into_one_order(often_switched: None) -> None:
    store = MemoryStore()
    store.insert([new_document(tid, {}, exp_key="e") for tid in range(TRIALS)])
    together = threading.Barrier(WRITERS)

    def work(number: int) -> Recorded:
        together.wait(20)
        return use(store, number, 50)

    with ThreadPoolExecutor(WRITERS) as threads:
        check(list(threads.map(work, range(WRITERS))))


def write_a_share(url: str, number: int, share: int) -> int:
    """Inserts one process's trials, in batches, and changes a tenth of them."""
    store = open_store(url)
    tids = range(number * share, (number + 1) * share)
    for first in range(0, share, BATCH):
        some = tids[first : first + BATCH]
        batch = [new_document(tid, {"x": tid / 7}, exp_key="e") for tid in some]
        insisted(lambda batch=batch: store.insert(batch))  # type: ignore[misc]
        insisted(lambda batch=batch: store.update(batch[::10]))  # type: ignore[misc]
    store.close()
    return len(tids)


def insisted(write: Callable[[], None]) -> None:
    """Writes again where the store was too slow: the insertion was taken back, as it says."""
    for again in range(50):
        try:
            return write()
        except StoreUnavailable:
            continue
        except StaleTrial:
            # An update was done, and only its answer came too late.
            assert again
            return None
    raise AssertionError("the store did not answer")


# FerretDB takes minutes for so many, with whose writes every other writer waits.
_ALL = STORES if "SPARKTUNER_SLOW_STORES" in os.environ else [s for s in STORES if s != MONGO]


@pytest.mark.parametrize("store_url", _ALL, indirect=True)
def test_processes_write_ten_thousand_documents(store_url: str, processes: Executor) -> None:
    share = 10_000 // WRITERS
    with processes:
        running = [processes.submit(write_a_share, store_url, n, share) for n in range(WRITERS)]
        assert sum(one.result(1200) for one in running) == 10_000
    store = open_store(store_url)
    documents, token = store.load_since(None, "e")
    assert {d["tid"]: d["version"] for d in documents} == {
        tid: int(tid % BATCH % 10 == 0) for tid in range(10_000)
    }
    assert {d["tid"]: d["misc"]["vals"]["x"] for d in documents} == {
        tid: [tid / 7] for tid in range(10_000)
    }
    assert store.load_since(token, "e")[0] == []
    store.close()


@pytest.mark.parametrize(
    "calls",
    [
        # Two writers have replaced one version: an update is lost.
        [Call(0, 5, "set", (1, None, 7)), Call(1, 6, "set", (1, None, 8))],
        # What is read was replaced before the reading began.
        [Call(0, 1, "set", (1, None, 7)), Call(2, 3, "read", (0, None, 0))],
        # Refused although nobody had written.
        [Call(0, 1, "stale", (1, None, 7)), Call(2, 3, "set", (1, None, 8))],
        # One trial for two claimers.
        [Call(0, 5, "claim", (1, "a", 0)), Call(1, 6, "claim", (1, "b", 0))],
        # Nobody's, and not given to who asked for it.
        [Call(0, 1, "passed", (0, None, 0)), Call(2, 3, "claim", (1, "a", 0))],
        # Claimed while somebody had it.
        [Call(0, 1, "set", (1, "a", 7)), Call(2, 3, "claim", (2, "b", 7))],
        # A claim that brings an older value.
        [Call(0, 1, "set", (1, None, 7)), Call(2, 3, "claim", (2, "b", 0))],
        # What nobody has written.
        [Call(0, 1, "read", (0, None, 9))],
    ],
)
def test_what_fits_into_no_order_is_found(calls: list[Call]) -> None:
    assert first_violation(calls)


def test_what_overlaps_may_come_in_any_order() -> None:
    assert not first_violation(
        [
            Call(0, 9, "set", (2, "a", 8)),
            Call(0, 9, "read", (1, None, 7)),
            Call(0, 9, "stale", (2, None, 5)),
            Call(3, 4, "set", (1, None, 7)),
            Call(0, 9, "passed", (0, None, 0)),
        ]
    )
