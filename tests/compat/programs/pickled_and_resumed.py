"""A search that goes on after its trials were pickled, as in a notebook of two days."""

import pickle
import tempfile
from pathlib import Path

import numpy as np
from hyperopt import Trials, fmin, hp, tpe

observed = {}
shapes = {}

space = [hp.uniform("x", -3, 3), hp.choice("sign", [-1, 1])]
calls = []


def objective(args):
    x, sign = args
    calls.append(type(args).__name__)
    return sign * x


def search(trials, max_evals, seed):
    return fmin(
        objective,
        space,
        algo=tpe.suggest,
        max_evals=max_evals,
        trials=trials,
        rstate=np.random.default_rng(seed),
        verbose=False,
    )


with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "trials.pkl"
    trials = Trials()
    search(trials, 6, 0)
    with file.open("wb") as stream:
        pickle.dump(trials, stream)
    with file.open("rb") as stream:
        loaded = pickle.load(stream)

observed["loaded"] = [type(loaded).__name__, len(loaded), loaded.losses() == trials.losses()]
observed["argmin"] = loaded.argmin == trials.argmin
best = search(loaded, len(loaded) + 9, 1)
observed["calls"] = len(calls)
observed["a list arrives as"] = sorted(set(calls))
observed["after"] = [len(loaded), len(trials)]
observed["tids"] = loaded.tids
observed["the first are kept"] = loaded.losses()[:6] == trials.losses()
observed["best"] = best == loaded.argmin
again = search(loaded, 15, 2)
observed["nothing more to do"] = [len(calls), again == best]
