"""The queue between the threads that block and the loop that decides."""

from __future__ import annotations

import queue
from datetime import datetime, timedelta
from typing import Any

import pytest

from sparktuner.execute import Cancelled, Event, Failed, Finished, Started
from sparktuner.execute._inbox import Inbox, event_of
from sparktuner.status import FailureKind


def test_events_come_in_order_and_the_last_one_frees_the_slot() -> None:
    inbox = Inbox(2)
    inbox.expect("a")
    inbox.put(Started("a"))
    inbox.put(Cancelled("a"))
    assert inbox.free == 1
    assert inbox.take(None) == [Started("a"), Cancelled("a")]
    assert inbox.free == 2


def test_what_an_abandoned_trial_reports_later_is_dropped() -> None:
    inbox = Inbox(1)
    inbox.expect("a")
    inbox.close()
    inbox.abandon()
    assert inbox.take(None) == [Cancelled("a")]
    inbox.put(Failed("a", FailureKind.SPARK, "E", "late", ""))
    assert inbox.take(0.0) == []


def test_ctrl_c_while_events_are_taken_out_loses_none() -> None:
    inbox = Inbox(3)
    for tid in "abc":
        inbox.expect(tid)
        inbox.put(Cancelled(tid))

    class Interrupting(queue.SimpleQueue):  # type: ignore[type-arg]
        calls = 0

        def get(self, block: bool = True, timeout: float | None = None) -> Event:
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return super().get(block, timeout)

    interrupting: Any = Interrupting()
    while inbox.ready():
        interrupting.put(inbox._queue.get())
    inbox._queue = interrupting
    with pytest.raises(KeyboardInterrupt):
        inbox.take(None)
    assert sorted(event.tid for event in inbox.take(None)) == ["a", "b", "c"]


def test_clocks_that_disagree_give_no_negative_queue_time() -> None:
    started = datetime(2026, 1, 1)
    report: Any = {
        "host": "h",
        "executor": "1",
        "pid": 1,
        "started": started,
        "duration": 1.0,
        "value": None,
    }
    early = event_of(0, report, started + timedelta(seconds=5))
    late = event_of(0, report, started - timedelta(seconds=5))
    assert isinstance(early, Finished)
    assert early.execution.queue_time == 0.0
    assert isinstance(late, Finished)
    assert late.execution.queue_time == 5.0


def test_slots_that_go_while_the_loop_fills_them_are_missed_only_afterwards() -> None:
    inbox = Inbox(2)
    inbox.expect(0)
    inbox.resize(1)
    assert inbox.free == 1
    inbox.expect(1)  # the loop had seen it free
    assert inbox.take(10) == []
    assert (inbox.slots, inbox.free) == (1, 0)


def test_more_slots_end_the_wait_and_no_event_is_lost() -> None:
    inbox = Inbox(1)
    inbox.expect(0)
    inbox.put(Started(0))
    inbox.resize(3)
    inbox.put(Cancelled(0))
    assert inbox.take(None) == [Started(0)]
    assert inbox.free == 2
    assert inbox.take(None) == [Cancelled(0)]
    assert inbox.free == 3
