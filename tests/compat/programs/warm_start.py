"""Points that are known to be good are tried first."""

import hyperopt
import numpy as np
from hyperopt import Trials, fmin, hp, tpe
from hyperopt.fmin import generate_trials_to_calculate

OURS = hyperopt.Trials.__module__.startswith("sparktuner")
observed = {}
shapes = {}
space = {
    "x": hp.uniform("x", -5, 5),
    "kernel": hp.choice("kernel", ["rbf", "linear"]),
    "depth": hp.randint("depth", 10),
}
points = [{"x": 0.5, "kernel": 1, "depth": 3}, {"x": -2.0, "kernel": 0, "depth": 9}]
seen = []


def objective(p):
    seen.append([float(p["x"]), p["kernel"], int(p["depth"])])
    return abs(p["x"])


def search(**options):
    seen.clear()
    return fmin(
        objective,
        space,
        algo=tpe.suggest,
        max_evals=6,
        rstate=np.random.default_rng(9),
        verbose=False,
        **options,
    )


best = search(points_to_evaluate=points)
observed["first"] = seen[:2]
observed["calls"] = len(seen)  # the points come on top of max_evals
shapes["best"] = best

trials = generate_trials_to_calculate(points)
observed["generated"] = type(trials).__name__
if OURS:
    # They can be seen at once; hyperopt shows none before a refresh.
    assert trials.tids == [0, 1]
trials.refresh()
observed["generated values"] = [t["misc"]["vals"] for t in trials.trials]
best = search(trials=trials)
observed["first again"] = seen[:2]
observed["all ran"] = [len(trials) == len(seen), trials.tids[:6]]

trials = Trials()
search(trials=trials, points_to_evaluate=points)
if OURS:
    # hyperopt ignores the points when trials are given; they are what was asked for.
    assert seen[:2] == [[0.5, "linear", 3], [-2.0, "rbf", 9]]
observed["with trials, but for the points"] = len(trials) - (len(points) if OURS else 0)
