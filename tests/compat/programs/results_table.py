"""Tables and plots of a search: the documents, columns, losses."""

import hyperopt
import numpy as np
from hyperopt import JOB_STATE_DONE, STATUS_OK, Trials, fmin, hp, tpe

observed = {}
shapes = {}

space = {"lr": hp.loguniform("lr", -7, 0), "layers": hp.choice("layers", [1, 2, 3])}
trials = Trials()
best = fmin(
    lambda p: {"loss": (np.log(p["lr"]) + 3) ** 2, "status": STATUS_OK, "layers": p["layers"]},
    space,
    algo=tpe.suggest,
    max_evals=12,
    trials=trials,
    rstate=np.random.default_rng(2),
    verbose=False,
)

document = trials.trials[3]
observed["document"] = sorted(k for k in document if k != "_id")
# `execution` and `space` say where a trial ran and of which space it is; Hyperopt does not.
observed["misc"] = sorted(k for k in document["misc"] if k not in ("execution", "space"))
observed["state"] = document["state"] == JOB_STATE_DONE
observed["spec"] = document["spec"]
observed["exp_key"] = document["exp_key"]
if hyperopt.Trials.__module__.startswith("sparktuner"):
    # The search that ran it, by which two of them on one store keep apart; hyperopt says it
    # with MongoDB only.
    assert document["owner"].count(":") == 4
observed["tid"] = [document["tid"], document["misc"]["tid"]]
observed["times"] = [type(document[k]).__name__ for k in ("book_time", "refresh_time")]
observed["naive times"] = document["book_time"].tzinfo is None
observed["ended after it began"] = document["refresh_time"] >= document["book_time"]
shapes["result"] = document["result"]
shapes["vals"] = document["misc"]["vals"]
shapes["idxs"] = document["misc"]["idxs"]

rows = [
    {
        "tid": trial["tid"],
        "loss": trial["result"]["loss"],
        "lr": trial["misc"]["vals"]["lr"][0],
        "seconds": (trial["refresh_time"] - trial["book_time"]).total_seconds(),
    }
    for trial in trials.trials
]
shapes["row"] = rows[0]
by_loss = sorted(rows, key=lambda row: row["loss"])
observed["first of the sorted"] = by_loss[0]["tid"] == trials.best_trial["tid"]
observed["first of the sorted's lr"] = by_loss[0]["lr"] == best["lr"]
observed["sorted by result"] = (
    sorted(trials.results, key=lambda r: r["loss"])[0] == trials.best_trial["result"]
)

observed["tids"] = trials.tids
observed["specs"] = trials.specs
observed["counts"] = [len(trials), len(list(trials)), len(trials.miscs), len(trials.results)]
observed["statuses"] = trials.statuses()
shapes["losses"] = trials.losses()
idxs, vals = trials.idxs_vals
observed["idxs"] = idxs
observed["columns"] = {label: len(values) for label, values in vals.items()}
observed["vals"] = vals == trials.vals
observed["running best"] = bool(
    np.all(np.diff(np.minimum.accumulate(np.array(trials.losses(), dtype=float))) <= 0)
)
observed["average best error is the best loss"] = (
    trials.average_best_error() == trials.best_trial["result"]["loss"]
)
try:
    trials[0]
except NotImplementedError:
    observed["indexing"] = "NotImplementedError"
