"""A support vector machine by cross-validated accuracy; results carry the model and metrics."""

import numpy as np
from hyperopt import STATUS_OK, Trials, fmin, hp, space_eval, tpe
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

observed = {}
shapes = {}
X, y = load_iris(return_X_y=True)

space = {
    "C": hp.loguniform("C", np.log(1e-2), np.log(1e2)),
    "gamma": hp.loguniform("gamma", -5, 0),
    "kernel": hp.choice("kernel", ["rbf", "linear"]),
    "shrinking": hp.choice("shrinking", [True, False]),
    "cache_size": 100,
    "class_weight": None,
}


def objective(params):
    model = SVC(**params)
    accuracy = cross_val_score(model, X, y, cv=3).mean()
    return {
        "loss": -accuracy,
        "status": STATUS_OK,
        "model": model.fit(X, y),
        "params": params,
        "metrics": {"accuracy": accuracy, "folds": [1, 2, 3]},
    }


trials = Trials()
best = fmin(
    fn=objective,
    space=space,
    algo=tpe.suggest,
    max_evals=8,
    trials=trials,
    rstate=np.random.default_rng(1),
    verbose=False,
)
result = trials.best_trial["result"]
shapes["best"] = best
shapes["best result"] = {k: v for k, v in result.items() if k != "model"}
observed["result keys"] = sorted(result)
observed["model"] = type(result["model"]).__name__
observed["a good model"] = bool(result["model"].score(X, y) > 0.9)
observed["loss is the lowest"] = result["loss"] == min(t["result"]["loss"] for t in trials.trials)

params = space_eval(space, best)
shapes["params"] = params
observed["params"] = sorted(params)
observed["constants"] = [params["cache_size"], params["class_weight"]]
observed["kernel is one of the options"] = params["kernel"] in ("rbf", "linear")
observed["refitted"] = type(SVC(**params).fit(X, y)).__name__
