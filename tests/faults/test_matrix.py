"""Every fault of one trial, on every kind of session: what the documents say in the end.

The faults that end an executor are in ``tests/cluster/``, those that end the session in
``test_session_gone.py``.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparktuner import SparkTrials, current_trial, fmin, hp, rand
from sparktuner.errors import AllTrialsFailed, UnpicklableObjective, WorkersNotReady
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_DONE, JOB_STATE_ERROR
from tests.faults.conftest import Site
from tests.leftovers import PAYLOAD_BYTES
from tests.waiting import wait_until

TRIALS = 6
FAULTY = 2  # in the first window, beside two sound trials
DIED = "The worker process ended while it ran the trial"


@dataclass(frozen=True)
class Fault:
    """What trial 2 does, and what becomes of it.

    Attributes:
        how: what the objective does.
        error: the type in ``misc["error"]``; None where the trial is done in the end.
        says: what the document says of it; of its first attempt, where the trial is done.
        runs: how often the objective is called.
        state: of the document.
        options: of ``SparkTrials``.
    """

    how: str
    error: str | None
    says: str
    runs: int = 1
    state: int = JOB_STATE_ERROR
    options: tuple[tuple[str, Any], ...] = ()


FAULTS = [
    Fault("raise", "ValueError", "ValueError: no good"),
    Fault("sys.exit", "SystemExit", "SystemExit: 3"),
    Fault("lock in the result", "UnpicklableResult", "result['model']['lock'] is a _thread.lock"),
    Fault("os._exit(1)", "WorkerDied", DIED, runs=2),
    Fault("os._exit(0)", "WorkerDied", DIED, runs=2),
    Fault("SIGKILL", "WorkerDied", DIED, runs=2),
    Fault("segfault", "WorkerDied", DIED, runs=2),
    Fault("SIGKILL", "WorkerDied", DIED, options=(("max_trial_retries", 0),)),
    Fault("SIGKILL once", None, DIED, runs=2, state=JOB_STATE_DONE),
    # Longer than a cold worker takes to start on a busy machine: that counts as running.
    Fault(
        "sleep",
        "TrialTimeout",
        "trial_timeout is 6 s",
        state=JOB_STATE_CANCEL,
        options=(("trial_timeout", 6.0),),
    ),
]


def make_objective(how: str, folder: Path) -> Callable[[float], Any]:
    """An objective whose trial 2 does what ``how`` says; every call leaves a file."""
    payload, faulty, act = os.urandom(PAYLOAD_BYTES), FAULTY, misbehave

    def objective(x: float) -> Any:
        trial = current_trial()
        (folder / f"{trial.tid}.{trial.attempt}").touch(exist_ok=False)
        if trial.tid == faulty:
            return act(how, trial.attempt)
        if trial.tid < faulty and how != "sleep":  # runs until the fault has happened beside it
            while not (folder / f"{faulty}.0").exists():
                time.sleep(0.02)
            time.sleep(0.5)
        return x + len(payload)

    return objective


def misbehave(how: str, attempt: int) -> Any:
    match how:
        case "raise":
            raise ValueError("no good")
        case "sys.exit":
            raise SystemExit(3)
        case "lock in the result":
            return {"loss": 0.0, "status": "ok", "model": {"lock": threading.Lock()}}
        case "os._exit(0)" | "os._exit(1)":
            os._exit(int(how[-2]))
        case "segfault":
            ctypes.string_at(0)
        case "sleep":
            time.sleep(600)
    if how == "SIGKILL" or attempt == 0:  # or "SIGKILL once"
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


misbehave.__module__ = "__main__"  # shipped by value: workers cannot import this file


def search(objective: Callable[[float], Any], trials: SparkTrials, **arguments: Any) -> None:
    space = hp.uniform("x", 0, 1)
    options = {"max_evals": TRIALS, "verbose": False, **arguments}
    fmin(objective, space, algo=rand.suggest, trials=trials, **options)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.how}-{fault.runs}")
def test_a_fault_ends_its_own_trial_as_it_should_and_nothing_else(
    site: Site, fault: Fault, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    trials = SparkTrials(3, spark_session=site.session, **dict(fault.options))
    with site.unchanged():
        search(make_objective(fault.how, runs), trials)

    documents = trials.all_trials
    assert [document["tid"] for document in documents] == list(range(TRIALS))
    expected = {f"{tid}.0" for tid in range(TRIALS)}
    expected |= {f"{FAULTY}.{attempt}" for attempt in range(fault.runs)}
    assert {path.name for path in runs.iterdir()} == expected
    faulty = documents.pop(FAULTY)
    for document in documents:
        assert document["state"] == JOB_STATE_DONE
        assert document["misc"]["execution"]["attempt"] == 0
        assert "error" not in document["misc"]
    check_fault(faulty, fault)


def check_fault(document: dict[str, Any], fault: Fault) -> None:
    assert document["state"] == fault.state
    if fault.error is not None:
        kind, text = document["misc"]["error"]
        assert kind == fault.error
        assert fault.says in text
        assert document["result"] == {"status": "fail"}
    if fault.state == JOB_STATE_CANCEL:
        return
    execution = document["misc"]["execution"]
    assert execution["attempt"] == len(execution["earlier"]) == fault.runs - 1
    assert execution["host"]
    assert execution["duration"] >= 0
    for earlier in execution["earlier"]:
        assert fault.says in earlier["reason"]
        assert "Python worker exited unexpectedly" in earlier["reason"]
        assert earlier["duration"] > 0


def test_a_search_that_times_out_keeps_its_results_and_cancels_its_trials_alone(
    site: Site, tmp_path: Path
) -> None:
    marker = tmp_path / "first"

    def objective(x: float) -> float:
        if current_trial().tid > 3:
            time.sleep(600)
        marker.touch()
        return x

    trials = SparkTrials(2, spark_session=site.session)
    with site.unchanged():
        search(objective, trials, max_evals=2)  # what is slow the first time has time
        search(objective, trials, timeout=8, deadline_margin=None)
    states = [document["state"] for document in trials.all_trials]
    assert states == [JOB_STATE_DONE] * 4 + [JOB_STATE_CANCEL] * 2


def test_an_objective_that_cannot_be_sent_leaves_nothing_behind(site: Site) -> None:
    lock = threading.Lock()
    trials = SparkTrials(2, spark_session=site.session)
    with (
        site.unchanged(),
        pytest.raises(UnpicklableObjective, match=r"it uses variable 'lock', a _thread\.lock"),
    ):
        search(lambda x: float(lock.locked()), trials)
    assert trials.count_total_trials() == 0


def test_workers_that_lack_a_module_start_no_trial_and_leave_nothing_behind(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here_alone.py").write_text("def objective(x):\n    return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import here_alone  # type: ignore[import-not-found]

    trials = SparkTrials(2, spark_session=site.session)
    with (
        site.unchanged(),
        pytest.raises(WorkersNotReady, match="No module named 'here_alone'") as caught,
    ):
        search(here_alone.objective, trials)
    assert f"by {sys.executable}" in str(caught.value)  # the worker's
    assert f"The driver's Python is {sys.executable}. " in str(caught.value)
    assert "PYSPARK_PYTHON" in str(caught.value)
    assert trials.count_successful_trials() == 0
    assert trials.count_total_trials() <= 2


class Unpickled:
    """An objective that does something to the worker, or waits there, when it is unpickled."""

    def __init__(self, how: str, folder: Path) -> None:
        self.how, self.folder = how, folder
        self.payload = os.urandom(PAYLOAD_BYTES)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        number = len(list(self.folder.iterdir()))
        (self.folder / str(number)).write_text(str(os.getpid()))
        if self.how == "sleep":
            time.sleep(600)
        if self.how == "SIGKILL" or number == 0:  # or "SIGKILL once"
            os.kill(os.getpid(), signal.SIGKILL)

    def __call__(self, x: float) -> float:
        return x


Unpickled.__module__ = "__main__"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where each unpickling of the objective leaves a file, named by its number."""
    folder = tmp_path / "unpickled"
    folder.mkdir()
    return folder


def test_a_worker_that_dies_of_the_objective_s_data_once_is_no_trial_s_fault(
    site: Site, folder: Path
) -> None:
    trials = SparkTrials(2, spark_session=site.session)
    with site.unchanged():
        search(Unpickled("SIGKILL once", folder), trials)
    assert len(list(folder.iterdir())) >= 2
    for document in trials.all_trials:
        assert document["state"] == JOB_STATE_DONE
        assert document["misc"]["execution"]["attempt"] == 0


def test_workers_that_die_of_the_objective_s_data_start_no_trial(site: Site, folder: Path) -> None:
    trials = SparkTrials(2, spark_session=site.session)
    with site.unchanged(), pytest.raises(WorkersNotReady, match=f"WorkerDied: {DIED}"):
        search(Unpickled("SIGKILL", folder), trials)
    assert len(list(folder.iterdir())) == 2  # tried twice, as a trial is
    assert trials.count_successful_trials() == 0


def test_a_search_that_times_out_while_the_objective_is_unpickled_ends_the_worker_s_process(
    site: Site, folder: Path
) -> None:
    trials = SparkTrials(2, spark_session=site.session)
    with site.unchanged(), pytest.raises(AllTrialsFailed):
        search(Unpickled("sleep", folder), trials, timeout=8, deadline_margin=None)
    states = [document["state"] for document in trials.all_trials]
    assert states == [JOB_STATE_CANCEL] * 2
    worker = Path("/proc") / (folder / "0").read_text()
    wait_until(lambda: not worker.exists())
