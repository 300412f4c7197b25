"""The objective's annotations are the space."""

import numpy as np
from hyperopt import fmin, hp, tpe
from hyperopt.exceptions import InvalidAnnotatedParameter

observed = {}
shapes = {}


def objective(x: hp.uniform("x", -5, 5), kind: hp.choice("kind", ["a", "b"])):
    return x**2 + (kind == "a")


best = fmin(
    objective,
    space="annotated",
    algo=tpe.suggest,
    max_evals=30,
    rstate=np.random.default_rng(0),
    verbose=False,
)
shapes["best"] = best


def unannotated(x: hp.uniform("x", -5, 5), other: float):
    return x + other


try:
    fmin(unannotated, space="annotated", algo=tpe.suggest, max_evals=3, verbose=False)
except InvalidAnnotatedParameter:
    observed["an ordinary annotation"] = "InvalidAnnotatedParameter"
