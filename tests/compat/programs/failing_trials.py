"""Objectives that fail, say so, or return nonsense."""

import hyperopt
import numpy as np
from hyperopt import JOB_STATE_ERROR, STATUS_FAIL, STATUS_OK, Trials, fmin, hp, tpe
from hyperopt.exceptions import AllTrialsFailed, InvalidLoss, InvalidResultStatus

OURS = hyperopt.Trials.__module__.startswith("sparktuner")
observed = {}
shapes = {}
space = hp.uniform("x", -1, 1)


def search(objective, trials=None, **options):
    return fmin(
        objective,
        space,
        algo=tpe.suggest,
        max_evals=20,
        trials=trials,
        rstate=np.random.default_rng(4),
        verbose=False,
        **options,
    )


def some_fail(x):
    if x < 0:
        return {"status": STATUS_FAIL, "error": "negative"}
    return {"status": STATUS_OK, "loss": x}


trials = Trials()
best = search(some_fail, trials)
observed["counted"] = len(trials)
observed["best is no failure"] = best["x"] >= 0
observed["statuses"] = sorted(set(trials.statuses()))
observed["losses of failures"] = sorted(
    {str(r.get("loss")) for r in trials.results if r["status"] == STATUS_FAIL}
)
observed["their own keys"] = {r.get("error") for r in trials.results} == {None, "negative"}


def some_raise(x):
    if x < 0:
        raise ValueError(f"cannot be negative: {x}")
    return x


trials = Trials()
search(some_raise, trials, catch_eval_exceptions=True)
broken = [t for t in trials._dynamic_trials if t["state"] == JOB_STATE_ERROR]
observed["kept"] = len(trials._dynamic_trials)
observed["broken ones are not shown"] = len(trials) + len(broken) == 20
observed["some broke"] = len(broken) > 0
kind, message = broken[0]["misc"]["error"]
observed["the error"] = ["ValueError" in kind, "cannot be negative" in message]
observed["count_by_state"] = trials.count_by_state_unsynced(JOB_STATE_ERROR) == len(broken)


def outcome(objective, **options):
    trials = Trials()
    try:
        search(objective, trials, **options)
    except Exception as error:
        return [type(error).__name__, len(trials), len(trials._dynamic_trials)]
    return "finished"


observed["raises"] = outcome(lambda x: 1 / 0)
observed["all fail"] = outcome(lambda x: {"status": STATUS_FAIL})
observed["an unknown status"] = outcome(lambda x: {"loss": 1.0, "status": "fine"})
observed["no loss"] = outcome(lambda x: {"status": STATUS_OK})
observed["caught by their classes"] = [
    issubclass(error, Exception) for error in (AllTrialsFailed, InvalidLoss, InvalidResultStatus)
]
if OURS:
    # hyperopt shows its inner workings here: KeyError: 'status', TypeError or ValueError of float.
    assert outcome(lambda x: {"loss": 1.0}) == ["InvalidResultStatus", 0, 1]
    assert outcome(lambda x: "text") == ["InvalidLoss", 0, 1]
    assert outcome(lambda x: None) == ["InvalidLoss", 0, 1]
    assert outcome(lambda x: {"status": "ok", "loss": "low"}) == ["InvalidLoss", 0, 1]
try:
    search(lambda x: {"status": STATUS_FAIL})
except AllTrialsFailed:
    observed["caught"] = "AllTrialsFailed"
