"""Objectives that attach files, and those that work on expressions themselves."""

import numpy as np
from hyperopt import (
    STATUS_OK,
    Ctrl,
    Domain,
    Trials,
    fmin,
    fmin_pass_expr_memo_ctrl,
    hp,
    pyll,
    rand,
)

observed = {}
shapes = {}


def with_attachments(x):
    return {
        "loss": x**2,
        "status": STATUS_OK,
        "attachments": {"curve": b"1 2 3", "info": str(round(x, 3)).encode()},
    }


def search(objective, space, trials, **options):
    return fmin(
        objective,
        space,
        algo=rand.suggest,
        max_evals=4,
        trials=trials,
        rstate=np.random.default_rng(0),
        verbose=False,
        **options,
    )


trials = Trials()
search(with_attachments, hp.uniform("x", -1, 1), trials)
attached = trials.trial_attachments(trials.trials[2])
observed["curve"] = attached["curve"].decode()
observed["in it"] = ["curve" in attached, "other" in attached]
observed["not in the result"] = "attachments" in trials.trials[2]["result"]
observed["all"] = len(trials.attachments)
observed["by name"] = trials.aname(trials.trials[2], "curve") in trials.attachments
attached["late"] = b"added"
observed["added later"] = trials.trial_attachments(trials.trials[2])["late"].decode()
trials.attachments["global"] = "of the whole search"
observed["global"] = trials.attachments["global"]

arguments = []


@fmin_pass_expr_memo_ctrl
def on_expressions(expr, memo, ctrl):
    config = pyll.rec_eval(expr, memo=memo)
    arguments.append([type(ctrl).__name__, ctrl.current_trial["tid"], sorted(config)])
    ctrl.attachments["half"] = config["x"] / 2
    return {"loss": config["x"] ** 2, "status": STATUS_OK}


trials = Trials()
best = search(on_expressions, {"x": hp.uniform("x", -1, 1), "k": 3}, trials)
observed["arguments"] = arguments
observed["half"] = trials.trial_attachments(trials.best_trial)["half"] == best["x"] / 2


def by_argument(expr, memo, ctrl):
    return pyll.rec_eval(expr, memo=memo) ** 2


observed["by argument"] = sorted(
    search(by_argument, hp.uniform("y", 0, 1), Trials(), pass_expr_memo_ctrl=True)
)

domain = Domain(lambda p: p["x"] * p["k"], {"x": hp.uniform("x", 0, 9), "k": 2})
observed["evaluated"] = domain.evaluate({"x": 3.5}, Ctrl(Trials()))
