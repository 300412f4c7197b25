"""A program for spark-submit: a search each of whose trials ends when a copy of it runs.

Its argument is a folder. Each run of a trial leaves a file there, whose name begins with the
trial's number; the trials are in ``trials.pkl`` afterwards.
"""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path

from pyspark.sql import SparkSession

from sparktuner import SparkTrials, current_trial, fmin, hp, rand

EVALUATIONS = 4


def main(folder: Path) -> None:
    def objective(x: float) -> float:
        tid = current_trial().tid
        (folder / f"{tid}.{uuid.uuid4().hex}").touch()
        while len(list(folder.glob(f"{tid}.*"))) < 2:
            time.sleep(0.05)
        return x

    spark = SparkSession.builder.getOrCreate()
    fmin(
        objective,
        hp.uniform("x", 0, 1),
        algo=rand.suggest,
        max_evals=EVALUATIONS,
        trials=SparkTrials(2, spark_session=spark),
        trials_save_file=str(folder / "trials.pkl"),
        verbose=False,
    )
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
