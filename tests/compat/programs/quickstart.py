"""The first example of every tutorial: one node, a bare number as the loss."""

import numpy as np
from hyperopt import Trials, fmin, hp, tpe

observed = {}
shapes = {}

best = fmin(
    lambda x: x**2,
    hp.uniform("x", -10, 10),
    tpe.suggest,
    40,
    rstate=np.random.default_rng(42),
    verbose=False,
)
shapes["best"] = best
observed["close"] = abs(best["x"]) < 3

trials = Trials()
best = fmin(
    fn=lambda x: (x - 1) ** 2,
    space=hp.uniform("x", -2, 2),
    algo=tpe.suggest,
    max_evals=30,
    trials=trials,
    rstate=np.random.default_rng(0),
    show_progressbar=False,
)
observed["trials"] = len(trials)
observed["losses"] = len(trials.losses())
observed["best is the argmin"] = best == trials.argmin
observed["best has the lowest loss"] = trials.best_trial["result"]["loss"] == min(trials.losses())
shapes["result"] = trials.results[0]
shapes["best trial's values"] = trials.best_trial["misc"]["vals"]
observed["statuses"] = sorted(set(trials.statuses()))
