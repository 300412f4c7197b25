"""Runs searches in virtual time: jobs as JSON lines on stdin, results as JSON lines on stdout.

A process of its own, so that peers run in their own interpreter.
"""

from __future__ import annotations

import heapq
import json
import sys
import time
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from tests.benchmarks._quality_optimisers import make
from tests.benchmarks._quality_sklearn import sklearn_tasks
from tests.benchmarks._quality_tasks import SYNTHETIC, Task


def search(task: Task, optimiser: str, workers: int, seed: int, trials: int) -> dict[str, Any]:
    """One asynchronous search; a worker that gets free asks at once.

    Returns:
        ``true``: noise-free losses of the incumbent (by observed loss) after each result, and
        the seconds that asking took.
    """
    salt = crc32(f"{task.name}/{workers}".encode())
    # Durations and noise are the same for all optimisers.
    rng = np.random.default_rng([seed, salt])
    durations = rng.lognormal(0.0, 0.5, trials)
    noise = task.noise * rng.normal(size=trials)
    peer = make(optimiser, task.space, seed + salt % 10_000)
    running: list[tuple[float, int, Any, float]] = []
    best, incumbent, clock, seconds = np.inf, np.nan, 0.0, 0.0
    true: list[float] = []
    for i in range(trials + workers):
        if len(running) == workers or i >= trials:
            if not running:
                break
            clock, tid, key, loss = heapq.heappop(running)
            observed = loss + noise[tid]
            peer.tell(key, observed)
            if observed < best:
                best, incumbent = observed, loss
            true.append(incumbent)
        if i < trials:
            start = time.perf_counter()
            key, values = peer.ask()
            seconds += time.perf_counter() - start
            heapq.heappush(running, (clock + durations[i], i, key, task.loss(values)))
    return {"true": [round(t, 8) for t in true], "seconds": round(seconds, 3)}


def main() -> None:
    """Serve the jobs; argv[1] is the folder of the cached tables."""
    tasks = {task.name: task for task in (*SYNTHETIC, *sklearn_tasks(Path(sys.argv[1])))}
    for line in sys.stdin:
        job = json.loads(line)
        task = tasks[job["task"]]
        result = search(task, job["optimiser"], job["workers"], job["seed"], job["trials"])
        sys.stdout.write(json.dumps(job | result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
