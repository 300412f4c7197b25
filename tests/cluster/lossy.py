"""A search whose trial 2 first kills its executor, then its worker, and then returns."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparktuner import SparkTrials, current_trial, fmin, hp, rand

TRIALS = 10
FIRST_WINDOW = 4
FAULTY = 2
LOST = "The executor that ran the trial, or its host, was lost"
DIED = "The worker process ended while it ran the trial"


def search(session: Any, folder: Path, **options: Any) -> SparkTrials:
    """Run it on a cluster of two executors with two slots each.

    Args:
        session: of either kind.
        folder: each run leaves a file ``<tid>.<attempt>`` there.
        **options: of ``SparkTrials``.
    """
    trials = SparkTrials(parallelism=FIRST_WINDOW, spark_session=session, **options)
    fmin(
        _make_objective(folder),
        hp.uniform("x", 0, 1),
        algo=rand.suggest,
        max_evals=TRIALS,
        trials=trials,
        verbose=False,
    )
    return trials


def _make_objective(folder: Path) -> Callable[[float], float]:
    first, faulty = FIRST_WINDOW, FAULTY

    def objective(x: float) -> float:
        trial = current_trial()
        daemon = Path(f"/proc/{os.getppid()}/stat").read_text()
        executor = int(daemon.rsplit(")", 1)[1].split()[1])  # the daemon's parent, a JVM
        ours = sorted(name for name in sys.modules if name.startswith("sparktuner"))
        run = folder / f"{trial.tid}.{trial.attempt}"
        with run.open("x") as file:
            json.dump([executor, ours], file)
        if trial.attempt == 0 and trial.tid < first:  # these run side by side
            while len(list(folder.iterdir())) < first:
                time.sleep(0.05)
            if trial.tid == faulty:
                os.kill(executor, signal.SIGKILL)
            time.sleep(3)
        if trial.attempt == 1 and trial.tid == faulty:
            os._exit(1)
        return x

    return objective


def check(documents: list[dict[str, Any]], folder: Path, reasons: tuple[str, str]) -> None:
    """Check that no trial was lost or counted twice, and what the documents say of attempts.

    Args:
        documents: the search's, as JSON gives them.
        folder: the search's.
        reasons: what the documents say of the lost executor, and of the worker that died.
    """
    assert [document["tid"] for document in documents] == list(range(TRIALS))
    assert {document["state"] for document in documents} == {2}
    ran = {path.name: json.loads(path.read_text()) for path in folder.iterdir()}
    assert not any(ours for _, ours in ran.values())  # nothing is installed on the executors
    killed = ran[f"{FAULTY}.0"][0]
    lost = [tid for tid in range(FIRST_WINDOW) if ran[f"{tid}.0"][0] == killed]
    assert len(lost) <= 2  # slots of an executor
    assert set(ran) == {
        *(f"{tid}.0" for tid in range(TRIALS)),
        *(f"{tid}.1" for tid in lost),
        f"{FAULTY}.2",
    }
    for document in documents:
        tid, execution = document["tid"], document["misc"]["execution"]
        expected = [*reasons[: tid in lost], *reasons[1 : 1 + (tid == FAULTY)]]
        assert execution["attempt"] == len(expected)
        assert execution["host"]
        assert len(execution["earlier"]) == len(expected)
        for earlier, reason in zip(execution["earlier"], expected, strict=True):
            assert reason in earlier["reason"]
            assert earlier["duration"] > 0
