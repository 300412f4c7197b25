"""The search that ``sparktuner demo`` runs: a scikit-learn pipeline for handwritten digits.

It is also an example to copy: a space with branches, a cross-validated objective, a search on
Spark, and what to read from the trials afterwards.
"""

from __future__ import annotations

import importlib.util
import math
import os
import pprint
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np

from sparktuner import hp, tpe
from sparktuner.errors import MissingExtra
from sparktuner.execute.spark import active_session
from sparktuner.fmin import fmin
from sparktuner.records import Document
from sparktuner.spark import SparkTrials
from sparktuner.status import STATUS_OK
from sparktuner.testing import local_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FOLDS = 5

SPACE = {
    "scale": hp.choice("scale", ["none", "standard", "to 0..1"]),
    "components": hp.choice("reduce", [None, hp.uniformint("components", 10, 60)]),
    "model": hp.choice(
        "model",
        [
            {
                "kind": "support vectors",
                "C": hp.loguniform("svm_C", math.log(0.01), math.log(1000)),
                "gamma": hp.loguniform("svm_gamma", math.log(1e-4), math.log(1)),
            },
            {
                "kind": "random forest",
                "n_estimators": hp.quniform("forest_trees", 20, 150, 10),
                "max_depth": hp.choice("forest_limit", [None, hp.randint("forest_depth", 4, 25)]),
                "max_features": hp.uniform("forest_features", 0.05, 0.5),
            },
            {
                "kind": "logistic regression",
                "C": hp.loguniform("logistic_C", math.log(1e-4), math.log(100)),
            },
        ],
    ),
}
BASELINE = {
    "scale": "standard",
    "components": None,
    "model": {"kind": "logistic regression"},
}


@dataclass(frozen=True)
class DemoOptions:
    """The options of ``sparktuner demo``.

    Attributes:
        parallelism: trials at a time.
        evaluations: trials in all, those in ``save`` included.
        seed: of the search.
        master: of an existing cluster; None starts Spark inside this process.
        save: the file for the trials; resumed from if it exists. None makes a new one.
    """

    parallelism: int = 4
    evaluations: int = 40
    seed: int = 0
    master: str | None = None
    save: str | None = None


class Objective:
    """The share of digits that a pipeline gets wrong, by cross-validation.

    Attributes:
        x: (n, 64) pixels.
        y: (n,) digits.
    """

    def __init__(self, x: Any, y: Any) -> None:
        self.x = x
        self.y = y

    def __call__(self, configuration: dict[str, Any]) -> dict[str, Any]:
        scores = self.cross_validate(configuration)
        return {
            "loss": 1.0 - float(scores.mean()),
            "loss_variance": float(scores.var(ddof=1) / len(scores)),
            "status": STATUS_OK,
        }

    def cross_validate(self, configuration: dict[str, Any]) -> Any:
        """Return the accuracy on each fold."""
        from sklearn.model_selection import StratifiedKFold, cross_val_score

        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        with warnings.catch_warnings():
            # A solver that does not converge shows in its score.
            warnings.simplefilter("ignore")
            return cross_val_score(make_pipeline(configuration), self.x, self.y, cv=folds)


def make_pipeline(configuration: dict[str, Any]) -> Any:
    """Return the pipeline, not fitted, that a configuration of ``SPACE`` stands for."""
    from sklearn import pipeline
    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    from sklearn.svm import SVC

    scalers = {"none": None, "standard": StandardScaler(), "to 0..1": MinMaxScaler()}
    components = configuration["components"]
    settings = dict(configuration["model"])
    kind = settings.pop("kind")
    if kind == "support vectors":
        model = SVC(**settings)
    elif kind == "random forest":
        model = RandomForestClassifier(random_state=0, **settings)
    else:
        model = LogisticRegression(max_iter=300, **settings)
    return pipeline.Pipeline(
        [
            ("scale", scalers[configuration["scale"]]),
            ("reduce", None if components is None else PCA(components, random_state=0)),
            ("model", model),
        ]
    )


def run(options: DemoOptions) -> None:
    """Tune, and print what came of it.

    Raises:
        MissingExtra: scikit-learn or pyspark is not installed.
        SparkUnavailable: there is no Java that serves, or no Spark at ``options.master``.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise MissingExtra("scikit-learn is not installed: pip install 'sparktuner[demo]'")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.25, stratify=y, random_state=0
    )
    objective = Objective(x_train, y_train)
    save = options.save or _new_file()
    print(
        "Tuning a scikit-learn pipeline that reads handwritten digits: "
        f"{len(y_train)} images to learn from, {len(y_test)} held out."
    )
    began = time.monotonic()
    with _session(options) as session:
        print(
            f"Spark {session.version} at {session.sparkContext.master} (up after "
            f"{time.monotonic() - began:.1f} s): {options.parallelism} trials at a time, "
            f"{options.evaluations} in all, {FOLDS}-fold cross-validation.",
            flush=True,
        )
        trials = _search(objective, session, options, save)

    def held_out(configuration: dict[str, Any]) -> float:
        fitted = make_pipeline(configuration).fit(x_train, y_train)
        return float(fitted.score(x_test, y_test))

    baseline = float(objective.cross_validate(BASELINE).mean())
    best = trials.best_params
    print(f"\n{'accuracy':40}  cross-validated  held out")
    print(f"{'baseline: logistic regression, defaults':40}  {baseline:15.4f}  {held_out(BASELINE):8.4f}")
    name = f"best of {len(trials)} trials: {best['model']['kind']}"
    print(f"{name:40}  {1 - trials.best_trial['result']['loss']:15.4f}  {held_out(best):8.4f}")
    print(f"\nbest parameters:\n{pprint.pformat(best, sort_dicts=False)}")
    print(f"\n{describe_window(trials.trials, trials.parallelism)}")
    print(f"trials saved in {save}")
    print(
        f"    go on:  sparktuner demo --save {save} --evaluations {2 * options.evaluations}\n"
        f"    look:   trials = pickle.load(open({save!r}, 'rb'))"
    )
