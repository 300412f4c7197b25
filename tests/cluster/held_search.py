"""A program for spark-submit: a search whose trials end when the file ``go`` appears.

Its argument is a folder. Each run of a trial leaves a file there, named by its process; the
trials are in ``trials.pkl`` afterwards.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

from sparktuner import SparkTrials, fmin, hp, rand

EVALUATIONS = 12
SLOTS = 4


def main(folder: Path) -> None:
    def objective(x: float) -> float:
        (folder / f"{os.getpid()}.run").touch()
        while not (folder / "go").exists():
            time.sleep(0.05)
        return x

    spark = SparkSession.builder.getOrCreate()
    fmin(
        objective,
        hp.uniform("x", 0, 1),
        algo=rand.suggest,
        max_evals=EVALUATIONS,
        trials=SparkTrials(SLOTS, spark_session=spark),
        trials_save_file=str(folder / "trials.pkl"),
        verbose=False,
    )
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
