"""Stores that several processes use at once: what they do, and what must hold afterwards."""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from sparktuner.errors import StaleTrial
from sparktuner.records import TrialDocument, TrialStore, new_document
from sparktuner.status import JOB_STATE_DONE

# The trial that everybody changes, each time from what is there.
SHARED = 1_000_000
_PER_ROUND = 3


@dataclass
class Account:
    """What one process says it has done."""

    allocated: list[int] = field(default_factory=list)
    inserted: list[int] = field(default_factory=list)
    claimed: list[int] = field(default_factory=list)
    counted: int = 0
    view: dict[int, int] = field(default_factory=dict)  # tid -> version, from what changed


def forked(work: Callable[..., object], arguments: Iterable[tuple[Any, ...]]) -> list[Any]:
    """What each call returns, all at once, each in a process that is a fork of this one."""
    context = multiprocessing.get_context("fork")
    running: list[tuple[BaseProcess, Connection]] = []
    for these in arguments:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_answer, args=(theirs, work, these), daemon=True)
        process.start()
        theirs.close()
        running.append((process, ours))
    wait([ours for _, ours in running], 120.0)
    answers = []
    for process, ours in running:
        assert ours.poll(120.0), "a process does not answer"
        good, answer = ours.recv()
        process.join(20.0)
        assert good, answer
        answers.append(answer)
    return answers


def _answer(pipe: Connection, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    try:
        pipe.send((True, work(*arguments)))
    except BaseException:
        pipe.send((False, traceback.format_exc()))
    # Nothing of the parent's is torn down here.
    os._exit(0)


def search(store: TrialStore, number: int, rounds: int) -> Account:
    """Makes trials, runs what it can claim, and counts, as one of several drivers."""
    owner, account, rng = f"driver {number}", Account(), random.Random(number)
    store.renew(owner)
    token: object = None
    for _ in range(rounds):
        tids = store.allocate(_PER_ROUND, owner, "e")
        account.allocated += tids
        mine, *free = [new_document(tid, {"x": number}, exp_key="e") for tid in tids]
        mine["owner"] = owner
        store.insert([mine, *free])
        account.inserted += tids
        ended = [mine, *store.claim(owner, "e", rng.randint(1, 4))]
        account.claimed += [document["tid"] for document in ended[1:]]
        for document in ended:
            document["state"] = JOB_STATE_DONE
            document["result"] = {"status": "ok", "loss": float(number)}
        store.update(ended)
        account.counted += _counted(store)
        store.attachments["shared"] = bytes([number]) * 10_000
        changed, token = store.load_since(token, "e")
        account.view.update((d["tid"], d["version"]) for d in changed)
    # What is still to come from the others is not this one's to see.
    return account


def _counted(store: TrialStore) -> int:
    [document], _ = store.load_since(None, "shared")
    document["result"]["n"] += 1
    try:
        store.update([document])
    except StaleTrial:
        return 0
    return 1


def check_drivers(store: TrialStore, drivers: int = 8, rounds: int = 6) -> None:
    """Several drivers in processes of their own: nothing is doubled, nothing is lost."""
    shared = new_document(SHARED, {}, exp_key="shared")
    shared["result"] = {"status": "new", "n": 0}
    store.insert([shared])
    _, token = store.load_since(None, "e")
    accounts: list[Account] = forked(search, [(store, i, rounds) for i in range(drivers)])
    documents = {document["tid"]: document for document in store.load_since(None, "e")[0]}
    _check_once("allocated", [tid for account in accounts for tid in account.allocated])
    _check_once("claimed", [tid for account in accounts for tid in account.claimed])
    assert set(documents) == {tid for account in accounts for tid in account.inserted}
    done = {tid for tid, d in documents.items() if d["state"] == JOB_STATE_DONE}
    claimed = {tid for account in accounts for tid in account.claimed}
    assert claimed <= done
    # Each driver ends one trial of its own a round, and what it has claimed.
    assert len(done) == drivers * rounds + len(claimed)
    [shared] = store.load_since(None, "shared")[0]
    assert shared["result"]["n"] == sum(account.counted for account in accounts) > 0
    for account in accounts:
        assert all(documents[tid]["version"] >= v for tid, v in account.view.items())
        assert set(account.inserted) <= set(account.view)
    _check_followed(store, token, documents)
    assert len(set(store.attachments["shared"])) == 1


def _check_once(what: str, tids: list[int]) -> None:
    twice = [tid for tid, n in Counter(tids).items() if n > 1]
    assert not twice, f"{what} twice: {twice}"


def _check_followed(store: TrialStore, token: object, documents: dict[int, TrialDocument]) -> None:
    changed, _ = store.load_since(token, "e")
    assert {d["tid"]: d["version"] for d in changed} == {
        tid: d["version"] for tid, d in documents.items()
    }


def follow_while(store: TrialStore, writers: Callable[[], object]) -> None:
    """A reader who only asks what changed sees all that concurrent writers write."""
    thread = threading.Thread(target=writers)
    thread.start()
    token: object = None
    seen: dict[int, int] = {}
    last = False
    while not last:
        # Once more after the last writer.
        last = not thread.is_alive()
        changed, token = store.load_since(token)
        seen.update((d["tid"], d["version"]) for d in changed)
    thread.join()
    assert seen == {d["tid"]: d["version"] for d in store.load_since()[0]}


def insert_many(store: TrialStore, number: int, batches: int) -> None:
    """Inserts batches of five, with an update between them."""
    for i in range(batches):
        first = number * 100_000 + i * 5
        documents = [new_document(tid, {}) for tid in range(first, first + 5)]
        store.insert(documents)
        store.update(documents[:2])


def write_for_ever(store: TrialStore, number: int) -> None:
    """Inserts batches of twenty, changes them together, and replaces a large attachment."""
    i = 0
    while True:
        first = number * 1_000_000 + i * 20
        documents = [new_document(tid, {"x": "y" * 500}) for tid in range(first, first + 20)]
        store.insert(documents)
        store.update(documents)
        store.attachments["model"] = bytes([i % 256]) * 2_500_000
        i += 1


def check_kills(store: TrialStore, kills: int = 6) -> None:
    """Writers are killed at any moment: each call was carried out whole, or not at all."""
    store.attachments["model"] = b"\0" * 2_500_000
    context = multiprocessing.get_context("fork")
    rng = random.Random(1)
    for number in range(kills):
        process = context.Process(target=write_for_ever, args=(store, number), daemon=True)
        process.start()
        process.join(rng.uniform(0.3, 0.8))
        process.kill()
        process.join(20.0)
        assert process.exitcode == -9
        documents = store.load_since()[0]
        versions = Counter((d["tid"] // 20, d["version"]) for d in documents)
        assert set(versions.values()) <= {20}, versions
        assert len(set(store.attachments["model"])) == 1
    assert store.load_since()[0]
    store.insert([new_document(10**8, {})])
