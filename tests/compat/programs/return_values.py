"""What fmin returns, and in which shapes a space's containers reach the objective."""

import json

import hyperopt
import numpy as np
from hyperopt import Trials, fmin, hp, rand, space_eval

OURS = hyperopt.Trials.__module__.startswith("sparktuner")
observed = {}
shapes = {}

space = {
    "pair": (hp.uniform("low", 0, 1), hp.uniform("high", 1, 2)),
    "units": [hp.quniform("units_0", 8, 64, 8), hp.quniform("units_1", 8, 64, 8), 4],
    "nested": {"deep": {"x": hp.normal("x", 0, 1)}, "text": "constant", "flag": True},
    "empty": {},
}
seen = []


def objective(p):
    seen.append(p)
    return p["pair"][0]


def search(**options):
    return fmin(
        objective,
        space,
        algo=rand.suggest,
        max_evals=4,
        rstate=np.random.default_rng(0),
        verbose=False,
        **options,
    )


trials = Trials()
best = search(trials=trials)
shapes["best"] = best
shapes["configuration"] = seen[0]
observed["containers"] = {k: type(v).__name__ for k, v in seen[0].items()}
observed["lengths"] = [len(seen[0]["pair"]), len(seen[0]["units"])]
observed["constants"] = [seen[0]["units"][2], seen[0]["nested"]["text"], seen[0]["nested"]["flag"]]
observed["evaluated"] = space_eval(space, best) == seen[trials.best_trial["tid"]]
point = search(return_argmin=False)
shapes["point"] = point
observed["point"] = sorted(point)
observed["assignments of documents"] = sorted(
    space_eval(space, {k: v[0] for k, v in trials.trials[0]["misc"]["vals"].items()})
)
observed["no evaluations asked"] = sorted(
    fmin(objective, space, algo=rand.suggest, max_evals=4, trials=trials, verbose=False)
) == sorted(best)
if OURS:
    # hyperopt gives numpy scalars, which json refuses.
    assert set(json.loads(json.dumps(best))) == set(best)
    assert isinstance(seen[0]["nested"]["deep"]["x"], float)
    assert trials.best_params == space_eval(space, best)
