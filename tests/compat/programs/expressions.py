"""Arithmetic on nodes, the scope's functions, and functions that users define."""

import numpy as np
from hyperopt import Trials, fmin, hp, rand, space_eval
from hyperopt.pyll import as_apply, rec_eval, scope
from hyperopt.pyll.stochastic import sample

observed = {}
shapes = {}


@scope.define
def halved_plus(a, b=1):
    return a / 2 + b


n = hp.randint("n", 5)
x = hp.uniform("x", 1, 2)
space = {
    "shifted": 15 + n,
    "power": 2**n,
    "difference": 10 - n,
    "scaled": x * 4,
    "ratio": x / 2,
    "root": scope.sqrt(x),
    "log": scope.log(x),
    "exp": scope.exp(scope.log(x)),
    "least": scope.min(n, 3),
    "most": scope.max(n, 3),
    "whole": scope.int(x * 10),
    "negative": -x,
    "mine": scope.halved_plus(n, b=2),
    "picked": as_apply([10, 20, 30, 40, 50])[n],
    "switched": scope.switch(hp.choice("side", [0, 1]), "left", "right"),
}
seen = []


def objective(p):
    seen.append(p)
    return p["shifted"]


trials = Trials()
best = fmin(
    objective,
    space,
    algo=rand.suggest,
    max_evals=20,
    trials=trials,
    rstate=np.random.default_rng(0),
    verbose=False,
)
observed["labels"] = sorted(best)
shapes["configuration"] = seen[0]


def consistent(p):
    k = p["shifted"] - 15
    return {
        "power": p["power"] == 2**k,
        "difference": p["difference"] == 10 - k,
        "scaled": abs(p["scaled"] - 8 * p["ratio"]) < 1e-12,
        "root": abs(p["root"] ** 2 - 2 * p["ratio"]) < 1e-12,
        "exp": abs(p["exp"] - 2 * p["ratio"]) < 1e-12,
        "bounds": p["least"] == min(k, 3) and p["most"] == max(k, 3),
        "whole": p["whole"] == int(p["ratio"] * 20),
        "negative": p["negative"] == -2 * p["ratio"],
        "mine": p["mine"] == k / 2 + 2,
        "picked": p["picked"] == 10 * (k + 1),
        "switched": p["switched"] in ("left", "right"),
    }


for name in consistent(seen[0]):
    observed[name] = all(bool(consistent(p)[name]) for p in seen)
observed["best"] = bool(best["n"] == min(p["shifted"] for p in seen) - 15)
observed["evaluated"] = bool(consistent(space_eval(space, best))["power"])
observed["sampled"] = bool(consistent(sample(space, rng=np.random.default_rng(1)))["picked"])
observed["constant expression"] = rec_eval(as_apply({"a": [1, 2], "b": "text"})) == {
    "a": (1, 2),
    "b": "text",
}
