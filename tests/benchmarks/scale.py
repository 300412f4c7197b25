"""What a large search costs its driver: 1,000 slots, 10,000 trials, no cluster.

Run by hand, from the project's root; the first takes some minutes:

    python -m tests.benchmarks.scale
    python -m tests.benchmarks.scale --algo rand --slots 50 --trials 2000 --seconds 0.2

The window, its threads, the loop, the documents, the algorithm and the pickling are the real
ones; only Spark is not: a trial is the worker's code between two waits, for a log-normal
duration with the median ``--seconds``. Printed for each tenth of the trials are the driver's CPU
milliseconds a trial (all threads; those that ask the algorithm apart; the fake worker's own are
taken off), and memory; then threads, and how the cost of the last tenth compares. The first
trials of a search fill the window and are drawn at random, as no result is there to learn from,
so the yardstick is the first tenth that comes after them.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import math
import random
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle

from sparktuner import Trials, anneal, atpe, fmin, hp, rand, tpe
from sparktuner.execute import Executor, Limits
from sparktuner.execute.spark import SparkExecutor, Transport
from sparktuner.execute.worker import serve

ALGORITHMS = {module.__name__.rpartition(".")[2]: module for module in (tpe, rand, anneal, atpe)}
SPREAD = 0.5  # of the durations' logarithm
SPACE = {
    "lr": hp.loguniform("lr", math.log(1e-4), 0.0),
    "batch": hp.qloguniform("batch", math.log(16), math.log(512), 16),
    "layers": hp.randint("layers", 1, 8),
    "model": hp.choice(
        "model",
        [
            {"dropout": hp.uniform("dropout", 0.0, 0.8), "width": hp.quniform("width", 8, 512, 8)},
            {"l2": hp.loguniform("l2", -12.0, 0.0), "kernel": hp.choice("kernel", ["a", "b"])},
        ],
    ),
    "momentum": hp.uniform("momentum", 0.0, 1.0),
}


def objective(config: Any) -> dict[str, Any]:
    loss = math.log(config["lr"] * 100) ** 2 + (config["momentum"] - 0.7) ** 2
    return {"loss": loss + 0.1 * config["layers"], "status": "ok", "scores": [0.1] * 5}


class SleepingTransport(Transport):
    """Waits as long as a trial and its job take, and runs the worker's code."""

    def __init__(self, seconds: float) -> None:
        self.worker_cpu = 0.0
        self._seconds = seconds
        self._durations = random.Random(0)
        self._shipped = [cloudpickle.dumps(objective)]

    def run(self, task: bytes, tag: str, description: str) -> bytes:
        time.sleep(self._seconds * self._durations.lognormvariate(0.0, SPREAD))
        began = time.thread_time()
        report = serve(self._shipped, task, "sleeping")
        self.worker_cpu += time.thread_time() - began
        return report

    def take(self, request: bytes, tag: str, description: str, spread: int) -> bytes:
        """Nothing is attached here."""
        return b""

    def cancel(self, tag: str) -> None:
        """Nothing is cancelled here."""

    def running_since(self, tag: str) -> float | None:
        return None

    def close(self) -> None:
        """Nothing was shipped."""


class SleepingRunner:
    """Runs trials in a window of ``slots`` on a :class:`SleepingTransport`."""

    asynchronous = True
    limits = Limits()

    def __init__(self, slots: int, seconds: float) -> None:
        self.transport = SleepingTransport(seconds)
        self._slots = slots

    def open(self, objective: Callable[[Any], Any]) -> Executor:
        return SparkExecutor(self.transport, self._slots)


class Meter:
    """Wraps an algorithm, and takes the driver's readings whenever it is asked."""

    def __init__(self, suggest: Callable[..., Any], runner: SleepingRunner) -> None:
        self._suggest = suggest
        self._runner = runner
        self.cpu: list[float] = []  # at each question, in seconds since the process began
        self.suggesting: list[float] = []  # of each question
        self.memory: dict[int, float] = {}  # after so many questions, in MB
        self.threads = 0

    def __call__(self, *args: Any) -> Any:
        self.note()
        began = time.thread_time()
        documents = self._suggest(*args)
        self.suggesting.append(time.thread_time() - began)
        return documents

    def note(self) -> None:
        self.cpu.append(time.process_time() - self._runner.transport.worker_cpu)
        if len(self.suggesting) % 100 == 0:  # a costly reading
            self.memory[len(self.suggesting)] = _resident_mb()
            self.threads = max(self.threads, threading.active_count())


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def run(name: str, options: argparse.Namespace) -> None:
    runner = SleepingRunner(options.slots, options.seconds)
    trials = Trials(runner=runner)
    meter = Meter(ALGORITHMS[name].suggest, runner)
    began = time.perf_counter()
    fmin(objective, SPACE, meter, options.trials, trials=trials, rstate=1, verbose=False)
    took = time.perf_counter() - began
    meter.note()
    assert len(trials.trials) == len(meter.suggesting) == options.trials
    print(f"{name}: {options.trials} trials, {options.slots} slots, {took:.0f} s, "
          f"{meter.threads} threads")  # fmt: skip
    report(meter, options.trials // 10, filled=options.slots)


def report(meter: Meter, size: int, filled: int) -> None:
    def cost(start: int) -> float:
        return (meter.cpu[start + size] - meter.cpu[start]) / size * 1e3

    for start in range(0, 10 * size, size):
        asking = statistics.fmean(meter.suggesting[start : start + size]) * 1e3
        print(
            f"  trials {start:>6} on: {cost(start):6.2f} ms of CPU a trial, {asking:6.2f} of them "
            f"in the algorithm; {meter.memory[start + size]:.0f} MB"
        )
    grown = (meter.memory[10 * size] - meter.memory[size]) / (9 * size) * 1024
    ratio = cost(9 * size) / cost(filled)
    print(f"  the last {size} cost {ratio:.2f} times the {size} after the first window; "
          f"{grown:.1f} kB a trial", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--algo", nargs="+", choices=list(ALGORITHMS), default=["tpe", "rand"])
    parser.add_argument("--slots", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    for name in options.algo:
        run(name, options)


if __name__ == "__main__":
    main()
