"""The same trials, run by a plain thread pool, by our executor, by ``fmin``, and by hyperopt."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sparktuner import SparkTrials, fmin, hp, rand
from sparktuner.execute import Failed, Finished, Submission
from sparktuner.execute.spark import make_executor
from sparktuner.testing import conf_directory

PEER_PROGRAM = """
import json, sys, time
from hyperopt import SparkTrials, fmin, hp, rand
from pyspark.sql import SparkSession

master, parallelism, seconds, trials = json.loads(sys.argv[1])
session = SparkSession.builder.master(master).getOrCreate()

def objective(x):
    time.sleep(seconds)
    return x

def once(n):
    start = time.perf_counter()
    fmin(objective, hp.uniform("x", 0, 1), algo=rand.suggest, max_evals=n, verbose=False,
         trials=SparkTrials(parallelism=parallelism), show_progressbar=False)
    return time.perf_counter() - start

once(parallelism)
print(json.dumps(once(trials)))
session.stop()
"""


@dataclass(frozen=True)
class Case:
    """Trials that sleep ``seconds``, ``parallelism`` at a time.

    Attributes:
        data: what our objectives hold; the floor broadcasts it, for one task to read.
    """

    parallelism: int
    seconds: float
    trials: int
    data: bytes = b""


def make_objective(seconds: float, data: bytes = b"") -> Callable[[Any], float]:
    def objective(x: Any) -> float:
        time.sleep(seconds)
        return float(x) + 0 * len(data)

    return objective


def classic_floor(session: Any, case: Case) -> float:
    """One-task jobs of one base RDD with ``map`` and ``collect``, from a pool of threads."""
    base = session.sparkContext.parallelize([0], 1)
    objective = make_objective(case.seconds)

    def one(x: float) -> float:
        (loss,) = base.map(lambda _: objective(x)).collect()
        return float(loss)

    return (_broadcast_time(session, case.data) if case.data else 0.0) + _pool_time(one, case)


def _broadcast_time(session: Any, data: bytes) -> float:
    """One broadcast, until one task has read it."""
    base = session.sparkContext.parallelize([0], 1)
    start = time.perf_counter()
    broadcast = session.sparkContext.broadcast(data)
    (size,) = base.map(lambda _: len(broadcast.value)).collect()
    took = time.perf_counter() - start
    broadcast.destroy()
    assert size == len(data)
    return took


def connect_floor(session: Any, case: Case) -> float:
    """One-task jobs of ``range``, ``mapInArrow`` and ``collect``, from a pool of threads."""
    objective = make_objective(case.seconds)

    def one(x: float) -> float:
        def work(batches: Any) -> Any:
            import pyarrow

            for _ in batches:
                pass
            yield pyarrow.RecordBatch.from_pydict({"loss": [objective(x)]})

        (row,) = session.range(0, 1, 1, 1).mapInArrow(work, "loss double").collect()
        return float(row.loss)

    return _pool_time(one, case)


def _pool_time(one: Callable[[float], float], case: Case) -> float:
    with ThreadPoolExecutor(case.parallelism) as pool:
        start = time.perf_counter()
        losses = list(pool.map(one, range(case.trials)))
        took = time.perf_counter() - start
    assert losses == list(range(case.trials))
    return took


def executor_time(session: Any, case: Case) -> float:
    """Our executor alone: from the objective in hand until all is released."""
    start = time.perf_counter()
    objective = make_objective(case.seconds, case.data)
    with make_executor(session, objective, case.parallelism) as executor:
        submitted = finished = 0
        while finished < case.trials:
            while submitted < case.trials and executor.free_slots():
                executor.submit(Submission(submitted, submitted, f"trial {submitted}"))
                submitted += 1
            for event in executor.wait(None):
                assert not isinstance(event, Failed), event
                finished += isinstance(event, Finished)
    return time.perf_counter() - start


def fmin_time(session: Any, case: Case) -> float:
    """``fmin`` with ``SparkTrials`` and random search, from call to return."""
    trials = SparkTrials(parallelism=case.parallelism, spark_session=session)
    start = time.perf_counter()
    fmin(
        make_objective(case.seconds, case.data),
        hp.uniform("x", 0, 1),
        algo=rand.suggest,
        max_evals=case.trials,
        trials=trials,
        rstate=1,
        verbose=False,
        show_progressbar=False,
    )
    took = time.perf_counter() - start
    assert trials.count_successful_trials() == case.trials
    return took


def peer_time(python: str, master: str, case: Case) -> float:
    """hyperopt's wall time, measured once by another interpreter in a session of its own."""
    arguments = json.dumps([master, case.parallelism, case.seconds, case.trials])
    answer = subprocess.run(
        [python, "-W", "ignore", "-c", PEER_PROGRAM, arguments],
        env={**os.environ, "SPARK_CONF_DIR": str(conf_directory()), "PYSPARK_PYTHON": python},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(json.loads(answer.stdout.splitlines()[-1]))
