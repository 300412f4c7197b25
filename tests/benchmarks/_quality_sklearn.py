"""Real tuning tasks: scikit-learn on its bundled data, losses cached as tables.

Each task's cross-validated losses are computed once on a grid and stored; the loss between
grid points is interpolated linearly, so a run costs microseconds and the landscape is real.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks._quality_tasks import Space, Task, Values

# An axis: label -> (kind of parameter, the grid's levels).
Axes = dict[str, tuple[str, list[float]]]


def _levels(low: float, high: float, k: int) -> list[float]:
    return [float(x) for x in np.geomspace(low, high, k)]


_C_GAMMA: Axes = {
    "C": ("loguniform", _levels(1e-2, 1e3, 8)),
    "gamma": ("loguniform", _levels(1e-6, 1.0, 10)),
}
_KNN: Axes = {
    "k": ("int", [1, 2, 3, 5, 8, 12, 18, 26, 36, 50]),
    "p": ("uniform", [1.0, 1.5, 2.0, 3.0, 5.0]),
    "weights": ("choice", [0, 1]),
    "scaler": ("choice", [0, 1, 2]),
}
_ELASTIC: Axes = {
    "alpha": ("loguniform", _levels(1e-4, 1e1, 14)),
    "l1": ("uniform", [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]),
    "degree": ("choice", [0, 1]),
}
_BOOST: Axes = {
    "eta": ("loguniform", _levels(1e-3, 1.0, 7)),
    "depth": ("int", [1, 2, 3, 5, 8]),
    "trees": ("logint", [5, 10, 20, 40, 80]),
    "subsample": ("uniform", [0.3, 0.6, 1.0]),
}
_FOREST: Axes = {
    "features": ("uniform", [0.1, 0.3, 0.5, 0.75, 1.0]),
    "leaf": ("logint", [1, 2, 4, 8, 16, 32, 64]),
    "depth": ("int", [1, 2, 3, 5, 8, 12]),
    "extra": ("choice", [0, 1]),
}
_MLP: Axes = {
    "lr": ("loguniform", _levels(1e-5, 1.0, 7)),
    "alpha": ("loguniform", _levels(1e-6, 1.0, 4)),
    "hidden": ("logint", [2, 8, 32, 128]),
    "act": ("choice", [0, 1]),
}
_LOGISTIC: Axes = {"Cl": ("loguniform", _levels(1e-4, 1e3, 8)), "scale": ("choice", [0, 1])}
_TREE: Axes = {
    "depth": ("int", [1, 2, 3, 5, 8, 12]),
    "leaf": ("logint", [1, 3, 9, 27, 81]),
    "criterion": ("choice", [0, 1]),
}


def _model(kind: str, v: Values) -> Any:
    from sklearn import ensemble, linear_model, neighbors, neural_network, preprocessing, svm, tree
    from sklearn.pipeline import make_pipeline

    scale = preprocessing.StandardScaler
    if kind == "svm":
        return make_pipeline(scale(), svm.SVC(C=v["C"], gamma=v["gamma"]))
    if kind == "knn":
        scalers = ["passthrough", scale(), preprocessing.MinMaxScaler()]
        near = neighbors.KNeighborsClassifier(
            int(v["k"]), p=v["p"], weights=("uniform", "distance")[int(v["weights"])]
        )
        return make_pipeline(scalers[int(v["scaler"])], near)
    if kind == "elastic":
        poly = preprocessing.PolynomialFeatures(int(v["degree"]) + 1, include_bias=False)
        net = linear_model.ElasticNet(alpha=v["alpha"], l1_ratio=v["l1"], max_iter=300)
        return make_pipeline(scale(), poly, scale(), net)
    if kind == "boost":
        return ensemble.GradientBoostingClassifier(
            learning_rate=v["eta"], max_depth=int(v["depth"]), n_estimators=int(v["trees"]),
            subsample=v["subsample"], random_state=0, max_features=0.3,
        )  # fmt: skip
    if kind == "forest":
        cls = (ensemble.RandomForestRegressor, ensemble.ExtraTreesRegressor)[int(v["extra"])]
        return cls(
            20, max_features=v["features"], min_samples_leaf=int(v["leaf"]),
            max_depth=int(v["depth"]), random_state=0,
        )  # fmt: skip
    if kind == "mlp":
        net = neural_network.MLPClassifier(
            (int(v["hidden"]),), learning_rate_init=v["lr"], alpha=v["alpha"], max_iter=25,
            activation=("relu", "tanh")[int(v["act"])], random_state=0,
        )  # fmt: skip
        return make_pipeline(scale(), net)
    if kind == "logistic":
        steps = [scale()] if v["scale"] else []
        return make_pipeline(*steps, linear_model.LogisticRegression(C=v["Cl"], max_iter=200))
    return tree.DecisionTreeClassifier(
        max_depth=int(v["depth"]), min_samples_leaf=int(v["leaf"]), random_state=0,
        criterion=("gini", "entropy")[int(v["criterion"])],
    )  # fmt: skip


def _data(name: str) -> tuple[np.ndarray, np.ndarray]:
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:500]
    return x[order], y[order]


def _table(kind: str, axes: Axes, data: str) -> np.ndarray:
    """Cross-validated loss at every grid point."""
    import warnings

    from sklearn.model_selection import cross_val_score

    x, y = _data(data)
    labels, levels = list(axes), [axis[1] for axis in axes.values()]
    losses = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for point in itertools.product(*levels):
            model = _model(kind, dict(zip(labels, point, strict=True)))
            scoring = "r2" if data == "diabetes" else "accuracy"
            losses.append(1 - float(cross_val_score(model, x, y, cv=3, scoring=scoring).mean()))
    return np.array(losses).reshape([len(level) for level in levels])


def _cached(kind: str, axes: Axes, data: str, cache: Path) -> np.ndarray:
    path = cache / f"{kind}-{data}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_table(kind, axes, data).round(6).tolist()))
    return np.array(json.loads(path.read_text()))


def _interpolator(axes: Axes, table: np.ndarray, prefix: str) -> Callable[[Values], float]:
    logs = [kind.startswith("log") for kind, _ in axes.values()]
    grids = [
        np.log(level) if log else np.array(level)
        for log, (_, level) in zip(logs, axes.values(), strict=True)
    ]
    discrete = [kind == "choice" for kind, _ in axes.values()]

    def loss(values: Values) -> float:
        block = table
        for label, grid, log, option in zip(axes, grids, logs, discrete, strict=True):
            value = values[prefix + label]
            if option:
                block = block[int(value)]
                continue
            z = math.log(value) if log else value
            i = int(np.clip(np.searchsorted(grid, z) - 1, 0, len(grid) - 2))
            t = min(max((z - grid[i]) / (grid[i + 1] - grid[i]), 0.0), 1.0)
            block = (1 - t) * block[i] + t * block[i + 1]
        return float(block)

    return loss


def _space(axes: Axes, prefix: str = "") -> Space:
    return {
        prefix + label: (kind, [{}] * len(level))
        if kind == "choice"
        else (kind, level[0], level[-1])
        for label, (kind, level) in axes.items()
    }


def _single(name: str, kind: str, axes: Axes, data: str, cache: Path) -> Task:
    table = _cached(kind, axes, data, cache)
    return Task(name, _space(axes), _interpolator(axes, table, ""), optimum=float(table.min()))


def _pipeline(name: str, parts: dict[str, Axes], data: str, cache: Path) -> Task:
    """A choice between kinds of model, each with parameters of its own."""
    losses, best = [], math.inf
    for kind, axes in parts.items():
        table = _cached(kind, axes, data, cache)
        best = min(best, float(table.min()))
        losses.append(_interpolator(axes, table, f"{kind}_"))
    space: Space = {"model": ("choice", [_space(a, f"{kind}_") for kind, a in parts.items()])}
    return Task(name, space, lambda values: losses[values["model"]](values), optimum=best)


def sklearn_tasks(cache: Path) -> tuple[Task, ...]:
    """The tasks; the first call computes their tables, which takes a few minutes."""
    parts = {"svm": _C_GAMMA, "logistic": _LOGISTIC, "knn": _KNN, "tree": _TREE}
    return (
        _single("sk_svm_digits", "svm", _C_GAMMA, "digits", cache),
        _single("sk_knn_wine", "knn", _KNN, "wine", cache),
        _single("sk_elastic_diabetes", "elastic", _ELASTIC, "diabetes", cache),
        _single("sk_boost_cancer", "boost", _BOOST, "breast_cancer", cache),
        _single("sk_forest_diabetes", "forest", _FOREST, "diabetes", cache),
        _single("sk_mlp_wine", "mlp", _MLP, "wine", cache),
        _pipeline("sk_pipeline_cancer", parts, "breast_cancer", cache),
        _pipeline("sk_pipeline_wine", parts, "wine", cache),
    )
