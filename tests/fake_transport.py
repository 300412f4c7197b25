"""A transport without Spark: one thread for each trial, which a cancel leaves behind."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import cloudpickle

from sparktuner.execute.spark import JobFailed, Transport
from sparktuner.execute.worker import serve, take
from sparktuner.status import FailureKind


class FakeTransport(Transport):
    """Runs the real worker code; ``deaf_cancels`` cancels hit nothing, like too early ones."""

    def __init__(self, objective: Callable[[Any], Any], deaf_cancels: int = 0) -> None:
        self._packed = cloudpickle.dumps(objective)
        self._condition = threading.Condition()
        self._cancelled: set[str] = set()
        self._since: dict[str, float] = {}
        self.deaf_cancels = deaf_cancels
        self.cancels: list[str] = []
        self.descriptions: dict[str, str] = {}
        self.failures: dict[str, JobFailed] = {}
        self.closed = 0

    def run(self, task: bytes, tag: str, description: str) -> bytes:
        self.descriptions[tag] = description
        if tag in self.failures:
            raise self.failures[tag]
        done: list[bytes] = []

        def work() -> None:
            report = serve([self._packed], task, "fake", 0)
            with self._condition:
                done.append(report)
                self._condition.notify_all()

        self._since[tag] = time.time()
        threading.Thread(target=work, daemon=True, name="fake-worker").start()
        with self._condition:
            self._condition.wait_for(lambda: done or tag in self._cancelled)
            self._since.pop(tag)
            if not done:
                raise JobFailed(FailureKind.JOB_CANCELLED, "cancelled")
        return done[0]

    def take(self, request: bytes, tag: str, description: str, spread: int) -> bytes:
        if tag in self.failures:
            raise self.failures[tag]
        return take(*pickle.loads(request))

    def cancel(self, tag: str) -> None:
        with self._condition:
            self.cancels.append(tag)
            if self.deaf_cancels > 0:
                self.deaf_cancels -= 1
                return
            self._cancelled.add(tag)
            self._condition.notify_all()

    def running_since(self, tag: str) -> float | None:
        return self._since.get(tag)

    def close(self) -> None:
        self.closed += 1
