"""A program for spark-submit: a search whose trials end when they are told to.

Its arguments are a folder, the number of trials, and what ends them: ``go``, a file in the folder,
or ``copy``, another run of the same trial. Each run leaves a file ``<tid>.<pid>.run``; the
trials are in ``trials.pkl`` afterwards.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

from sparktuner import SparkTrials, current_trial, fmin, hp, rand

SLOTS = 4


def main(folder: Path, evaluations: int, end: str) -> None:
    def has_ended(tid: int) -> bool:
        return (folder / end).exists() if end == "go" else len(list(folder.glob(f"{tid}.*"))) > 1

    def objective(x: float) -> float:
        tid = current_trial().tid
        (folder / f"{tid}.{os.getpid()}.run").touch()
        while not has_ended(tid):
            time.sleep(0.05)
        return x

    spark = SparkSession.builder.getOrCreate()
    fmin(
        objective,
        hp.uniform("x", 0, 1),
        algo=rand.suggest,
        max_evals=evaluations,
        # A copy needs a slot beside its trial's.
        trials=SparkTrials(SLOTS if end == "go" else SLOTS // 2, spark_session=spark),
        trials_save_file=str(folder / "trials.pkl"),
        verbose=False,
    )
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
