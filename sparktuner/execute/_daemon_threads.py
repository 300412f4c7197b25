"""Long-lived daemon threads that are made when they are first needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue


class DaemonThreadPool:
    """A pool of daemon threads that run functions side by side.

    ``concurrent.futures`` joins its threads when the interpreter exits; a trial that never
    ends must not hold that up.
    """

    def __init__(self, name: str) -> None:
        """Makes a pool without threads.

        Args:
            name: its threads are named so, with a number behind it.
        """
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, job: Callable[[], None], max_workers: int) -> None:
        """Runs ``job`` in one of the pool's threads; it must not raise.

        Only one thread may call this.

        Args:
            job: what to run.
            max_workers: a thread is added unless there are as many by now.
        """
        if len(self._threads) < max_workers:
            number = len(self._threads)
            thread = threading.Thread(
                target=self._work, name=f"{self._name}-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self._jobs.put(job)

    def shutdown(self, timeout: float) -> bool:
        """Ends the threads and returns whether all had ended within ``timeout`` seconds."""
        for _ in self._threads:
            self._jobs.put(None)  # behind the jobs that are queued already
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
