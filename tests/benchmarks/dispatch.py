"""How fast trials are handed to Spark, against what Spark itself can do.

Run by hand, from the project's root:

    python -m tests.benchmarks.dispatch [--peer-python PATH]

On one ``local[8]`` session, trials that sleep 0.1 s, 8 at a time, four ways:

* floor: a plain pool of 8 threads, each launching the same one-task Spark jobs with pyspark's
  public API (one base RDD, ``map``, ``collect``; workers reused).
* executor: our executor alone, submit and wait.
* fmin: ``fmin`` with ``SparkTrials`` and ``rand.suggest``.
* hyperopt: the same with hyperopt 0.3.0, by the interpreter that ``--peer-python`` names (it
  needs hyperopt and pyspark), in a session with the same settings.

Then executor and fmin again with 48 MB in the objective's closure, against the floor plus one
broadcast of those bytes that one task reads.

All ways take turns, in a random order, after a warm-up; the medians are printed.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sparktuner import SparkTrials, fmin, hp, rand
from sparktuner.execute import Failed, Finished
from sparktuner.execute.spark import make_executor
from sparktuner.testing import conf_directory, local_spark

PEER_PROGRAM = """
import json, sys, time
from hyperopt import SparkTrials, fmin, hp, rand
from pyspark.sql import SparkSession

trials, parallelism, seconds, repeat = json.loads(sys.argv[1])
session = SparkSession.builder.master(f"local[{parallelism}]").getOrCreate()

def objective(x):
    time.sleep(seconds)
    return x

def once(n):
    start = time.perf_counter()
    fmin(objective, hp.uniform("x", 0, 1), algo=rand.suggest, max_evals=n, verbose=False,
         trials=SparkTrials(parallelism=parallelism), show_progressbar=False)
    return time.perf_counter() - start

once(parallelism)
print(json.dumps([once(trials) for _ in range(repeat)]))
session.stop()
"""


def make_objective(seconds: float, size_mb: int) -> Callable[[Any], float]:
    data = os.urandom(size_mb * 2**20)

    def objective(x: Any) -> float:
        time.sleep(seconds)
        return float(x) + 0 * len(data)

    return objective


def floor_time(session: Any, trials: int, parallelism: int, seconds: float) -> float:
    base = session.sparkContext.parallelize([0], 1)
    objective = make_objective(seconds, 0)

    def one(x: float) -> float:
        (loss,) = base.map(lambda _: objective(x)).collect()
        return float(loss)

    with ThreadPoolExecutor(parallelism) as pool:
        start = time.perf_counter()
        losses = list(pool.map(one, range(trials)))
        took = time.perf_counter() - start
    assert losses == list(range(trials))
    return took


def executor_time(session: Any, trials: int, parallelism: int, objective: Any) -> float:
    """From the objective in hand to the last result, shipping included."""
    start = time.perf_counter()
    with make_executor(session, objective, parallelism) as executor:
        submitted = finished = 0
        while finished < trials:
            while submitted < trials and executor.free_slots():
                executor.submit(submitted, submitted, f"trial {submitted}")
                submitted += 1
            for event in executor.wait(None):
                assert not isinstance(event, Failed), event
                finished += isinstance(event, Finished)
    return time.perf_counter() - start


def fmin_time(session: Any, trials: int, parallelism: int, objective: Any) -> float:
    spark_trials = SparkTrials(parallelism=parallelism, spark_session=session)
    start = time.perf_counter()
    fmin(
        objective,
        hp.uniform("x", 0, 1),
        algo=rand.suggest,
        max_evals=trials,
        trials=spark_trials,
        rstate=1,
        verbose=False,
        show_progressbar=False,
    )
    took = time.perf_counter() - start
    assert spark_trials.count_successful_trials() == trials
    return took


def broadcast_time(session: Any, size_mb: int) -> float:
    """One broadcast of that many bytes, until one task has read them."""
    data = os.urandom(size_mb * 2**20)
    base = session.sparkContext.parallelize([0], 1)
    start = time.perf_counter()
    broadcast = session.sparkContext.broadcast(data)
    (size,) = base.map(lambda _: len(broadcast.value)).collect()
    took = time.perf_counter() - start
    broadcast.destroy()
    assert size == len(data)
    return took


def peer_times(python: str, options: argparse.Namespace) -> list[float]:
    """hyperopt's wall times, measured by another interpreter."""
    arguments = [options.trials, options.parallelism, options.seconds, options.peer_repeat]
    answer = subprocess.run(
        [python, "-W", "ignore", "-c", PEER_PROGRAM, json.dumps(arguments)],
        env={**os.environ, "SPARK_CONF_DIR": str(conf_directory()), "PYSPARK_PYTHON": python},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    times: list[float] = json.loads(answer.stdout.splitlines()[-1])
    return times


def measure(ways: dict[str, Callable[[], float]], repeat: int) -> dict[str, list[float]]:
    """The wall times of each way, all taking turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeat + 1):
        for name in random.sample(list(ways), len(ways)):
            took = ways[name]()
            if turn > 0:  # the first is the warm-up
                times[name].append(took)
    return times


def report(times: dict[str, list[float]], against: float, label: str) -> None:
    for name, values in times.items():
        median = statistics.median(values)
        span = f"{min(values):.2f} to {max(values):.2f}"
        print(f"  {name:<18} {median:6.2f} s  ({span}; {against / median:.2f} of {label})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--parallelism", type=int, default=8)
    parser.add_argument("--closure-mb", type=int, default=48)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--peer-python", help="an interpreter with hyperopt and pyspark")
    parser.add_argument("--peer-repeat", type=int, default=1)
    options = parser.parse_args()
    n, width, seconds = options.trials, options.parallelism, options.seconds

    small = make_objective(seconds, 0)
    large = make_objective(seconds, options.closure_mb)
    with local_spark(f"local[{width}]") as session:
        ways = {
            "floor": lambda: floor_time(session, n, width, seconds),
            "executor": lambda: executor_time(session, n, width, small),
            "fmin": lambda: fmin_time(session, n, width, small),
            "broadcast": lambda: broadcast_time(session, options.closure_mb),
            "executor, closure": lambda: executor_time(session, n, width, large),
            "fmin, closure": lambda: fmin_time(session, n, width, large),
        }
        times = measure(ways, options.repeat)
    floor = statistics.median(times["floor"])
    broadcast = statistics.median(times.pop("broadcast"))
    closures = {name: times.pop(name) for name in list(times) if name.endswith("closure")}
    print(
        f"{n} trials of {seconds} s, {width} at a time, on local[{width}], {os.cpu_count()} CPUs"
    )
    if options.peer_python:
        times["hyperopt 0.3.0"] = peer_times(options.peer_python, options)
    report(times, floor, "the floor's throughput")
    if options.peer_python:
        ratio = statistics.median(times["hyperopt 0.3.0"]) / statistics.median(times["fmin"])
        print(f"  fmin is {ratio:.1f} times as fast as hyperopt")
    bound = broadcast + floor
    print(f"with {options.closure_mb} MB in the closure; one broadcast of it: {broadcast:.2f} s")
    report(closures, bound, "broadcast + floor")


if __name__ == "__main__":
    sys.exit(main())
