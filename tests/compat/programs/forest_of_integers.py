"""Integer parameters, in all the ways people write them."""

import hyperopt
import numpy as np
from hyperopt import hp, space_eval
from hyperopt.pyll import scope
from hyperopt.pyll.base import scope as base_scope
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import cross_val_score

observed = {}
shapes = {}
X, y = load_diabetes(return_X_y=True)
X, y = X[:120], y[:120]

space = {
    "n_estimators": hp.choice("trees", range(4, 12, 2)),
    "max_depth": scope.int(hp.quniform("max_depth", 2, 6, 1)),
    "min_samples_leaf": base_scope.int(hp.qloguniform("leaf", 0, 2, 1)) + 1,
    "min_samples_split": 2 + hp.randint("split", 5),
    "max_features": hp.choice("features", np.arange(2, 9, 2, dtype=int)),
    "max_leaf_nodes": hp.uniformint("nodes", 5, 40),
    "random_state": hp.randint("seed", 10, 20),
}
seen = []


def objective(params):
    seen.append({name: float(value) == int(value) for name, value in params.items()})
    forest = RandomForestRegressor(
        n_estimators=int(params["n_estimators"]),
        max_depth=params["max_depth"],
        min_samples_leaf=int(params["min_samples_leaf"]),
        min_samples_split=int(params["min_samples_split"]),
        max_features=int(params["max_features"]),
        max_leaf_nodes=int(params["max_leaf_nodes"]),
        random_state=int(params["random_state"]),
    )
    return -cross_val_score(forest, X, y, cv=2, scoring="r2").mean()


trials = hyperopt.Trials()
best = hyperopt.fmin(
    objective,
    space,
    algo=hyperopt.tpe.suggest,
    max_evals=5,
    trials=trials,
    rstate=np.random.default_rng(3),
    verbose=False,
)
shapes["best"] = best
shapes["vals"] = trials.vals
observed["labels"] = sorted(best)
observed["whole numbers"] = all(all(row.values()) for row in seen)
observed["parameters of a row"] = sorted(seen[0])
observed["option is an index"] = 0 <= best["trees"] < 4
observed["seed range"] = 10 <= best["seed"] < 20
params = space_eval(space, best)
shapes["params"] = params
observed["trees"] = int(params["n_estimators"]) in (4, 6, 8, 10)
observed["depth of a refit"] = int(best["max_depth"]) == params["max_depth"]
