"""Long-lived threads that are made when they are first needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue


class Lanes:
    """Daemon threads that run functions side by side, each function in one thread.

    ``concurrent.futures`` joins its threads when the interpreter exits; a trial that never
    ends must not hold that up.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def run(self, job: Callable[[], None], width: int) -> None:
        """Run ``job`` in one of at most ``width`` threads; it must not raise."""
        if len(self._threads) < width:
            number = len(self._threads)
            thread = threading.Thread(
                target=self._work, name=f"{self._name}-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self._jobs.put(job)

    def close(self, grace: float) -> bool:
        """End the threads; return whether all did within ``grace`` seconds."""
        for _ in self._threads:
            self._jobs.put(None)
        deadline = time.monotonic() + grace
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
