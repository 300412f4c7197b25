"""What a durable store costs a search on Spark: its wall time against one in memory.

Run by hand, from the project's root; takes two minutes:

    python -m tests.benchmarks.stored_search
    python -m tests.benchmarks.stored_search --kind connect --url postgresql://me@host/database

Searches of ``rand`` on ``local[8]``, 8 trials at a time, of 0.1 s each, with and without a store
take turns, in a random order, after a warm-up. Medians are printed, and the share of the
throughput in memory that is left with the store. Without ``--url``, SQLite in a temporary file.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from functools import partial
from typing import Any

from sparktuner import SparkTrials, fmin, hp, rand
from sparktuner.testing import local_spark
from tests.benchmarks._dispatch_ways import make_objective
from tests.benchmarks.dispatch import measure

PARALLELISM = 8


def search_time(session: Any, seconds: float, count: int, url: str | None) -> float:
    """``fmin`` with ``SparkTrials`` and random search, from call to return."""
    trials = SparkTrials(
        parallelism=PARALLELISM, spark_session=session, store=url, exp_key=uuid.uuid4().hex
    )
    start = time.perf_counter()
    fmin(
        make_objective(seconds),
        hp.uniform("x", 0, 1),
        algo=rand.suggest,
        max_evals=count,
        trials=trials,
        show_progressbar=False,
        verbose=False,
    )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=["classic", "connect"], default="classic")
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--url", help="a store to write to; the trials stay there")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        local_spark("local[8]", connect=options.kind == "connect") as session,
    ):
        url = options.url or f"sqlite:///{folder}/tuning.db"
        ways = {
            name: partial(search_time, session, options.seconds, options.trials, where)
            for name, where in (("memory", None), ("stored", url))
        }
        times = measure(ways, options.repeat)
    for name, took in times.items():
        share = times["memory"] / took
        print(f"{name:<8} {took:6.2f} s  {options.trials / took:5.1f} trials/s  {share:.3f}")


if __name__ == "__main__":
    main()
