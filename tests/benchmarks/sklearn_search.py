"""``SparkSearchCV`` against scikit-learn's searches, at equal wall time on the same cores.

Run by hand, from the project's root; 30 runs of 20 s on three data sets take 90 minutes:

    python -m tests.benchmarks.sklearn_search --runs 30 --seconds 20

Each run splits a bundled data set anew: two thirds to search on, one third held out. Support
vector machines on scaled rows are tuned over five parameters by 3-fold cross-validation.
RandomizedSearchCV and HalvingRandomSearchCV run by joblib with as many workers as SparkSearchCV
has threads, in rounds of a fixed number of configurations until the time is up; of their rounds
the best by cross-validation counts, as of SparkSearchCV its best configuration. A round that ends
after the time is up does not count, unless it is the only one. What is compared is the score of
the refitted estimator on the rows held out; a draw is half a win.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sparktuner.sklearn import SparkSearchCV

DATA: dict[str, Callable[..., Any]] = {
    "digits": load_digits,
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
}
MODEL = make_pipeline(StandardScaler(), SVC())
SPACE = {
    "svc__C": loguniform(1e-4, 1e5),
    "svc__gamma": loguniform(1e-7, 1e2),
    "svc__kernel": ["rbf", "sigmoid", "poly"],
    "svc__coef0": uniform(-2, 4),
    "svc__class_weight": [None, "balanced"],
}
FOLDS = 3
# Log loss and the like would need calibrated scores; accuracy has many ties among good models.
SCORING = "accuracy"


def ours(rows: Any, targets: Any, seed: int, seconds: float, workers: int) -> Any:
    search = SparkSearchCV(
        MODEL,
        SPACE,
        n_iter=1_000_000,
        timeout=seconds,
        cv=FOLDS,
        scoring=SCORING,
        runner="threads",
        parallelism=workers,
        random_state=seed,
    )
    return search.fit(rows, targets)


def in_rounds(make: Callable[[int], Any]) -> Callable[..., Any]:
    """Repeats a search of a fixed size with other seeds until the time is up."""

    def searched(rows: Any, targets: Any, seed: int, seconds: float, workers: int) -> Any:
        end = time.monotonic() + seconds
        best: Any = None
        while best is None or time.monotonic() < end:
            search = make(workers).set_params(random_state=seed)
            search.fit(rows, targets)
            in_time = best is None or time.monotonic() <= end
            if in_time and (best is None or search.best_score_ > best.best_score_):
                best = search
            seed += 10_000
        return best

    return searched


def randomized(workers: int) -> Any:
    return RandomizedSearchCV(MODEL, SPACE, n_iter=10, cv=FOLDS, scoring=SCORING, n_jobs=workers)


def halving(workers: int) -> Any:
    return HalvingRandomSearchCV(
        MODEL, SPACE, n_candidates=20, cv=FOLDS, scoring=SCORING, n_jobs=workers
    )


THEIRS = {
    "RandomizedSearchCV": in_rounds(randomized),
    "HalvingRandomSearchCV": in_rounds(halving),
}


def run(name: str, seed: int, seconds: float, workers: int) -> dict[str, float]:
    """Returns the score of each search on the rows held out."""
    rows, targets = DATA[name](return_X_y=True)
    known, held, of_known, of_held = train_test_split(
        rows, targets, test_size=1 / 3, random_state=seed, stratify=targets
    )
    searches = {"SparkSearchCV": ours, **THEIRS}
    return {
        each: searches[each](known, of_known, seed, seconds, workers).score(held, of_held)
        for each in searches
    }


def report(name: str, scores: list[dict[str, float]]) -> None:
    means = {each: np.mean([s[each] for s in scores]) for each in scores[0]}
    print(f"{name}: " + ", ".join(f"{each} {mean:.4f}" for each, mean in means.items()))
    mine = np.array([s["SparkSearchCV"] for s in scores])
    for each in THEIRS:
        other = np.array([s[each] for s in scores])
        wins, draws = np.sum(mine > other), np.sum(mine == other)
        share = (wins + draws / 2) / len(scores)
        print(f"  against {each}: {wins} wins, {draws} draws of {len(scores)}: {share:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    # Models that score nothing useful are a part of the space.
    warnings.simplefilter("ignore")
    for name in DATA:
        scores = [
            run(name, seed, options.seconds, options.workers) for seed in range(options.runs)
        ]
        report(name, scores)


if __name__ == "__main__":
    main()
