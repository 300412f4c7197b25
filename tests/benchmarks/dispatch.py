"""How fast trials are handed to Spark, against what Spark itself can do.

Run by hand, from the project's root; the first takes half an hour, the others a minute:

    python -m tests.benchmarks.dispatch
    python -m tests.benchmarks.dispatch --kind connect --seconds 0.1 --parallelism 8
    python -m tests.benchmarks.dispatch --kind classic --parallelism 8 --closure-mb 48

Three kinds of session with 8 slots each: ``classic`` (``local[8]``), ``connect``
(``remote("local[8]")``) and ``cluster`` (``local-cluster[2,4,1024]``). On each, trials that
sleep 0, 0.1 and 1 s, and 1, 8 and 32 at a time, three ways:

* floor: a plain pool of as many threads, each launching the same one-task Spark jobs with
  pyspark's public API (an RDD's ``map`` and ``collect``; on Connect ``mapInArrow``).
* executor: our executor alone, submit and wait.
* fmin: ``fmin`` with ``SparkTrials`` and ``rand.suggest``.

Ours include shipping the objective and the preflight probe. The ways take turns, in a random
order, after a warm-up; medians are printed, as a share of the floor's throughput, with the
slot use: the seconds that trials slept, over wall time times the slots that they may use.
With ``--closure-mb``, data in our objectives' closures, and one broadcast of it in the floor.
With ``--peer-python`` (an interpreter with hyperopt and pyspark) hyperopt's time as well.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from sparktuner.testing import local_spark
from tests.benchmarks._dispatch_ways import (
    Case,
    classic_floor,
    connect_floor,
    executor_time,
    fmin_time,
    peer_time,
)

SLOTS = 8
MASTERS = {
    "classic": f"local[{SLOTS}]",
    "connect": f"local[{SLOTS}]",
    "cluster": f"local-cluster[2,{SLOTS // 2},1024]",
}


def default_trials(parallelism: int, seconds: float) -> int:
    """Enough for some seconds of work, and for several windows."""
    width = min(parallelism, SLOTS)
    return max(3 * parallelism, width * (10 if seconds >= 1 else 40))


def measure(ways: dict[str, Callable[[], float]], repeat: int) -> dict[str, float]:
    """The median wall time of each way, all taking turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeat + 1):
        for name in random.sample(list(ways), len(ways)):
            took = ways[name]()
            if turn > 0:  # the first is the warm-up
                times[name].append(took)
    return {name: statistics.median(values) for name, values in times.items()}


def run_case(session: Any, kind: str, case: Case, options: argparse.Namespace) -> None:
    floor = connect_floor if kind == "connect" else classic_floor
    known = {"floor": floor, "executor": executor_time, "fmin": fmin_time}
    ways = {name: partial(known[name], session, case) for name in ("floor", *options.way)}
    times = measure(ways, options.repeat)
    if options.peer_python:
        times["hyperopt"] = peer_time(options.peer_python, MASTERS[kind], case)
    window = min(case.parallelism, SLOTS)
    print(f"{kind}: {case.trials} trials of {case.seconds:g} s, {case.parallelism} at a time")
    for name, took in times.items():
        use = case.trials * case.seconds / (took * window)
        print(
            f"  {name:<9} {took:7.2f} s  {case.trials / took:6.1f} trials/s  "
            f"{times['floor'] / took:5.2f} of the floor  slot use {use:.2f}",
            flush=True,
        )


def run_kind(kind: str, options: argparse.Namespace) -> None:
    with local_spark(MASTERS[kind], connect=kind == "connect") as session:
        for seconds in options.seconds:
            for parallelism in options.parallelism:
                trials = options.trials or default_trials(parallelism, seconds)
                data = os.urandom(options.closure_mb * 2**20)
                run_case(session, kind, Case(parallelism, seconds, trials, data), options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", nargs="+", choices=list(MASTERS), default=list(MASTERS))
    parser.add_argument("--seconds", nargs="+", type=float, default=[0.0, 0.1, 1.0])
    parser.add_argument("--parallelism", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument(
        "--way", nargs="+", choices=["executor", "fmin"], default=["executor", "fmin"]
    )
    parser.add_argument("--trials", type=int, help="in each case; by default a few seconds' worth")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer-python", help="an interpreter with hyperopt and pyspark")
    parser.add_argument("--closure-mb", type=int, default=0)
    options = parser.parse_args()
    if options.closure_mb and "connect" in options.kind:
        parser.error("Connect has no broadcast for the floor; shipping.py measures large closures")
    if len(options.kind) == 1:
        print(f"{os.cpu_count()} CPUs")
        run_kind(options.kind[0], options)
        return
    for kind in options.kind:  # a process has sessions of one kind only
        arguments = [*sys.argv[1:], "--kind", kind]
        subprocess.run([sys.executable, "-m", __spec__.name, *arguments], check=True)


if __name__ == "__main__":
    main()
