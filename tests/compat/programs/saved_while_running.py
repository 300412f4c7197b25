"""``trials_save_file``: the search is stopped, and a second call goes on from the file."""

import pickle
import tempfile
from pathlib import Path

import numpy as np
from hyperopt import fmin, hp, rand

observed = {}
shapes = {}
calls = []


def objective(p):
    calls.append(p["x"])
    return {"loss": p["x"] ** 2, "status": "ok", "note": "kept"}


def search(file, max_evals):
    return fmin(
        objective,
        {"x": hp.uniform("x", -5, 5)},
        algo=rand.suggest,
        max_evals=max_evals,
        rstate=np.random.default_rng(11),
        trials_save_file=str(file),
        verbose=False,
    )


with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "search.trials"
    search(file, 4)
    observed["written"] = file.exists()
    with file.open("rb") as stream:
        saved = pickle.load(stream)
    observed["saved"] = [len(saved.trials), saved.results[0]["note"]]
    best = search(file, 10)
    with file.open("rb") as stream:
        saved = pickle.load(stream)
    observed["calls"] = len(calls)
    observed["saved again"] = [len(saved.trials), saved.tids]
    observed["the files"] = [p.name for p in Path(folder).iterdir()]
shapes["best"] = best
observed["best of both halves"] = abs(best["x"]) == min(abs(x) for x in calls)
