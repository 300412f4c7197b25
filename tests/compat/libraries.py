"""Small searches of libraries that build on Hyperopt, on sparktuner under its name.

In an environment that has sparktuner and the libraries, or some of them::

    python -m tests.compat.libraries                # all; those not installed are left out
    python -m tests.compat.libraries nevergrad      # an error where it is not installed

Ran with hgboost 2.0.1, hyperopt-sklearn 1.1.1, lale 0.9.5, nevergrad 1.0.12, nni 3.0 and
ray 2.60.0. hpsklearn 0.1.0, the older name of hyperopt-sklearn, asks for what Python 3.11 has
no more (``inspect.getargspec``), under Hyperopt too.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import sparktuner


def hgboost() -> object:
    """Searches a gradient-boosted classifier of hgboost's, and validates it."""
    import pandas as pd
    from hgboost import hgboost as make
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    frame = pd.DataFrame(x[:200, :5]).rename(columns=str)
    search = make(max_eval=5, cv=3, top_cv_evals=2, random_state=0, verbose="silent", n_jobs=1)
    return len(search.xgboost(frame, y[:200], pos_label=1)["summary"])


def hpsklearn() -> object:
    """Fits hyperopt-sklearn's estimator, which continues one search trial by trial."""
    import hpsklearn as hps
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    estimator = hps.HyperoptEstimator(
        classifier=hps.decision_tree_classifier("tree"),
        preprocessing=[hps.pca("pca")],
        algo=sparktuner.tpe.suggest,
        max_evals=5,
        trial_timeout=60,
        seed=0,
        verbose=False,
    )
    estimator.fit(x, y)
    return estimator.score(x, y)


def lale() -> object:
    """Searches a pipeline of lale's with choices among its operators."""
    from lale.lib.lale import Hyperopt, NoOp
    from lale.lib.sklearn import PCA, KNeighborsClassifier, LogisticRegression
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    planned = (PCA | NoOp) >> (KNeighborsClassifier | LogisticRegression)
    search = Hyperopt(estimator=planned, max_evals=6, cv=3, show_progressbar=False)
    return float((search.fit(x, y).predict(x) == y).mean())


def nevergrad() -> object:
    """Asks nevergrad's optimiser for points, and tells it their losses."""
    import nevergrad as ng

    x = ng.p.Scalar(lower=-5, upper=5)
    optimizer = ng.optimizers.registry["HyperOpt"](parametrization=x, budget=30)
    return optimizer.minimize(lambda x: (x - 1) ** 2).value


def nni() -> object:
    """Takes parameters from nni's tuner by three algorithms, and reports to it."""
    from nni.algorithms.hpo.hyperopt_tuner import HyperoptTuner

    # No quniform: nni 3.0 compares its value with [], which NumPy 2 refuses.
    layers = [{"_name": "a"}, {"_name": "b", "k": {"_type": "uniform", "_value": [0, 1]}}]
    space = {
        "lr": {"_type": "loguniform", "_value": [0.0001, 0.1]},
        "n": {"_type": "randint", "_value": [2, 9]},
        "layer": {"_type": "choice", "_value": layers},
    }
    losses = []
    for algorithm in ("tpe", "random_search", "anneal"):
        tuner = HyperoptTuner(algorithm, optimize_mode="minimize")
        tuner.update_search_space(space)
        for i in range(25):
            parameters = tuner.generate_parameters(i)
            losses.append(abs(parameters["lr"] - 0.01) + parameters["n"])
            tuner.receive_trial_result(i, parameters, losses[-1])
    return min(losses)


def ray() -> object:
    """Takes suggestions from Ray Tune's searcher, and reports to it; no cluster is started."""
    from ray.tune.search.hyperopt import HyperOptSearch

    space = {
        "x": sparktuner.hp.uniform("x", -5, 5),
        "act": sparktuner.hp.choice("act", ["a", "b"]),
    }
    searcher = HyperOptSearch(space, metric="loss", mode="min", n_initial_points=5)
    losses = []
    for i in range(30):
        configuration = searcher.suggest(f"trial-{i}")
        losses.append((configuration["x"] - 1) ** 2)
        searcher.on_trial_complete(f"trial-{i}", {"loss": losses[-1]})
    return min(losses)


LIBRARIES: dict[str, Callable[[], Any]] = {
    f.__name__: f for f in (hgboost, hpsklearn, lale, nevergrad, nni, ray)
}
# Where a package has another name than its module.
_PACKAGES = {"hpsklearn": "hyperopt-sklearn"}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(_PACKAGES.get(name, name))
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version(name)


def main(names: list[str]) -> None:
    """Runs the libraries that are named, or all that are installed."""
    sparktuner.as_hyperopt()
    for name in names or LIBRARIES:
        if not names and importlib.util.find_spec(name) is None:
            print(name, "is not installed: left out")  # noqa: T201
            continue
        answer = LIBRARIES[name]()
        print(name, _version(name), "->", answer)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
