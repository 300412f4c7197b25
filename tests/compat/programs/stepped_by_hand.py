"""A search that is driven by the program itself, and trials that are made by hand."""

import hyperopt
import numpy as np
from hyperopt import (
    JOB_STATE_DONE,
    JOB_STATE_NEW,
    STATUS_OK,
    Domain,
    FMinIter,
    Trials,
    fmin,
    hp,
    rand,
    trials_from_docs,
)

OURS = hyperopt.Trials.__module__.startswith("sparktuner")
observed = {}
shapes = {}
domain = Domain(lambda x: (x - 2) ** 2, hp.uniform("x", -5, 5))

trials = Trials()
search = FMinIter(
    rand.suggest, domain, trials, rstate=np.random.default_rng(0), max_evals=10, verbose=False
)
search.run(3)
observed["three"] = len(trials)
search.exhaust()
observed["exhausted"] = len(trials)

trials = Trials()
steps = []
for seen in FMinIter(
    rand.suggest,
    domain,
    trials,
    rstate=np.random.default_rng(0),
    max_evals=3,
    verbose=False,
    show_progressbar=False,
):
    steps.append([type(seen).__name__, len(seen)])
observed["steps"] = steps[:2]
observed["all of them"] = len(trials)
if OURS:
    # hyperopt runs the last trial too, but ends without yielding it.
    assert steps == [["Trials", 1], ["Trials", 2], ["Trials", 3]]

trials = Trials()
ids = trials.new_trial_ids(2)
observed["ids"] = ids
documents = rand.suggest(ids, domain, trials, 7)
observed["documents"] = [document["state"] for document in documents]
inserted = trials.insert_trial_docs(documents)
observed["inserted"] = [inserted, len(trials)]
trials.refresh()
observed["refreshed"] = len(trials)
observed["new"] = trials.count_by_state_unsynced(JOB_STATE_NEW)
observed["synced"] = trials.count_by_state_synced([JOB_STATE_NEW, JOB_STATE_DONE])
fmin(
    lambda x: x,
    hp.uniform("x", -5, 5),
    algo=rand.suggest,
    max_evals=4,
    trials=trials,
    rstate=np.random.default_rng(0),
    verbose=False,
)
observed["finished"] = [len(trials), trials.count_by_state_unsynced(JOB_STATE_DONE)]


def known(tid, x):
    misc = {
        "tid": tid,
        "cmd": ("domain_attachment", "FMinIter_Domain"),
        "workdir": None,
        "idxs": {"x": [tid]},
        "vals": {"x": [x]},
    }
    return {
        "tid": tid,
        "spec": None,
        "result": {"status": STATUS_OK, "loss": (x - 2) ** 2},
        "misc": misc,
        "state": JOB_STATE_DONE,
        "exp_key": None,
        "owner": None,
        "version": 0,
        "book_time": None,
        "refresh_time": None,
    }


past = trials_from_docs([known(tid, float(tid)) for tid in range(5)])
observed["past"] = [len(past), past.argmin["x"], past.losses()]
best = fmin(
    lambda x: (x - 2) ** 2,
    hp.uniform("x", -5, 5),
    algo=rand.suggest,
    max_evals=7,
    trials=past,
    rstate=np.random.default_rng(0),
    verbose=False,
)
observed["history"] = [len(past), best["x"], past.tids]
past.delete_all()
observed["deleted"] = len(past)
