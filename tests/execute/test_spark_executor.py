"""The bounded window, on a transport without Spark."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from sparktuner.execute import Cancelled, Ended, Failed, Finished, Submission
from sparktuner.execute.spark import JobFailed, SparkExecutor
from sparktuner.status import FailureKind
from tests.fake_transport import FakeTransport
from tests.waiting import wait_until


def last_event(executor: SparkExecutor) -> Any:
    while True:
        for event in executor.wait(10):
            if isinstance(event, Ended):
                return event


def slot_threads() -> int:
    return sum(thread.name.startswith("sparktuner-slot") for thread in threading.enumerate())


def test_a_cancel_that_comes_too_early_is_repeated_until_the_trial_ends() -> None:
    transport = FakeTransport(time.sleep, deaf_cancels=2)
    with SparkExecutor(transport, 1) as executor:
        executor.submit(Submission(0, 600))
        while executor.elapsed(0) is None:
            executor.wait(0.01)
        executor.cancel([0])
        assert last_event(executor) == Cancelled(0)
    assert transport.cancels == [executor.tag(0)] * 3


def test_a_cancel_that_helps_nothing_does_not_hold_up_another_one() -> None:
    transport = FakeTransport(time.sleep)
    stuck = threading.Event()

    def cancel(tag: str) -> None:
        if not tag.endswith("-0"):
            FakeTransport.cancel(transport, tag)

    transport.cancel = cancel  # type: ignore[method-assign]
    executor = SparkExecutor(transport, 2)
    executor.submit(Submission(0, 600))
    executor.submit(Submission(1, 600))
    while executor.elapsed(0) is None or executor.elapsed(1) is None:
        executor.wait(0.01)
    executor.cancel([0])
    stuck.wait(0.05)
    start = time.monotonic()
    executor.cancel([1])
    assert last_event(executor) == Cancelled(1)
    assert time.monotonic() - start < 1.0
    FakeTransport.cancel(transport, executor.tag(0))
    executor.close()


def test_threads_are_made_for_slots_that_are_used_and_used_again() -> None:
    before = slot_threads()
    with SparkExecutor(FakeTransport(lambda config: config), 50) as executor:
        assert slot_threads() == before
        for tid in range(10):
            executor.submit(Submission(tid, tid))
            last_event(executor)
        assert slot_threads() == before + 1
    assert slot_threads() == before


def test_a_job_that_fails_without_a_report_fails_its_trial_with_spark_s_reason() -> None:
    transport = FakeTransport(lambda config: config)
    with SparkExecutor(transport, 1) as executor:
        transport.failures[executor.tag(5)] = JobFailed(
            FailureKind.SPARK, "exit code 137", "trace", error_type="Oops"
        )
        executor.submit(Submission(5, {}))
        assert last_event(executor) == Failed(
            5, FailureKind.SPARK, "Oops", "exit code 137", "trace"
        )
        executor.submit(Submission(6, {}))
        assert isinstance(last_event(executor), Finished)


def test_the_description_and_the_trial_s_own_tag_reach_the_transport() -> None:
    transport = FakeTransport(lambda config: config)
    with SparkExecutor(transport, 1) as executor, SparkExecutor(transport, 1) as other:
        assert executor.tag(5) != other.tag(5)
        assert executor.tag(5).startswith("sparktuner-")
        executor.submit(Submission(5, {}, "trial 5: lr=0.1"))
        last_event(executor)
    assert transport.descriptions == {executor.tag(5): "trial 5: lr=0.1"}


def test_an_argument_that_cannot_be_pickled_fails_its_trial_and_names_the_field() -> None:
    with SparkExecutor(FakeTransport(lambda config: config), 1) as executor:
        executor.submit(Submission(0, {"clf": {"model": threading.Lock()}}))
        event = last_event(executor)
    assert event.error_type == "UnpicklableArgument"
    assert event.kind is FailureKind.ARGUMENT
    assert "config['clf']['model'], a _thread.lock, cannot be pickled" in event.message


def test_an_error_of_the_transport_itself_still_ends_the_trial() -> None:
    transport = FakeTransport(lambda config: config)

    def broken(*_: Any) -> bytes:
        raise LookupError("a bug")

    transport.run = broken  # type: ignore[method-assign]
    with SparkExecutor(transport, 1) as executor:
        executor.submit(Submission(0, {}))
        event = last_event(executor)
    assert (event.error_type, event.message) == ("LookupError", "a bug")


def test_closing_closes_the_transport_once_and_calls_back() -> None:
    called: list[int] = []
    transport = FakeTransport(lambda config: config)
    executor = SparkExecutor(transport, 1, on_close=lambda: called.append(1))
    executor.close()
    executor.close()
    assert (transport.closed, called) == (1, [1])


def test_a_transport_that_hangs_does_not_hang_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparktuner.execute.spark._executor._GRACE", 0.3)
    transport = FakeTransport(time.sleep, deaf_cancels=1000)
    executor = SparkExecutor(transport, 1)
    executor.submit(Submission(0, 60))
    start = time.monotonic()
    executor.close()
    assert time.monotonic() - start < 3.0
    assert executor.wait(None)[-1] == Cancelled(0)


def test_the_cost_of_a_trial_does_not_grow_with_the_trials_done() -> None:
    with SparkExecutor(FakeTransport(lambda config: config), 4) as executor:
        times: list[float] = []
        for tid in range(400):
            start = time.perf_counter()
            executor.submit(Submission(tid, tid))
            last_event(executor)
            times.append(time.perf_counter() - start)
    assert sorted(times[300:])[50] < 3 * sorted(times[:100])[50]


def test_a_second_ctrl_c_while_a_search_closes_leaves_no_thread_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ours() -> list[str]:
        names = [thread.name for thread in threading.enumerate()]
        return [name for name in names if name.startswith(("sparktuner-m", "sparktuner-c"))]

    transport = FakeTransport(time.sleep, deaf_cancels=10**6)
    executor = SparkExecutor(transport, 1)
    executor.submit(Submission(0, 600))
    while executor.elapsed(0) is None:
        executor.wait(0.01)

    def interrupted(timeout: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(executor._trial_threads, "shutdown", interrupted)
    with pytest.raises(KeyboardInterrupt):
        executor.close()
    wait_until(lambda: not ours(), ours)
    assert transport.closed == 1
    transport.deaf_cancels = 0
    transport.cancel(executor.tag(0))
