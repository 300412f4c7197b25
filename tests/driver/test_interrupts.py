"""Ctrl-C, and a store that fails, leave every trial recorded."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from sparktuner import Callback, ThreadTrials, Trials, fmin, hp, rand
from sparktuner.driver._interrupt_gate import InterruptGate
from sparktuner.records import MemoryStore, TrialDocument
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_NEW, JOB_STATE_RUNNING

X = hp.uniform("x", 0, 1)


@pytest.fixture(autouse=True)
def pythons_own_handler() -> Iterator[None]:
    """Once a test has started Spark, pyspark's is there, which cancels all jobs first."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_for_the_end_of_the_block_and_a_second_one_does_not() -> None:
    woken: list[bool] = []
    gate, reached = InterruptGate(lambda: woken.append(True) or True), []
    with pytest.raises(KeyboardInterrupt), gate.guarding():
        interrupt()
        reached.append(1)
    assert woken == [True]
    with pytest.raises(KeyboardInterrupt), gate.guarding():
        interrupt()
        with gate.opened():
            reached.append("not reached")
    with pytest.raises(KeyboardInterrupt), gate.guarding():
        interrupt()
        interrupt()
        reached.append("not reached")
    objective_runs = InterruptGate(lambda: False)
    with pytest.raises(KeyboardInterrupt), objective_runs.guarding():
        interrupt()
        reached.append("not reached")
    assert reached == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_in_another_thread_a_gate_does_nothing() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[Any] = []

    def work() -> None:
        gate = InterruptGate(lambda: True)
        with gate.guarding(), gate.opened():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


class InterruptedIn(MemoryStore):
    """A store in the midst of whose n-th write Ctrl-C arrives."""

    def __init__(self, nth: int) -> None:
        super().__init__()
        self.left = nth

    def update(self, documents: Iterable[TrialDocument]) -> None:
        self.left -= 1
        if self.left == 0:
            interrupt()
        super().update(documents)


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("width", [1, 3])
def test_ctrl_c_inside_the_bookkeeping_leaves_no_trial_half_done(nth: int, width: int) -> None:
    store = InterruptedIn(nth)
    trials = Trials(store=store) if width == 1 else ThreadTrials(width, store=store)
    with pytest.raises(KeyboardInterrupt):
        fmin(abs, X, rand.suggest, 50, trials=trials, rstate=0, verbose=False)
    states = [t["state"] for t in trials.all_trials]
    assert not {JOB_STATE_NEW, JOB_STATE_RUNNING} & set(states)
    fmin(abs, X, rand.suggest, len(trials) + 2, trials=trials, rstate=0, verbose=False)
    assert [t["state"] for t in trials.all_trials][-2:] == [JOB_STATE_DONE] * 2


def test_ctrl_c_at_any_time_of_fast_searches_leaves_no_trial_half_done() -> None:
    program = """
import random, signal, sys
from sparktuner import ThreadTrials, Trials, fmin, hp, rand
bad, interrupted = [], 0
for i in range(150):
    trials = Trials() if i % 2 else ThreadTrials(4)
    signal.setitimer(signal.ITIMER_REAL, random.Random(i).uniform(0.0005, 0.03))
    try:
        fmin(abs, hp.uniform("x", 0, 1), rand.suggest, 10**6, trials=trials, verbose=False)
    except KeyboardInterrupt:
        interrupted += 1
    except Exception as error:
        bad.append(repr(error))
    if {0, 1} & {t["state"] for t in trials.all_trials}:
        bad.append("left behind")
print(interrupted, bad)
"""
    setup = "import signal\nsignal.signal(signal.SIGALRM, lambda n, f: signal.raise_signal(2))\n"
    done = subprocess.run(
        [sys.executable, "-c", setup + program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split(maxsplit=1)[1:] == ["[]\n"], done.stdout + done.stderr


@pytest.mark.parametrize("catch", [True, False])
def test_sigterm_ends_a_search_whatever_the_objective_s_errors_do(catch: bool) -> None:
    program = f"""
import os, signal, sys
from sparktuner import Trials, fmin, hp
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(3))
trials = Trials()

def objective(x):
    if len(trials.all_trials) == 3:
        os.kill(os.getpid(), signal.SIGTERM)
    return x

try:
    fmin(objective, hp.uniform("x", 0, 1), max_evals=50, trials=trials, verbose=False,
         catch_eval_exceptions={catch})
finally:
    print([t["state"] for t in trials.all_trials])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stdout.strip() == b"[2, 2, 4]"


def test_an_objective_that_exits_is_a_failed_trial() -> None:
    trials = Trials()
    fmin(
        lambda x: sys.exit(1) if len(trials.all_trials) == 2 else x,
        X,
        max_evals=4,
        trials=trials,
        verbose=False,
        catch_eval_exceptions=True,
    )
    assert [t["state"] for t in trials.all_trials] == [2, 3, 2, 2]


class FullDisk(MemoryStore):
    """A store that cannot write any more after so many writes."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.left = writes

    def update(self, documents: Iterable[TrialDocument]) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError("no space left on device")
        super().update(documents)


@pytest.mark.parametrize("writes", [0, 1, 5, 6])
@pytest.mark.parametrize("width", [1, 3])
def test_a_store_that_fails_ends_the_search_when_all_that_came_back_is_recorded(
    writes: int, width: int
) -> None:
    store = FullDisk(writes)
    trials = Trials(store=store) if width == 1 else ThreadTrials(width, store=store)
    ended: list[int] = []

    class Ends(Callback):
        def on_trial_end(self, document: TrialDocument) -> None:
            ended.append(document["tid"])

    with pytest.raises(OSError, match="no space left"):
        fmin(abs, X, rand.suggest, 50, trials=trials, verbose=False, callbacks=[Ends()])
    documents = trials.all_trials
    assert JOB_STATE_RUNNING not in {t["state"] for t in documents}
    assert sorted(ended) == [t["tid"] for t in documents if t["state"] != JOB_STATE_NEW]
