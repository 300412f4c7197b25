"""Algorithms with settings: ``partial(tpe.suggest, n_startup_jobs=...)``."""

from functools import partial

import hyperopt
import numpy as np
from hyperopt import Trials, fmin, hp, rand, tpe

observed = {}
shapes = {}
space = {"x": hp.uniform("x", -5, 5), "n": hp.quniform("n", 1, 20, 1)}
algorithms = {
    "tpe": tpe.suggest,
    "few startup jobs": partial(tpe.suggest, n_startup_jobs=5),
    "all settings": partial(
        tpe.suggest,
        prior_weight=0.9,
        n_startup_jobs=3,
        n_EI_candidates=50,
        gamma=0.2,
        verbose=False,
    ),
    "hyperopt's partial": hyperopt.partial(tpe.suggest, n_EI_candidates=12),
    "random": rand.suggest,
    "none": None,
}
for name, algorithm in algorithms.items():
    trials = Trials()
    best = fmin(
        lambda p: (p["x"] - 1) ** 2 + abs(p["n"] - 7) / 10,
        space,
        algo=algorithm,
        max_evals=25,
        trials=trials,
        rstate=np.random.default_rng(6),
        verbose=False,
    )
    shapes[name] = best
    observed[name] = [len(trials), -5 <= best["x"] <= 5, best["n"] == int(best["n"])]
