"""Runs the programs of this folder, by Hyperopt's name, where MLflow writes to a server.

``python -m tests.mlflow.run_programs URL EXPERIMENT`` prints as JSON what each has observed, or
how it failed; with ``SPARK_REMOTE``, on that Connect server.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import sparktuner
from sparktuner.mlflow._here import restore, settings

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


def run_programs(url: str, experiment: str, spark: Any) -> dict[str, Any]:
    """What the programs observe in a notebook whose experiment is one's own.

    Args:
        url: of the tracking server.
        experiment: the experiment's id.
        spark: the notebook's session.
    """
    import mlflow

    before = settings()
    mlflow.set_tracking_uri(url)
    mlflow.set_experiment(experiment_id=experiment)
    try:
        with sparktuner.as_hyperopt():
            return {program.stem: _observed(program, spark) for program in PROGRAMS}
    finally:
        restore(before)


def _observed(program: Path, spark: Any) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # As a script: what it defines is pickled by value.
            names = runpy.run_path(str(program), {"spark": spark}, run_name="__main__")
    except Exception:
        return {"error": traceback.format_exc()}
    return json.loads(json.dumps(names["observed"]))


def main(url: str, experiment: str) -> None:
    from pyspark.sql import SparkSession

    os.environ["SPARKTUNER_MLFLOW"] = "workers"
    spark = SparkSession.builder.getOrCreate()
    found: dict[str, Any] = {"has_context": hasattr(spark, "sparkContext")}
    found |= run_programs(url, experiment, spark)
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
