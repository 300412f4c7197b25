"""The line that writes in a thread: nothing is lost, doubled, or told too early."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from sparktuner import Callback, ThreadTrials, Trials, current_trial, fmin, hp, load_trials, rand
from sparktuner.errors import StoreError, StoreUnavailable
from sparktuner.records import MemoryAttachments, MemoryStore, TrialDocument
from sparktuner.stores import Spill

X = hp.uniform("x", -1, 1)


class Flaky(MemoryStore):
    """A store that others may share, is slow, and fails when it is told to.

    Attributes:
        failures: how each of the next calls fails: before it is carried out, or after.
    """

    lease = 0.6
    location = "flaky"

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__()
        self.delay = delay
        self.failures: Iterator[str] = iter(())
        self.callers: set[str] = set()

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        self.callers.add(threading.current_thread().name)
        time.sleep(self.delay)
        how = next(self.failures, "")
        if how == "before":
            raise StoreUnavailable("flaky does not answer")
        yield
        if how == "after":
            raise StoreUnavailable("flaky has lost its answer")

    def insert(self, documents: Iterable[TrialDocument]) -> None:
        with self._call("insert"):
            super().insert(documents)

    def update(self, documents: Iterable[TrialDocument]) -> None:
        with self._call("update"):
            super().update(documents)


class Told(Callback):
    """Notes the trials that it is told are done."""

    def __init__(self) -> None:
        self.done: set[int] = set()

    def on_trial_end(self, document: TrialDocument) -> None:
        if document["state"] == 2:
            self.done.add(document["tid"])


def searched(store: MemoryStore, trials: Trials | None = None, **kw: Any) -> Trials:
    trials = Trials(store=store) if trials is None else trials
    fmin(
        kw.pop("fn", abs),
        X,
        **{"algo": rand.suggest, "max_evals": 20, "rstate": 0, "verbose": False, **kw},
        trials=trials,
    )
    return trials


@pytest.fixture(autouse=True)
def spill_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUNER_SPILL_DIR", str(tmp_path / "spill"))
    return tmp_path / "spill"


@pytest.mark.parametrize("trials", [Trials, lambda **kw: ThreadTrials(4, **kw)])
def test_a_search_on_a_slow_store_gives_what_one_in_memory_gives(
    trials: Callable[..., Trials],
) -> None:
    store = Flaky(delay=0.005)
    got = searched(store, trials(store=store))
    assert sorted(got.vals["x"]) == sorted(searched(MemoryStore()).vals["x"])
    assert got.tids == list(range(20))
    assert [d["state"] for d in store.load_since()[0]] == [2] * 20
    # What the log holds is what the store holds, versions included.
    assert got.all_trials == store.load_since()[0]
    assert store.callers == {"sparktuner-store"}


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_call_that_fails_is_repeated_and_nothing_is_doubled(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Flaky()
    store.failures = iter(["", how, "", how, how, "", "", how] * 4)
    got = searched(store, ThreadTrials(3, store=store))
    assert got.tids == list(range(20))
    assert [d["state"] for d in store.load_since()[0]] == [2] * 20
    assert "flaky" in caplog.text
    assert "answers again" in caplog.text


class LosesIds(Flaky):
    """Hands out ids, and loses the answer, or carries a call out when its caller has left.

    Attributes:
        hows: what becomes of the next calls: "" answers.
    """

    def __init__(self, hows: list[str]) -> None:
        super().__init__()
        self.hows = iter(hows)
        self._late: list[tuple[Any, ...]] = []

    def allocate(self, *args: Any) -> list[Any]:
        how = next(self.hows, "")
        if how == "late":
            self._late.append(args)
            raise StoreUnavailable("flaky has lost the call")
        ids = super().allocate(*args)
        if how == "after":
            raise StoreUnavailable("flaky has lost its answer")
        while self._late:
            super().allocate(*self._late.pop())
        return ids


@pytest.mark.parametrize(
    "hows", [["after"], ["", "after", "after", "", "after"], ["late"], ["", "late", "", "after"]]
)
@pytest.mark.parametrize("parallelism", [1, 4])
def test_ids_whose_answer_was_lost_are_used(hows: list[str], parallelism: int) -> None:
    store = LosesIds(hows)
    got = searched(store, ThreadTrials(parallelism, store=store))
    assert sorted(got.tids) == list(range(20))
    assert {d["state"] for d in store.load_since()[0]} == {2}


def test_callbacks_hear_of_a_trial_when_it_is_written() -> None:
    store = Flaky(delay=0.01)

    class Check(Callback):
        def __init__(self) -> None:
            self.seen: list[tuple[int, int]] = []

        def on_trial_end(self, document: TrialDocument) -> None:
            stored = {d["tid"]: d for d in store.load_since()[0]}[document["tid"]]
            self.seen.append((document["state"], stored["state"]))

    check = Check()
    searched(store, callbacks=[check])
    assert check.seen == [(2, 2)] * 20


def test_quick_trials_share_their_calls_to_the_store() -> None:
    calls: list[str] = []

    class Counting(Flaky):
        @contextmanager
        def _call(self, name: str) -> Iterator[None]:
            calls.append(name)
            with super()._call(name):
                yield

        def allocate(self, *args: Any) -> list[Any]:
            with self._call("allocate"):
                return super().allocate(*args)

    searched(Counting(), max_evals=200)
    # One by one they would make 400: an id and an insertion each.
    assert len(calls) < 100


def test_what_a_dead_store_cannot_take_is_kept_and_the_next_search_writes_it(
    spill_folder: Path,
) -> None:
    store = Flaky()
    calls: list[float] = []

    def objective(x: float) -> dict[str, Any]:
        calls.append(x)
        if len(calls) == 8:
            store.failures = iter(["before"] * 10_000)
        return {"status": "ok", "loss": x, "attachments": {"note": b"n"}, "model": object()}

    with pytest.raises(StoreError, match="flaky does not answer; .* kept in .*next search"):
        searched(store, fn=objective, store_timeout=0.3)
    assert 8 <= len(calls) < 20
    [file] = spill_folder.iterdir()
    kept = load_trials(file)
    assert len(kept)
    store.failures = iter(())
    for document in store.load_since()[0]:
        assert document["tid"] not in kept.tids or document["state"] != 2
    trials = searched(store, fn=objective)
    assert not list(spill_folder.iterdir())
    assert trials.tids == list(range(20))
    # None of them was run again.
    assert len(calls) == 20
    assert all(trials.trial_attachments(t)["note"] == b"n" for t in trials.trials)


def test_a_large_attachment_is_written_whole_after_a_write_that_failed(
    tmp_path: Path, spill_folder: Path
) -> None:
    class FlakyAttachments(MemoryAttachments):
        failures = 2

        def write(self, name: str, stream: BinaryIO) -> None:
            if self.failures:
                self.failures -= 1
                stream.read(1000)
                raise StoreUnavailable("flaky does not answer")
            super().write(name, stream)

    def objective(x: float) -> float:
        current_trial().attach("log", large)
        return x

    large = tmp_path / "large"
    large.write_bytes(os.urandom(3 * 2**20))
    store = Flaky()
    store._attachments = FlakyAttachments()
    trials = searched(store, fn=objective, max_evals=1)
    assert trials.trial_attachments(trials.trials[0])["log"] == large.read_bytes()
    # And what the store never takes is kept whole, beside what is not written of its trial.
    store._attachments.failures = 10_000
    with pytest.raises(StoreError, match=r"kept in"):
        searched(store, fn=objective, max_evals=2, store_timeout=0.2)
    kept = load_trials(next(spill_folder.iterdir()))
    assert kept.attachments["ATTACH::1::log"] == large.read_bytes()


def test_results_that_come_while_the_search_ends_are_kept_too(spill_folder: Path) -> None:
    store = Flaky()
    calls: list[float] = []

    def objective(x: float) -> float:
        calls.append(x)
        if len(calls) == 8:
            store.failures = iter(["before"] * 10_000)
        # Those in flight when the search gives up end within its grace.
        time.sleep(0.3 if len(calls) > 8 else 0.0)
        return x

    told = Told()
    trials = ThreadTrials(4, store=store)
    with pytest.raises(StoreError, match="kept in"):
        searched(store, trials, fn=objective, store_timeout=0.2, callbacks=[told])
    store.failures = iter(())
    [file] = spill_folder.iterdir()
    kept = {d["tid"] for d in load_trials(file).all_trials if d["state"] == 2}
    written = {d["tid"] for d in store.load_since()[0] if d["state"] == 2}
    assert told.done <= kept | written


def test_a_search_that_can_keep_nothing_says_so_and_ends(
    spill_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Flaky()
    spill_folder.write_text("a file, where the folder should be")

    def objective(x: float) -> float:
        store.failures = iter(["before"] * 10_000)
        return x

    with pytest.raises(StoreError, match="could not be kept on this machine either"):
        searched(store, fn=objective, store_timeout=0.2)


def test_two_searches_share_the_work_and_end_with_the_trials_that_were_asked_for() -> None:
    store = Flaky(delay=0.002)
    found: list[Trials] = []
    begun = [threading.Event() for _ in range(3)]

    def work(seed: int) -> None:
        def objective(x: float) -> float:
            begun[seed].set()
            # Until each has a trial: on a busy machine two could have done all before the third.
            for each in begun:
                assert each.wait(30)
            time.sleep(0.005)
            return x

        found.append(
            searched(store, ThreadTrials(3, store=store), fn=objective, max_evals=60, rstate=seed)
        )

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    documents = store.load_since()[0]
    assert len(documents) == len({d["tid"] for d in documents}) == 60
    assert {d["state"] for d in documents} == {2}
    assert [len(trials) for trials in found] == [60] * 3
    assert len({d["owner"] for d in documents}) == 3


def test_trials_of_a_driver_that_is_gone_are_run_by_those_that_live() -> None:
    store = Flaky()
    store.renew("gone")
    store.release("gone")
    left = searched(MemoryStore(), max_evals=3).all_trials
    for document in left:
        document["state"], document["owner"] = 1, "gone"
    store.delay = 0
    MemoryStore.insert(store, left)
    trials = searched(store, max_evals=5)
    assert len(trials) == 5
    assert [t["misc"].get("restarts") for t in trials.trials] == [1, 1, 1, None, None]


def test_a_driver_that_hangs_loses_its_trials_to_others_and_goes_on_without_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Flaky()
    hung = threading.Event()

    def slow(x: float) -> float:
        if not hung.is_set():
            hung.set()
            # Its lease is somebody else's to end, as if its machine had slept.
            for owner in list(store._owners):
                store._owners.discard(owner)
            time.sleep(0.5)
        return x

    first = ThreadTrials(2, store=store)
    thread = threading.Thread(
        target=lambda: searched(store, first, fn=slow, max_evals=10), daemon=True
    )
    thread.start()
    hung.wait(5)
    second = searched(store, ThreadTrials(2, store=store), max_evals=10)
    thread.join(20)
    assert not thread.is_alive()
    assert {d["state"] for d in store.load_since()[0]} == {2}
    assert len(second) == 10


def test_a_spill_that_another_has_written_meanwhile_is_left_out(spill_folder: Path) -> None:
    store = Flaky()
    spill = Spill(store, None)
    trials = searched(MemoryStore(), max_evals=2)
    MemoryStore.insert(store, trials.all_trials)
    from sparktuner.records import Unwritten

    rest = Unwritten(inserts={0: trials.all_trials[0]})
    assert "1 trials are kept" in spill.keep(rest)
    before = store.load_since()[0]
    store.failures = iter(())
    spill.take_in()
    assert store.load_since()[0] == before
    assert not spill.path.exists()
