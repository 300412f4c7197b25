"""What the window knows of the cluster, on a transport without Spark."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sparktuner.driver import Progress
from sparktuner.execute import Event, Finished, SlotChanged, Started, Submission
from sparktuner.execute.spark import SparkExecutor
from sparktuner.execute.spark._shipping import pack_argument
from sparktuner.records import new_document
from tests.fake_transport import FakeTransport
from tests.waiting import PATIENCE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparktuner.execute.spark._slot_monitor._PERIOD", 0.05)
    pack_argument(0)  # imports pyspark, which the first trial would be seen to wait for


class FullCluster(FakeTransport):
    """Tells of the trials in ``waiting`` that they have no slot, and counts the questions."""

    def __init__(self, objective: Callable[[Any], Any]) -> None:
        super().__init__(objective)
        self.waiting: set[str] = set()
        self.asked = 0

    def running_since(self, tag: str) -> float | None:
        self.asked += 1
        return None if tag in self.waiting else super().running_since(tag)


@pytest.fixture
def transport() -> FullCluster:
    return FullCluster(time.sleep)


@pytest.fixture
def executor(transport: FullCluster) -> Iterator[SparkExecutor]:
    with SparkExecutor(transport, 4) as made:
        yield made


def news(executor: SparkExecutor, count: int) -> list[Event]:
    """The next ``count`` events but for each trial's start."""
    found: list[Event] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < deadline, found
        found += [event for event in executor.wait(1.0) if not isinstance(event, Started)]
    return found


def test_a_trial_without_a_slot_is_told_from_one_that_runs(
    executor: SparkExecutor, transport: FullCluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sparktuner")
    transport.waiting.add(executor.tag(1))
    for tid in (0, 1):
        executor.submit(Submission(tid, 600))
    assert news(executor, 1) == [SlotChanged(1, waits=True)]
    assert executor.elapsed(1) is None
    assert executor.elapsed(0) is not None
    transport.waiting.clear()
    while not (found := executor.wait(1.0)):
        pass
    assert found == [SlotChanged(1, waits=False)]
    assert executor.elapsed(1) is not None
    assert "1 trials run, 1 wait for a slot" in caplog.text


def test_the_bar_shows_what_runs_apart_from_what_waits() -> None:
    class Bar:
        postfix = ""

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *exc: object) -> None: ...

        def update(self, n: int) -> None:
            shown.append(self.postfix)

    shown: list[str] = []
    progress = Progress(lambda initial, total: Bar(), [], 9)
    documents = [new_document(tid, {}) for tid in range(4)]
    for document in documents:
        progress.on_trial_start(document)
    progress.on_slot_change(documents[3], waits=True)
    assert shown[-2:] == [
        "best loss: ?, running: 4, failed: 0",
        "best loss: ?, running: 3, waiting: 1, failed: 0",
    ]


def test_the_bar_counts_no_more_running_trials_than_there_are_slots() -> None:
    class Bar:
        postfix = ""

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *exc: object) -> None: ...

        def update(self, n: int) -> None:
            shown.append(self.postfix)

    shown: list[str] = []
    slots: list[int | None] = [None]
    progress = Progress(lambda initial, total: Bar(), [], 9, lambda: slots[0])
    documents = [new_document(tid, {}) for tid in range(3)]
    for document in documents:
        progress.on_trial_start(document)
    slots[0] = 2  # counted by now; nobody has looked at the third trial
    progress.on_slot_change(documents[0], waits=False)
    progress.on_slot_change(documents[2], waits=True)
    assert shown[-3:] == [
        "best loss: ?, running: 3, failed: 0",
        "best loss: ?, running: 2, waiting: 1, failed: 0",
        "best loss: ?, running: 2, waiting: 1, failed: 0",
    ]


def test_the_log_counts_no_more_running_trials_than_there_are_slots(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "sparktuner")
    transport = FullCluster(time.sleep)
    counted: list[int] = []

    def width() -> int:
        counted.append(2)
        return 4

    def capacity() -> int | None:
        return counted[-1] if counted else None

    with SparkExecutor(transport, 4, width=width, capacity=capacity) as executor:
        transport.waiting.add(executor.tag(0))
        for tid in range(4):
            executor.submit(Submission(tid, 600))
        deadline = time.monotonic() + PATIENCE
        while "2 trials run, 2 wait for a slot" not in caplog.messages:
            assert time.monotonic() < deadline
            executor.wait(0.05)
        assert executor.capacity() == 2
    facts = [vars(r) for r in caplog.records if getattr(r, "event", "") == "slots_changed"]
    assert all(fact["running"] <= 2 for fact in facts)
    assert {"running": 2, "waiting": 2}.items() <= facts[-1].items()


def test_a_change_of_the_window_is_an_event_with_fields(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sparktuner")
    with SparkExecutor(FakeTransport(time.sleep), 2, width=lambda: 5) as executor:
        executor.submit(Submission(0, 600))
        deadline = time.monotonic() + PATIENCE
        while executor.parallelism != 5:
            assert time.monotonic() < deadline
            executor.wait(0.02)
    [fact] = [vars(r) for r in caplog.records if getattr(r, "event", "") == "window_changed"]
    assert (fact["window"], fact["before"]) == (5, 2)
    assert fact["message"] == "5 trials may run at a time from now on, not 2"


def test_trials_that_end_soon_cost_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparktuner.execute.spark._slot_monitor._PERIOD", 1.0)
    transport = FullCluster(lambda config: config)
    with SparkExecutor(transport, 4) as executor:
        for tid in range(50):
            executor.submit(Submission(tid, tid))
            while not any(isinstance(event, Finished) for event in executor.wait(10)):
                pass
    assert transport.asked == 0


def test_asking_how_long_a_trial_runs_never_waits_for_spark(
    executor: SparkExecutor, transport: FullCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparktuner.execute.spark._slot_monitor._PERIOD", 60.0)
    go_on, asked = threading.Event(), threading.Event()

    def running_since(tag: str) -> float:
        asked.set()
        go_on.wait(PATIENCE)
        return time.time() - 7

    transport.running_since = running_since  # type: ignore[method-assign]
    executor.submit(Submission(0, 600))
    executor.wait(PATIENCE)
    began = time.monotonic()
    assert executor.elapsed(0) is None  # which makes the watch look
    assert asked.wait(PATIENCE)
    assert executor.elapsed(0) is None
    assert time.monotonic() - began < PATIENCE / 2
    go_on.set()
    while executor.elapsed(0) is None:
        assert time.monotonic() - began < PATIENCE
    assert 7 <= (executor.elapsed(0) or 0) < PATIENCE


def test_the_window_follows_the_slots_and_more_of_them_wake_the_loop() -> None:
    slots = [2]
    with SparkExecutor(FakeTransport(time.sleep), 2, width=lambda: slots[0]) as executor:
        for tid in range(2):
            executor.submit(Submission(tid, 600))
        while executor.free_slots() == 0:
            slots[0] = 5
            executor.wait(PATIENCE)  # nothing ends, yet it returns
        assert (executor.parallelism, executor.free_slots()) == (5, 3)
        slots[0] = 1
        deadline = time.monotonic() + PATIENCE
        while executor.parallelism != 1:
            assert time.monotonic() < deadline
            executor.wait(0.02)
        assert executor.free_slots() == 0
        with pytest.raises(RuntimeError, match="No slot is free"):
            executor.submit(Submission(2, 600))


def test_a_cluster_that_does_not_answer_leaves_the_window_as_it_is() -> None:
    asked = threading.Event()

    def width() -> int:
        asked.set()
        raise OSError("gone")

    with SparkExecutor(FakeTransport(time.sleep), 3, width=width) as executor:
        executor.submit(Submission(0, 600))
        assert asked.wait(PATIENCE)
        assert executor.parallelism == 3


def test_an_empty_cluster_leaves_room_for_one_trial() -> None:
    with SparkExecutor(FakeTransport(time.sleep), 3, width=lambda: 0) as executor:
        executor.submit(Submission(0, 600))
        deadline = time.monotonic() + PATIENCE
        while executor.parallelism != 1:
            assert time.monotonic() < deadline
            executor.wait(0.02)


def test_a_trial_that_waits_for_the_probe_waits() -> None:
    go_on = threading.Event()

    class SlowProbe(FakeTransport):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            if not task:
                go_on.wait(PATIENCE)
            return super().run(task, tag, description)

    with SparkExecutor(SlowProbe(time.sleep), 1, preflight=True) as executor:
        executor.submit(Submission(0, 600))
        assert news(executor, 1) == [SlotChanged(0, waits=True)]
        go_on.set()
        while not (found := executor.wait(PATIENCE)):
            pass
        assert found == [SlotChanged(0, waits=False)]
