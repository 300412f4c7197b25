"""``sparktuner worker`` and the searches whose trials it runs."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sparktuner import (
    Ctrl,
    Domain,
    Trials,
    WorkerTrials,
    current_trial,
    fmin,
    fmin_pass_expr_memo_ctrl,
    hp,
    rand,
)
from sparktuner._worker import WorkerOptions, run
from sparktuner.cli import main
from sparktuner.errors import (
    AllTrialsFailed,
    StoreError,
    StoreUnavailable,
    UnpicklableObjective,
    WorkerFailed,
)
from sparktuner.execute import Cancelled, Failed, Finished, Started, Submission
from sparktuner.records import MemoryStore, TrialStore, new_document
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
)
from sparktuner.stores import open_store
from sparktuner.trials import _handed_over
from sparktuner.trials._handed_over import HandedOverLog, WorkersExecutor
from tests.waiting import PATIENCE, wait_until

SPACE = {"x": hp.uniform("x", -1, 1)}


def square(params: dict[str, float]) -> dict[str, Any]:
    seed = current_trial().seed
    return {"status": "ok", "loss": params["x"] ** 2, "seed": seed, "attachments": {"a": b"1"}}


def fail(params: dict[str, float]) -> float:
    raise KeyError(params["x"])


def stored(store: TrialStore) -> dict[int, Any]:
    return {document["tid"]: document for document in store.load_since()[0]}


def waiting(
    store: TrialStore, n: int, objective: Any = square, exp_key: str | None = None
) -> None:
    """Leaves trials in a store, as a search whose driver has died does."""
    trials = WorkerTrials(store, exp_key)
    name = trials._publish(Domain(objective, SPACE))
    documents = [new_document(tid, {"x": 0.5}, exp_key=exp_key) for tid in store.allocate(n)]
    for document in documents:
        document["misc"]["cmd"] = ("domain_attachment", name)
        document["misc"]["execution"] = {"seed": 7}
    store.insert(documents)


def work(store: TrialStore, **options: Any) -> int:
    given: dict[str, Any] = {"reserve_timeout": 0.0, "poll_interval": 0.02, **options}
    return run(WorkerOptions(store=store, **given))


@contextmanager
def working(store: TrialStore, **options: Any) -> Iterator[None]:
    """A worker in a thread of this process, which waits for trials however long they take."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            work(store, reserve_timeout=0.1, **options)

    worker = threading.Thread(target=serve)
    worker.start()
    yield
    over.set()
    worker.join()


# --- a worker by itself


def test_a_worker_runs_what_waits_and_writes_how_it_went() -> None:
    store = MemoryStore()
    waiting(store, 2)
    assert work(store) == 2
    document = stored(store)[1]
    assert (document["state"], document["result"]) == (
        JOB_STATE_DONE,
        {"status": "ok", "loss": 0.25, "seed": 7},
    )
    assert document["misc"]["execution"]["pid"] == os.getpid()
    assert store.attachments["ATTACH::1::a"] == b"1"


def test_what_an_objective_attaches_on_a_worker_is_in_the_store_at_once(tmp_path: Path) -> None:
    def objective(params: dict[str, float]) -> float:
        current_trial().attach("log", b"so far")
        current_trial().attach("large", large)
        assert store.attachments[f"ATTACH::{current_trial().tid}::log"] == b"so far"
        if current_trial().tid == 1:
            raise KeyError("x")
        return 0.0

    large = tmp_path / "large"
    large.write_bytes(bytes(3 * 2**20))
    store = MemoryStore()
    waiting(store, 2, objective)
    assert work(store) == 2
    assert stored(store)[1]["state"] == JOB_STATE_ERROR
    for tid in range(2):
        assert store.attachments[f"ATTACH::{tid}::log"] == b"so far"
        assert store.attachments.read_bytes(f"ATTACH::{tid}::large") == bytes(3 * 2**20)


def test_a_worker_ends_after_so_many_trials() -> None:
    store = MemoryStore()
    waiting(store, 5)
    assert work(store, max_jobs=2) == 2
    assert [d["state"] for d in stored(store).values()].count(JOB_STATE_NEW) == 3


def test_a_worker_takes_the_trials_of_its_experiment_alone() -> None:
    store = MemoryStore()
    waiting(store, 1, exp_key="a")
    waiting(store, 2, exp_key="b")
    assert work(store, exp_key="b") == 2
    assert stored(store)[0]["state"] == JOB_STATE_NEW


def test_a_worker_ends_when_trials_fail_one_after_another() -> None:
    store = MemoryStore()
    waiting(store, 5, fail)
    with pytest.raises(WorkerFailed, match=r"3 trials .* KeyError: 0\.5"):
        work(store, max_consecutive_failures=3)
    documents = stored(store)
    assert [d["state"] for d in documents.values()].count(JOB_STATE_ERROR) == 3
    assert documents[0]["misc"]["error"][0] == "KeyError"
    assert documents[0]["result"] == {"status": "fail"}


def test_a_worker_can_be_given_the_objective_and_unpickles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mymodel.py").write_text(
        "from sparktuner import hp\nspace = {'x': hp.uniform('x', 0, 1)}\n"
        "def objective(params):\n    return params['x'] + 1\n"
    )
    store = MemoryStore()
    store.insert([new_document(0, {"x": 0.5})])
    named = {"objective": "mymodel:objective", "space": "mymodel:space"}
    assert work(store, **named) == 1
    assert stored(store)[0]["result"]["loss"] == 1.5
    with pytest.raises(ValueError, match="has no 'other'"):
        work(store, **{**named, "space": "mymodel:other"})
    with pytest.raises(ValueError, match="--space"):
        work(store, objective="mymodel:objective")
    with pytest.raises(ValueError, match="--space must be module:name"):
        work(store, **{**named, "space": "mymodel"})


def test_a_trial_whose_objective_cannot_be_loaded_waits_for_another_worker() -> None:
    store = MemoryStore()
    waiting(store, 1)
    [name] = [name for name in store.attachments if name.startswith("FMinIter")]
    store.attachments[name] = b"no pickle"
    with pytest.raises(StoreError, match="cannot be loaded here"):
        work(store)
    del store.attachments[name]
    with pytest.raises(StoreError, match="has no attachment"):
        work(store)
    document = stored(store)[0]
    assert (document["state"], document["owner"]) == (JOB_STATE_NEW, None)
    document["misc"]["cmd"] = ("cpickled fn", b"")
    store.update([document])
    with pytest.raises(StoreError, match="does not say with which objective"):
        work(store)


def test_an_objective_with_a_ctrl_writes_of_its_trial_while_it_runs() -> None:
    @fmin_pass_expr_memo_ctrl
    def objective(expr: object, memo: dict[Any, Any], ctrl: Ctrl) -> float:
        ctrl.attachments["note"] = "from the worker"
        ctrl.checkpoint({"status": "ok", "loss": 9.0})
        misc = new_document(7, {"x": 0.25})["misc"]
        ctrl.inject_results([None], [{"status": "ok", "loss": 4.0}], [misc], [7])
        assert ctrl.trials is not None
        ctrl.trials.refresh()  # type: ignore[attr-defined]
        before = [trial["result"]["loss"] for trial in ctrl.trials]  # type: ignore[attr-defined]
        assert before == [9.0, 4.0]
        [x] = memo.values()
        return float(x)

    store = MemoryStore()
    waiting(store, 1, objective)
    assert work(store) == 1
    assert store.attachments["ATTACH::0::note"] == "from the worker"
    assert [d["result"]["loss"] for d in stored(store).values()] == [0.5, 4.0]
    assert stored(store)[7]["misc"]["from_tid"] == 0


# --- searches


def test_a_search_gets_its_results_from_workers() -> None:
    trials = WorkerTrials(MemoryStore(), "e", poll_interval=0.02)
    with working(trials.store):
        best = fmin(square, SPACE, rand.suggest, 8, trials=trials, rstate=1, verbose=False)
    assert set(best) == {"x"}
    assert [d["state"] for d in trials.all_trials] == [JOB_STATE_DONE] * 8
    assert {d["exp_key"] for d in trials.all_trials} == {"e"}
    assert trials.trial_attachments(trials.best_trial)["a"] == b"1"
    # The same trials, and the same seeds, as where the driver runs them itself.
    here = Trials()
    fmin(square, SPACE, rand.suggest, 8, trials=here, rstate=1, verbose=False)
    assert trials.losses() == here.losses()
    assert [r["seed"] for r in trials.results] == [r["seed"] for r in here.results]


def test_a_reproducible_search_is_the_same_with_any_number_of_workers() -> None:
    losses = []
    for workers in (1, 3):
        trials = WorkerTrials(MemoryStore(), poll_interval=0.02, queued=3)
        with ExitStack() as stack:
            for _ in range(workers):
                stack.enter_context(working(trials.store))
            fmin(
                square,
                SPACE,
                max_evals=30,
                trials=trials,
                rstate=2,
                reproducible=True,
                verbose=False,
            )
        losses.append(trials.losses())
    assert losses[0] == losses[1]


def test_workers_that_come_late_find_what_waits(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/t.db?lease=0.4"
    trials = WorkerTrials(url, poll_interval=0.02)
    # A search on a store looks every second for what others leave behind.
    late = threading.Timer(1.5, lambda: work(open_store(url), reserve_timeout=1))
    late.start()
    fmin(square, SPACE, rand.suggest, 4, trials=trials, timeout=PATIENCE, verbose=False)
    assert [d["state"] for d in trials.all_trials] == [JOB_STATE_DONE] * 4
    late.join()


def test_a_search_looks_into_a_shared_store_as_often_as_it_is_told(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    trials = WorkerTrials(f"sqlite:///{tmp_path}/t.db", poll_interval=0.02, queued=1)
    # One after the other: with a look a second they would take longer than this.
    with working(trials.store):
        fmin(square, SPACE, rand.suggest, 30, trials=trials, timeout=20, verbose=False)
    assert len(trials) == 30


def test_a_trial_that_fails_on_a_worker_has_failed_in_the_search() -> None:
    def sometimes(params: dict[str, float]) -> float:
        if params["x"] > 0:
            raise ValueError("too large")
        return params["x"]

    trials = WorkerTrials(MemoryStore(), poll_interval=0.02)
    with working(trials.store, max_consecutive_failures=99):
        fmin(sometimes, SPACE, rand.suggest, 12, trials=trials, rstate=0, verbose=False)
    failed = [d for d in trials.all_trials if d["state"] == JOB_STATE_ERROR]
    assert 0 < len(failed) < 12
    assert failed[0]["misc"]["error"][0] == "ValueError"
    assert "too large" in failed[0]["misc"]["error"][1]


def test_a_search_that_ends_early_cancels_what_waits() -> None:
    trials = WorkerTrials(MemoryStore(), poll_interval=0.02)
    with pytest.raises(AllTrialsFailed):
        fmin(square, SPACE, max_evals=9, trials=trials, timeout=0.3, verbose=False)
    states = [document["state"] for document in stored(trials.store).values()]
    assert states == [JOB_STATE_CANCEL] * 2


def test_a_driver_that_died_leaves_trials_that_the_next_search_hands_over_again() -> None:
    store = MemoryStore()
    waiting(store, 2)
    trials = WorkerTrials(store, poll_interval=0.02)
    with working(store):
        fmin(square, SPACE, rand.suggest, 4, trials=trials, rstate=0, verbose=False)
    assert len(trials) == 4
    assert trials.losses()[:2] == [0.25, 0.25]


def test_an_objective_that_cannot_be_pickled_is_named() -> None:
    lock = threading.Lock()

    def objective(params: dict[str, float]) -> float:
        with lock:
            return params["x"]

    with pytest.raises(UnpicklableObjective, match="'lock'"):
        fmin(objective, SPACE, max_evals=1, trials=WorkerTrials(MemoryStore()), verbose=False)


def test_trials_of_workers_are_pickled_and_viewed() -> None:
    trials = WorkerTrials(MemoryStore(), "e", poll_interval=0.02)
    with working(trials.store):
        fmin(square, SPACE, rand.suggest, 2, trials=trials, verbose=False)
    copy = pickle.loads(pickle.dumps(trials))
    assert (len(copy), copy.best_params) == (2, trials.best_params)
    with working(copy.store):
        fmin(square, SPACE, rand.suggest, 3, trials=copy, verbose=False)
    assert (len(copy), len(copy.view("other"))) == (3, 0)


@pytest.mark.parametrize("wrong", [{"poll_interval": 0}, {"queued": 0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WorkerTrials(MemoryStore(), **wrong)


def executor_of(store: TrialStore, *tids: int) -> WorkersExecutor:
    """An executor of trials that are in a store, and wait."""
    log = HandedOverLog(store)
    log.insert([new_document(tid, {"x": 0.5}) for tid in tids])
    return WorkersExecutor(log, poll_interval=0.02, queued=2)


def moved_on(store: TrialStore, tid: int, *states: int) -> None:
    for state in states:
        document = stored(store)[tid]
        document["state"] = state
        store.update([document])


def test_an_executor_waits_as_long_as_it_is_told_or_until_it_is_woken() -> None:
    executor = executor_of(MemoryStore(), 0)
    assert executor.wait(None) == []
    executor.submit(Submission(0, None))
    began = time.monotonic()
    assert executor.wait(0.2) == []
    assert 0.2 <= time.monotonic() - began < 5
    threading.Timer(0.05, executor.wake).start()
    assert executor.wait(None) == []


def test_an_executor_tells_what_workers_have_written() -> None:
    store = MemoryStore()
    executor = executor_of(store, 0, 1)
    for tid in (0, 1):
        executor.submit(Submission(tid, None, seed=3))
    assert executor.free_slots() == 0
    assert stored(store)[0]["misc"]["execution"] == {"seed": 3}
    moved_on(store, 0, JOB_STATE_RUNNING)
    assert executor.wait(1) == [Started(0)]
    assert (executor.free_slots(), executor.elapsed(1)) == (1, None)
    assert executor.elapsed(0) is not None
    moved_on(store, 0, JOB_STATE_DONE)
    moved_on(store, 1, JOB_STATE_RUNNING, JOB_STATE_ERROR)
    done, started, failed = executor.wait(1)
    assert isinstance(done, Finished)
    assert started == Started(1)
    assert isinstance(failed, Failed)
    assert failed.error_type == "Unknown"


@pytest.mark.parametrize("error", [("KeyError", "'x'"), ["KeyError", "'x'"], 7, ("a", "b", "c")])
def test_an_executor_reads_errors_of_any_form(error: Any) -> None:
    store = MemoryStore()
    executor = executor_of(store, 0)
    executor.submit(Submission(0, None))
    document = stored(store)[0]
    document["state"], document["misc"]["error"] = JOB_STATE_ERROR, error
    document["misc"]["execution"] = "somewhere"
    store.update([document])
    _, failed = executor.wait(1)
    assert isinstance(failed, Failed)
    assert failed.error_type == ("KeyError" if "KeyError" in str(error) else "Unknown")


def test_an_executor_gives_up_what_is_cancelled_or_in_flight_at_its_end() -> None:
    executor = executor_of(MemoryStore(), 0, 1, 2)
    for tid in (0, 1):
        executor.submit(Submission(tid, None))
    for tid in (1, 2):
        with pytest.raises(RuntimeError, match="cannot be submitted"):
            executor.submit(Submission(tid, None))
    executor.cancel([1, 7])
    assert executor.wait(1) == [Cancelled(1)]
    executor.close()
    executor.close()
    assert executor.wait(1) == [Cancelled(0)]
    assert executor.free_slots() == 0


def test_an_executor_waits_for_a_store_that_does_not_answer_as_long_as_a_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    executor = executor_of(store, 0)
    executor.submit(Submission(0, None))

    def gone(*_: object) -> NoReturn:
        raise StoreUnavailable("it is gone")

    load = store.load_since
    monkeypatch.setattr(store, "load_since", gone)
    assert executor.wait(0.1) == []
    monkeypatch.setattr(store, "load_since", load)
    moved_on(store, 0, JOB_STATE_RUNNING)
    assert executor.wait(1) == [Started(0)]
    monkeypatch.setattr(store, "load_since", gone)
    monkeypatch.setattr(store, "lease", 0.1)
    with pytest.raises(StoreUnavailable):
        executor.wait(10)


def test_a_search_without_workers_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_handed_over, "_LONELY", 0.05)
    store = MemoryStore()
    executor = executor_of(store, 0, 1)
    executor.submit(Submission(0, None))
    executor.wait(0.3)
    executor.wait(0.3)
    [warning] = caplog.records
    assert "sparktuner worker --store memory" in warning.getMessage()
    moved_on(store, 0, JOB_STATE_RUNNING)
    executor.submit(Submission(1, None))
    assert executor.wait(0.3) == [Started(0)]
    executor.wait(0.3)
    assert len(caplog.records) == 1


# --- real processes, and a real server


MONGO = pytest.param("mongo", marks=pytest.mark.service)


@pytest.fixture(params=[MONGO])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new store that several processes can share."""
    if request.param == "sqlite":
        pytest.importorskip("sqlalchemy")
        return f"sqlite:///{tmp_path}/t.db"
    if request.param == "folder":
        return f"file://{tmp_path}/trials"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def start(url: str, *options: str, **environment: str) -> subprocess.Popen[str]:
    program = "import sys; from sparktuner.cli import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", program, "worker", "--store", url, "--poll-interval=0.1", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def stalling(params: dict[str, float]) -> float:
    """An objective that one of the workers, marked by a variable, does not come back from."""
    if "STALLS" in os.environ and current_trial().tid >= 6:
        time.sleep(100)
    return params["x"]


def by_value(objective: Any) -> Any:
    """The objective as one of a script, which workers cannot import."""
    objective.__module__ = "__main__"
    return objective


@pytest.mark.parametrize("store_url", ["sqlite", "folder", MONGO], indirect=True)
def test_two_workers_share_the_trials_and_one_takes_over_what_the_killed_one_ran(
    store_url: str,
) -> None:
    url = f"{store_url}?lease=2"
    trials = WorkerTrials(url, "e", poll_interval=0.1)
    workers = [start(url, "--exp-key=e"), start(url, "--exp-key=e", STALLS="1")]
    killed: list[int] = []

    store = open_store(url)

    def kill() -> None:
        def stalled() -> bool:
            of_it = f":{workers[1].pid}:"
            killed[:] = [
                document["tid"]
                for document in stored(store).values()
                if document["tid"] >= 6
                and document["state"] == JOB_STATE_RUNNING
                and of_it in str(document["owner"])
            ]
            return bool(killed)

        wait_until(stalled)
        workers[1].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        # Both, or the first one may have run all before the other is there.
        for worker in workers:
            assert worker.stderr is not None
            assert "takes trials from" in worker.stderr.readline()
        fmin(
            by_value(stalling),
            SPACE,
            rand.suggest,
            40,
            timeout=PATIENCE,  # or workers that both stall would hold up the whole suite
            trials=trials,
            rstate=0,
            verbose=False,
        )
        killer.join()
        documents = {document["tid"]: document for document in trials.all_trials}
        assert [d["state"] for d in documents.values()] == [JOB_STATE_DONE] * 40
        [tid] = killed
        assert documents[tid]["misc"]["restarts"] == 1
        pids = {tid: d["misc"]["execution"]["pid"] for tid, d in documents.items()}
        assert pids[tid] == workers[0].pid
        assert set(pids.values()) <= {worker.pid for worker in workers}
        workers[0].terminate()
        assert workers[0].wait(20) == 130
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


DRIVER = """
import sys
from sparktuner import WorkerTrials, fmin, hp, rand

fmin(lambda p: p["x"], {"x": hp.uniform("x", -1, 1)}, rand.suggest, 40,
     trials=WorkerTrials(sys.argv[1], "e", poll_interval=0.1), rstate=0, verbose=False)
"""


def drive(url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DRIVER, url])


def finished(store: TrialStore) -> list[int]:
    return [tid for tid, d in stored(store).items() if d["state"] == JOB_STATE_DONE]


def test_a_search_whose_driver_is_killed_is_gone_on_with(store_url: str) -> None:
    url = f"{store_url}?lease=2"
    store = open_store(url)
    worker = start(url, "--reserve-timeout=0")
    try:
        for n in (8, 16):
            driver = drive(url)
            wait_until(lambda n=n: len(finished(store)) >= n)  # type: ignore[misc]
            driver.kill()
            driver.wait()
        before = finished(store)
        assert drive(url).wait(PATIENCE) == 0
    finally:
        worker.kill()
        worker.communicate()
    assert len(finished(store)) == len(stored(store)) == 40
    assert set(before) <= set(finished(store))


def test_two_drivers_share_a_search(store_url: str) -> None:
    url = f"{store_url}?lease=5"
    store = open_store(url)
    worker = start(url, "--reserve-timeout=0")
    drivers = [drive(url), drive(url)]
    try:
        assert [driver.wait(PATIENCE) for driver in drivers] == [0, 0]
    finally:
        for process in (worker, *drivers):
            process.kill()
        worker.communicate()
    assert {d["state"] for d in stored(store).values()} == {JOB_STATE_DONE}
    # Each counts what the other has made, a moment ago: no more than one each beyond the limit.
    assert 40 <= len(stored(store)) <= 42


def sleepy(params: dict[str, float]) -> float:
    end = time.monotonic() + 100
    while time.monotonic() < end:
        time.sleep(0.05)
    return params["x"]


def test_a_worker_gives_up_a_trial_that_the_search_has_cancelled(store_url: str) -> None:
    url = f"{store_url}?lease=1.5"
    store = open_store(url)
    waiting(store, 1, by_value(sleepy))
    worker = start(url, "--reserve-timeout=0.5")
    try:
        wait_until(lambda: stored(store)[0]["state"] == JOB_STATE_RUNNING)
        document = stored(store)[0]
        document["state"] = JOB_STATE_CANCEL
        store.update([document])
        _, said = worker.communicate(timeout=30)
    finally:
        worker.kill()
    assert worker.returncode == 0
    assert "trial 0 is not this worker's any more" in said
    assert stored(store)[0]["state"] == JOB_STATE_CANCEL


def test_what_a_worker_runs_when_it_is_told_to_end_can_be_claimed_at_once(store_url: str) -> None:
    store = open_store(store_url)
    waiting(store, 1, by_value(sleepy))
    worker = start(store_url)
    try:
        wait_until(lambda: stored(store)[0]["state"] == JOB_STATE_RUNNING)
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=30)
    finally:
        worker.kill()
    assert (worker.returncode, "Traceback" in said) == (130, False)
    store.renew("me")
    assert [document["tid"] for document in store.claim("me")] == [0]


# --- the command


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--store", "nonsense"], "store must be a URL"),
        (["--store", "ftp://host/x"], "there is no store for ftp"),
        (["model:objective", "--store", "mongodb://127.0.0.1:1/db"], "--space"),
        (["nomodule:f", "--space=nomodule:s", "--store", "mongodb://h/db"], "nomodule"),
    ],
)
def test_what_is_wrong_with_the_command_is_one_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", *arguments]) == 1
    assert says in capsys.readouterr().err


def test_the_help_says_what_is_unpickled(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["worker", "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert "It is a\npickle, so it can run any code" in shown
    assert "sparktuner worker --store mongodb://" in shown


@pytest.mark.parametrize("option", ["--poll-interval=-1", "--max-jobs=0", "--poll-interval=soon"])
def test_an_option_out_of_range_is_refused(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["worker", "--store", "mongodb://h/db", option])
    assert stop.value.code == 2
    assert option.partition("=")[0] in capsys.readouterr().err
