"""A search whose large attachments are on disks that no other executor can read."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sparktuner import SparkTrials, current_trial, fmin, hp, rand
from sparktuner.execute.worker import _classic_task, _connect_task, take

SIZE = 17 * 2**20  # more than travels with an outcome
TRIALS = 6


def keep_apart() -> None:
    """Lets a worker find files of its own executor alone, as where each is a machine's."""
    apart = _apart(take)
    for module in (_classic_task, _connect_task):
        vars(module)["take"] = apart


def _apart(found: Callable[[str, int, bool], bytes]) -> Callable[[str, int, bool], bytes]:
    def take_own(path: str, number: int, is_last: bool) -> bytes:
        folders = os.environ["SPARK_LOCAL_DIRS"].split(",")
        return found(path, number, is_last) if os.path.dirname(path) in folders else b""

    return take_own


def _make_objective(size: int) -> Callable[[float], Any]:
    def objective(x: float) -> dict[str, Any]:
        trial = current_trial()
        trial.attach("large", bytes([trial.tid or 0]) * size)
        where = os.environ["SPARK_LOCAL_DIRS"]
        return {"status": "ok", "loss": x, "where": where}

    return objective


def search(session: Any) -> SparkTrials:
    """Run it, on a cluster of two executors with two slots each."""
    trials = SparkTrials(parallelism=4, spark_session=session)
    x = hp.uniform("x", 0, 1)
    fmin(_make_objective(SIZE), x, rand.suggest, TRIALS, trials=trials, verbose=False)
    return trials


def check(trials: SparkTrials) -> None:
    """Each attachment is whole, and both executors had some."""
    for document in trials.trials:
        kept = trials.trial_attachments(document)["large"]
        assert kept == bytes([document["tid"]]) * SIZE
    assert len({document["result"]["where"] for document in trials.trials}) == 2
