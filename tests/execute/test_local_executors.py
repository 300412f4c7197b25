"""The executors of this process, beyond the contract."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sparktuner.execute import (
    Cancelled,
    Ended,
    Failed,
    Finished,
    SerialExecutor,
    Started,
    Submission,
    ThreadExecutor,
)
from sparktuner.status import FailureKind


def test_serial_runs_in_the_caller_s_thread_and_hands_over_the_very_result() -> None:
    lock = threading.Lock()
    seen: list[Any] = []

    def objective(config: Any) -> Any:
        seen.extend([threading.current_thread(), config])
        return lock

    argument: dict[str, Any] = {}
    with SerialExecutor(objective) as executor:
        executor.submit(Submission(0, argument))
        assert executor.wait(None) == [Started(0)]
        (event,) = executor.wait(None)
    assert isinstance(event, Finished)
    assert event.value is lock
    assert seen[0] is threading.main_thread()
    assert seen[1] == argument


def test_serial_keeps_the_exception_itself() -> None:
    error = ValueError("x")

    def objective(config: Any) -> Any:
        raise error

    with SerialExecutor(objective) as executor:
        executor.submit(Submission(0, {}))
        _, event = executor.wait(None) + executor.wait(None)
    assert isinstance(event, Failed)
    assert event.exception is error


def test_ctrl_c_passes_through_serial_and_the_trial_ends_cancelled() -> None:
    def objective(config: Any) -> Any:
        raise KeyboardInterrupt

    executor = SerialExecutor(objective)
    executor.submit(Submission(0, {}))
    executor.wait(None)
    with pytest.raises(KeyboardInterrupt):
        executor.wait(None)
    assert executor.wait(None) == [Cancelled(0)]
    assert executor.free_slots() == 1


def test_a_serial_trial_that_has_not_begun_can_be_cancelled() -> None:
    called: list[Any] = []
    executor = SerialExecutor(called.append)
    executor.submit(Submission(0, {}))
    executor.cancel([0])
    assert executor.wait(None) == [Started(0), Cancelled(0)]
    assert called == []


def test_threads_enter_the_scope_in_the_trial_s_own_thread() -> None:
    log: list[Any] = []

    @contextmanager
    def around(tid: Any, description: str) -> Iterator[None]:
        log.append(("enter", tid, description, threading.current_thread()))
        yield
        log.append(("leave", threading.current_thread()))

    def objective(config: Any) -> Any:
        log.append(("run", threading.current_thread()))

    with ThreadExecutor(objective, 1, around) as executor:
        executor.submit(Submission(3, {}, "trial 3"))
        while not any(isinstance(e, Finished) for e in executor.wait(5)):
            pass
    thread = log[0][-1]
    assert thread is not threading.main_thread()
    assert log == [("enter", 3, "trial 3", thread), ("run", thread), ("leave", thread)]


def test_a_scope_that_cannot_be_entered_fails_the_trial_only() -> None:
    def around(tid: Any, description: str) -> Any:
        raise OSError("no pool")

    with ThreadExecutor(abs, 1, around) as executor:
        executor.submit(Submission(0, -1))
        events = executor.wait(5)
        while not isinstance(events[-1], Failed):
            events += executor.wait(5)
    assert events[-1].message == "no pool"


def test_a_cancelled_thread_that_raises_is_cancelled_and_one_that_returns_is_finished() -> None:
    go = threading.Event()
    told: list[Any] = []

    def objective(config: Any) -> Any:
        go.wait(30)
        if config:
            raise RuntimeError("its job was cancelled")
        return "kept"

    executor = ThreadExecutor(objective, 2, on_cancel=told.append)
    executor.submit(Submission(0, 0))
    executor.submit(Submission(1, 1))
    while executor.elapsed(0) is None or executor.elapsed(1) is None:
        executor.wait(0.01)
    executor.cancel([0, 1])
    go.set()
    ended: dict[Any, Any] = {}
    while len(ended) < 2:
        ended |= {e.tid: type(e) for e in executor.wait(5) if isinstance(e, Ended)}
    executor.close()
    assert ended == {0: Finished, 1: Cancelled}
    assert told == [[0, 1]]


def test_threads_that_never_end_do_not_hold_up_the_interpreter() -> None:
    before = set(threading.enumerate())
    executor = ThreadExecutor(lambda config: threading.Event().wait(600), 1)
    executor.submit(Submission(0, {}))
    executor.wait(5)
    (thread,) = (t for t in threading.enumerate() if t not in before)
    assert thread.daemon
    executor.close()
    assert executor.wait(None) == [Cancelled(0)]


def test_a_server_that_answers_no_cancel_does_not_hold_up_the_loop() -> None:
    release, asked = threading.Event(), threading.Event()

    def cancel(tids: list[Any]) -> None:
        asked.set()
        release.wait(60)

    executor = ThreadExecutor(lambda _: release.wait(60), 1, on_cancel=cancel)
    try:
        executor.submit(Submission(0, None))
        assert executor.wait(10) == [Started(0)]
        executor.cancel([0])  # the test would take a minute
        assert asked.wait(10)
        assert not release.is_set()
    finally:
        release.set()
        executor.close()


def test_a_session_that_is_gone_is_no_error_of_the_objective() -> None:
    def objective(_: object) -> float:
        raise ValueError("closed")

    with ThreadExecutor(objective, 1, why_gone=lambda error: f"gone: {error}") as executor:
        executor.submit(Submission(0, None))
        events = executor.wait(10)
        while not isinstance(events[-1], Ended):
            events += executor.wait(10)
    assert isinstance(events[-1], Failed)
    assert events[-1].kind is FailureKind.SESSION_GONE
    assert events[-1].message == "gone: closed"
