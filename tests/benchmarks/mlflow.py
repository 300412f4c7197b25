"""What it costs a search that it is written to MLflow.

Run by hand, from the project's root; takes a few minutes, and needs mlflow with its server:

    python -m tests.benchmarks.mlflow
    python -m tests.benchmarks.mlflow --yielding

Searches of short trials run in turn without MLflow, with a tracking server (SQLite, on this
machine, whose cores it shares), with the search's run alone (``nested=False``), and with a
server that is not there. The first column is trials a second until the last one has ended, the
second the median of its ratios to the search without MLflow in the same round; then what the
end of the search took, until all was written or kept in a file. With ``--yielding`` the server
has the lowest priority: a server elsewhere takes none of the cores that the trials run on.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import functools
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparktuner import Callback, SparkTrials, ThreadTrials, fmin, hp, rand
from sparktuner.mlflow import MLflowCallback
from sparktuner.records import TrialDocument
from sparktuner.testing import local_spark
from tests.servers.mlflow import MlflowServer

SPACE = {f"x{i}": hp.uniform(f"x{i}", 0, 1) for i in range(5)}


class Ends(Callback):
    """Notes when the first trial started and the last one ended."""

    began = ended = 0.0

    def on_trial_start(self, document: TrialDocument) -> None:
        self.began = self.began or time.monotonic()

    def on_trial_end(self, document: TrialDocument) -> None:
        self.ended = time.monotonic()


def measured(
    make_trials: Callable[[], Any], trials: int, seconds: float, callbacks: list[Callback]
) -> tuple[float, float]:
    """Trials a second, and seconds from the last trial's end to the end of the search."""

    def objective(p: Any) -> float:
        time.sleep(seconds)
        return float(p["x0"])

    ends = Ends()
    fmin(
        objective,
        SPACE,
        rand.suggest,
        trials,
        trials=make_trials(),
        callbacks=[ends, *callbacks],
        rstate=0,
        verbose=False,
    )
    return trials / (ends.ended - ends.began), time.monotonic() - ends.ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=0.1, help="of a trial")
    parser.add_argument("--parallelism", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", action="store_true", help="ThreadTrials, without Spark")
    parser.add_argument("--yielding", action="store_true", help="the server gives way to trials")
    options = parser.parse_args()
    logging.getLogger("sparktuner").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SPARKTUNER_SPILL_DIR"] = folder
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        server = MlflowServer(Path(folder))
        if options.yielding:
            os.setpriority(os.PRIO_PGRP, server.process.pid, 19)
        try:
            if options.threads:
                _compare(functools.partial(ThreadTrials, options.parallelism), server, options)
            else:
                with local_spark(cores=options.parallelism):
                    _compare(functools.partial(SparkTrials, options.parallelism), server, options)
        finally:
            server.kill()


def _compare(
    make_trials: Callable[[], Any], server: MlflowServer, options: argparse.Namespace
) -> None:
    dead = "http://127.0.0.1:9"
    ways: dict[str, Callable[[], list[Callback]]] = {
        "without MLflow": list,
        "a server": lambda: [MLflowCallback("speed", tracking_uri=server.url)],
        "nested=False": lambda: [MLflowCallback("speed", False, server.url)],
        "no server": lambda: [MLflowCallback("speed", tracking_uri=dead)],
    }
    # The first search warms up the workers.
    measured(make_trials, 3 * options.parallelism, options.seconds, [])
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, callbacks in ways.items():
            found[name].append(measured(make_trials, options.trials, options.seconds, callbacks()))
    base = [rate for rate, _ in found["without MLflow"]]
    for name, rounds in found.items():
        ratios = [rate / one for (rate, _), one in zip(rounds, base, strict=True)]
        rate, end = (statistics.median(values) for values in zip(*rounds, strict=True))
        print(
            f"  {name:<15} {rate:6.1f} trials/s, {statistics.median(ratios):.3f} of it; "
            f"the end took {end:5.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
