"""``rstate`` in the ways people pass it, and seeds from the environment."""

import os

import hyperopt
import numpy as np
from hyperopt import Trials, fmin, hp, tpe

OURS = hyperopt.Trials.__module__.startswith("sparktuner")
observed = {}
shapes = {}
space = {"x": hp.uniform("x", -5, 5), "c": hp.choice("c", [1, 2, 3])}


def values(rstate, max_evals=24, trials=None):
    trials = Trials() if trials is None else trials
    fmin(
        lambda p: p["x"] ** 2 + p["c"],
        space,
        algo=tpe.suggest,
        max_evals=max_evals,
        trials=trials,
        rstate=rstate,
        verbose=False,
    )
    return [float(x) for x in trials.vals["x"]]


first = values(np.random.default_rng(42))
observed["repeated"] = values(np.random.default_rng(42)) == first
observed["another seed"] = values(np.random.default_rng(43)) != first
observed["none"] = values(None, 3) != values(None, 3)
os.environ["HYPEROPT_FMIN_SEED"] = "17"
observed["from the environment"] = values(None, 3) == values(None, 3)
del os.environ["HYPEROPT_FMIN_SEED"]
rng = np.random.default_rng(1)
observed["a generator moves on"] = values(rng, 4) != values(rng, 4)

if OURS:
    # hyperopt 0.3 crashes on both: "'int' object has no attribute 'integers'".
    assert values(42, 5) == values(42, 5)
    assert values(np.random.RandomState(42), 5) == values(np.random.RandomState(42), 5)
    # hyperopt repeats the first seeds, and so the first points, when a search is resumed.
    trials = Trials()
    values(np.random.default_rng(5), 5, trials)
    assert len(set(values(np.random.default_rng(5), 10, trials))) == 10
