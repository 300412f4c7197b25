"""Several searches on one store: each trial is run by one of them, and none is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import Any

import pytest

from sparktuner import ThreadTrials, Trials, fmin, hp, rand
from sparktuner.records import MemoryStore, TrialLog, new_document
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_DONE, JOB_STATE_NEW, JOB_STATE_RUNNING

X = hp.uniform("x", 0, 1)
PATIENCE = 60.0


def quiet(fn: Any, trials: Trials, **kw: Any) -> Any:
    return fmin(fn, X, trials=trials, **{"algo": rand.suggest, "verbose": False, **kw})


@pytest.mark.parametrize("width", [1, 3])
def test_two_searches_at_a_time_leave_each_others_running_trials_alone(width: int) -> None:
    store = MemoryStore()
    calls: Counter[float] = Counter()
    both_run = threading.Barrier(2, timeout=PATIENCE)

    def search(seed: int) -> None:
        first = [True]

        def objective(x: float) -> float:
            if first and first.pop():
                both_run.wait()  # each search has a trial that runs
            calls[x] += 1
            time.sleep(0.002)
            return x

        trials = Trials(store=store) if width == 1 else ThreadTrials(width, store=store)
        quiet(objective, trials, max_evals=40, rstate=seed)

    threads = [threading.Thread(target=search, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    documents, _ = store.load_since()
    assert {document["state"] for document in documents} == {JOB_STATE_DONE}
    # Each looks how many there are before it asks, and both may ask at the same time.
    assert 40 <= len(documents) <= 40 + width
    assert len({document["tid"] for document in documents}) == len(documents)
    assert len({document["owner"] for document in documents}) == 2
    assert set(calls.values()) == {1}
    assert sum(calls.values()) == len(documents)


def test_a_search_goes_on_with_what_a_driver_that_died_left_behind() -> None:
    store = MemoryStore()
    log = TrialLog(store)
    with log.alive():
        log.insert_own([new_document(tid, {"x": 0.5}, ["x"]) for tid in (0, 1)])
        log.documents[0]["state"] = JOB_STATE_RUNNING
        log.update(log.documents[0])
    trials = Trials(store=store)
    quiet(lambda x: x, trials, max_evals=2)
    assert trials.losses() == [0.5, 0.5]


def test_trials_that_somebody_else_took_over_are_left_to_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    trials = ThreadTrials(2, store=store)
    to_take = [True]  # a list's pop is atomic: one of the objectives does it
    other = TrialLog(store)

    def objective(x: float) -> float:
        if to_take and to_take.pop():
            [mine, *_] = store.load_since()[0]
            store.release(mine["owner"])  # as if this driver had been away for too long
            with other.alive():
                [document, *_] = other.claim(limit=1)
                document["state"] = JOB_STATE_CANCEL
                other.update(document)
        return x

    with caplog.at_level(logging.WARNING):
        quiet(objective, trials, max_evals=6, max_queue_len=1)
    states = Counter(t["state"] for t in trials.all_trials)
    assert states[JOB_STATE_CANCEL] == 1
    assert not {JOB_STATE_RUNNING, JOB_STATE_NEW} & set(states)
    assert "was changed or deleted by somebody else" in caplog.text


class ShortLease(MemoryStore):
    """A store whose owners are gone when they have not renewed their lease for a while."""

    lease = 0.15

    def __init__(self) -> None:
        super().__init__()
        self.renewals: list[str] = []
        self.threads: set[str] = set()

    def renew(self, owner: str) -> None:
        self.renewals.append(owner)
        self.threads.add(threading.current_thread().name)
        if len(self.renewals) == 3:
            raise OSError("the network is down")
        super().renew(owner)


def test_a_lease_is_renewed_while_the_objective_runs_and_ends_with_the_search(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = ShortLease()

    def objective(x: float) -> float:
        deadline = time.monotonic() + PATIENCE
        while len(store.renewals) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        return x

    trials = Trials(store=store)
    quiet(objective, trials, max_evals=1)
    assert len(store.renewals) >= 5
    assert len(set(store.renewals)) == 1
    assert store.threads == {"MainThread", "sparktuner-lease"}
    assert "could not be renewed" in caplog.text
    assert "sparktuner-lease" not in {thread.name for thread in threading.enumerate()}
    assert not store._owners
