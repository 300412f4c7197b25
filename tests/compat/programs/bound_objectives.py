"""Objectives that carry their data: closures, partials, methods, callable objects, lambdas."""

import functools

import hyperopt
import numpy as np

observed = {}
shapes = {}
X = np.linspace(0, 1, 20)
y = 3 * X + 1


def loss(params, X, y):
    return float(np.mean((params["slope"] * X + params["bias"] - y) ** 2))


class Tuner:
    def __init__(self, X, y):
        self.X, self.y, self.calls = X, y, 0

    def objective(self, params):
        self.calls += 1
        return loss(params, self.X, self.y)

    def __call__(self, params):
        return {"loss": self.objective(params), "status": hyperopt.STATUS_OK}


def closure(X, y):
    def objective(params):
        return {"loss": loss(params, X, y), "status": "ok", "n": len(X)}

    return objective


space = hyperopt.hp.choice(
    "model",
    [
        {
            "slope": hyperopt.hp.normal("slope", 0, 3),
            "bias": hyperopt.hp.uniform("bias", -2, 2),
        }
    ],
)
tuner = Tuner(X, y)
objectives = {
    "partial": functools.partial(loss, X=X, y=y),
    "method": tuner.objective,
    "callable": tuner,
    "closure": closure(X, y),
    "lambda": lambda params: loss(params, X, y),
}
for name, objective in objectives.items():
    best = hyperopt.fmin(
        fn=objective,
        space=space,
        algo=hyperopt.tpe.suggest,
        max_evals=15,
        rstate=np.random.default_rng(0),
        verbose=False,
    )
    shapes[name] = best
    observed[name] = sorted(hyperopt.space_eval(space, best))
observed["calls"] = tuner.calls
