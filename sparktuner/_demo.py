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
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner import hp, tpe
from sparktuner._cluster import session_at
from sparktuner.errors import MissingExtra
from sparktuner.execute import modules_by_value
from sparktuner.fmin import fmin
from sparktuner.records import TrialDocument
from sparktuner.status import STATUS_OK
from sparktuner.trials import SparkTrials

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from sklearn.pipeline import Pipeline

Configuration: TypeAlias = "dict[str, Any]"

FOLDS = 3

SPACE = {
    "scale": hp.choice("scale", ["none", "standard", "to 0..1"]),
    "components": hp.choice("reduce", [None, hp.uniformint("components", 10, 60)]),
    "model": hp.choice(
        "model",
        [
            {
                "kind": "support vectors",
                "C": hp.loguniform("svm_C", math.log(0.1), math.log(1000)),
                "gamma": hp.loguniform("svm_gamma", math.log(3e-4), math.log(1)),
            },
            {
                "kind": "random forest",
                "n_estimators": hp.quniform("forest_trees", 20, 100, 10),
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
    evaluations: int = 48
    seed: int = 0
    master: str | None = None
    save: str | None = None


class Objective:
    """The share of digits that a pipeline gets wrong, by cross-validation.

    Attributes:
        x: (n, 64) pixels.
        y: (n,) digits.
    """

    def __init__(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> None:
        self.x = x
        self.y = y

    def __call__(self, configuration: Configuration) -> dict[str, Any]:
        scores = self.cross_validate(configuration)
        return {
            "loss": 1.0 - float(scores.mean()),
            "loss_variance": float(scores.var(ddof=1) / len(scores)),
            "status": STATUS_OK,
        }

    def cross_validate(self, configuration: Configuration) -> npt.NDArray[np.float64]:
        """Returns the accuracy on each fold."""
        from sklearn.model_selection import StratifiedKFold, cross_val_score

        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        with warnings.catch_warnings():
            # A solver that does not converge shows in its score.
            warnings.simplefilter("ignore")
            scores: npt.NDArray[np.float64] = cross_val_score(
                make_pipeline(configuration), self.x, self.y, cv=folds
            )
        return scores


def make_pipeline(configuration: Configuration) -> Pipeline:
    """Returns the pipeline, not fitted, that a configuration of ``SPACE`` stands for."""
    from sklearn import pipeline
    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    from sklearn.svm import SVC

    # Names in the space, objects here: what travels with each trial stays small.
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
    """Tunes, and prints what came of it.

    Raises:
        MissingExtra: scikit-learn or pyspark is not installed.
        SparkUnavailable: there is no Java that serves, or no Spark at ``options.master``.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise MissingExtra("scikit-learn is not installed: pip install 'sparktuner[demo]'")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    data = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
    objective = Objective(data[0], data[2])
    save = str(Path(options.save).resolve()) if options.save else _new_file()
    print(
        "Tuning a scikit-learn pipeline that reads handwritten digits: "
        f"{len(data[2])} images to learn from, {len(data[3])} held out.",
        flush=True,
    )
    began = time.monotonic()
    with session_at(options.master, options.parallelism) as session:
        where = options.master or session.sparkContext.master
        print(
            f"Spark {session.version} at {where}, up after "
            f"{time.monotonic() - began:.1f} s. {options.parallelism} trials at a time, "
            f"{options.evaluations} in all, {FOLDS}-fold cross-validation.",
            flush=True,
        )
        trials = _search(objective, session, options, save)
        # Before Spark stops, so that its idle workers see it end in peace.
        _report(trials, objective, data)
    print(
        f"trials saved in {save}\n"
        f"  go on: sparktuner demo --save {save} --evaluations {2 * options.evaluations}\n"
        f"  look:  trials = sparktuner.load_trials({save!r})"
    )


def _search(
    objective: Objective, session: SparkSession, options: DemoOptions, save: str
) -> SparkTrials:
    trials = SparkTrials(parallelism=options.parallelism, spark_session=session)
    # By value, so that the workers of a cluster need scikit-learn but no sparktuner.
    with modules_by_value(sys.modules[__name__]):
        fmin(
            objective,
            SPACE,
            algo=tpe.suggest,
            max_evals=options.evaluations,
            trials=trials,
            rstate=np.random.default_rng(options.seed),
            trials_save_file=save,
        )
    return trials


def _report(trials: SparkTrials, objective: Objective, data: Sequence[Any]) -> None:
    x_train, x_test, y_train, y_test = data

    def line(name: str, cross_validated: float, configuration: Configuration) -> str:
        fitted = make_pipeline(configuration).fit(x_train, y_train)
        return f"{name:42}{cross_validated:15.4f}{fitted.score(x_test, y_test):11.4f}"

    # Fitted once more: a model in each result would have travelled 48 times.
    best = trials.best_params
    print(f"\n{'accuracy':42}{'cross-validated':>15}{'held out':>11}")
    print(line("baseline: logistic regression, defaults", _mean(objective, BASELINE), BASELINE))
    name = f"best of {trials.count_total_trials()} trials: {best['model']['kind']}"
    print(line(name, 1 - trials.best_trial["result"]["loss"], best))
    print(f"\nbest parameters:\n{pprint.pformat(best, sort_dicts=False)}\n")
    busy = busy_share(trials.trials, trials.parallelism)
    print(f"busy: {busy:.0%} of the window of {trials.parallelism} trials")


def _mean(objective: Objective, configuration: Configuration) -> float:
    return float(objective.cross_validate(configuration).mean())


def busy_share(trials: Sequence[TrialDocument], parallelism: int) -> float:
    """Returns the share of ``parallelism`` slots that ran trials, from first start to last end.

    What a resumed search took over from an earlier one is another stretch of time: a gap
    without any running trial of over a minute is not counted.
    """
    spans = sorted(
        (ran["started"], ran["started"] + timedelta(seconds=ran["duration"]))
        for ran in (trial["misc"].get("execution") for trial in trials)
        if ran is not None
    )
    if not spans:
        return 0.0
    window = timedelta()
    begin, end = spans[0]
    for started, ended in spans:
        if started - end > timedelta(minutes=1):
            window += end - begin
            begin = started
        end = max(end, ended)
    window += end - begin
    ran_for = sum(((ended - started) for started, ended in spans), timedelta())
    return ran_for / (parallelism * window) if window else 0.0


def _new_file() -> str:
    # A folder of its own: the name is new, and nobody else can put a pickle there.
    return os.path.join(tempfile.mkdtemp(prefix="sparktuner-demo-"), "trials.pkl")
