"""Run by an interpreter that has hyperopt 0.3.0: its own Trials become ours, and are searched on.

Prints what was found as JSON, and pickles the documents to the file that it is given.
"""

from __future__ import annotations

import json
import pickle
import sys
from typing import Any

import hyperopt
import numpy as np

import sparktuner


def space_of(hp: Any) -> Any:
    return {
        "x": hp.uniform("x", -1, 1),
        "n": hp.quniform("n", 0, 9, 1),
        "model": hp.choice("model", [{"C": hp.lognormal("C", 0, 1)}, "bayes"]),
    }


def objective(params: Any) -> dict[str, Any]:
    if params["x"] > 0.9:
        return {"status": "fail"}
    return {"status": "ok", "loss": np.float64(params["x"] ** 2), "attachments": {"note": b"kept"}}


def main(path: str) -> None:
    theirs = hyperopt.Trials()
    hyperopt.fmin(
        objective,
        space_of(hyperopt.hp),
        algo=hyperopt.rand.suggest,
        max_evals=25,
        trials=theirs,
        rstate=np.random.default_rng(0),
        show_progressbar=False,
        verbose=False,
    )
    with open(path, "wb") as file:
        pickle.dump([dict(document) for document in theirs._dynamic_trials], file)
    space = space_of(sparktuner.hp)
    ours = sparktuner.from_hyperopt(theirs, space)
    before = len(ours)
    attached = ours.trial_attachments(ours.best_trial)["note"].decode()
    found = {"before": before, "same best": ours.argmin == dict(theirs.argmin), "note": attached}
    found["same losses"] = ours.losses() == theirs.losses()
    sparktuner.fmin(objective, space, max_evals=30, trials=ours, rstate=0, verbose=False)
    found |= {"after": len(ours), "attachments": len(ours.attachments)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
