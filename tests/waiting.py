"""How tests wait for what happens elsewhere: until it does, or until nobody would wait longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sparktuner.execute import Ended, Executor

PATIENCE = 120.0  # seconds: a hang fails, a slow machine does not


def wait_until(condition: Callable[[], Any], explain: Callable[[], object] = str) -> None:
    """Wait until it holds; after ``PATIENCE`` fail with an explanation."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)


def wait_until_running(executor: Executor, *tids: Any) -> None:
    """Wait until these trials run; what ends meanwhile is passed over."""
    deadline = time.monotonic() + PATIENCE
    while any(executor.elapsed(tid) is None for tid in tids):
        assert time.monotonic() < deadline
        executor.wait(0.02)


def last_events(executor: Executor, count: int = 1) -> dict[Any, Ended]:
    """The ends of the next ``count`` trials to end, by tid."""
    ended: dict[Any, Ended] = {}
    deadline = time.monotonic() + PATIENCE
    while len(ended) < count:
        assert time.monotonic() < deadline, f"only {ended} ended"
        for event in executor.wait(1.0):
            if isinstance(event, Ended):
                assert event.tid not in ended
                ended[event.tid] = event
    return ended


@contextmanager
def closing_all(make: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """``make``, whose executors are closed at the end of the block."""
    made: list[Any] = []

    def make_and_keep(*args: Any, **kwargs: Any) -> Any:
        made.append(make(*args, **kwargs))
        return made[-1]

    yield make_and_keep
    for executor in made:
        executor.close()
