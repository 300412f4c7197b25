"""An algorithm of the user's own: a grid first, then whatever tpe says."""

import numpy as np
from hyperopt import Trials, fmin, hp, rand, tpe
from hyperopt.base import miscs_update_idxs_vals

observed = {}
shapes = {}
space = {"x": hp.uniform("x", 0, 1), "kind": hp.choice("kind", ["a", "b"])}
asked = []


def grid_then_tpe(new_ids, domain, trials, seed):
    asked.append([len(new_ids), len(trials.trials), sorted(domain.params)])
    if len(trials.trials) >= 4:
        return tpe.suggest(new_ids, domain, trials, seed)
    documents = []
    for tid in new_ids:
        point = {"x": tid / 4, "kind": tid % 2}
        misc = {"tid": tid, "cmd": domain.cmd, "workdir": domain.workdir, "idxs": {}, "vals": {}}
        idxs = {label: [tid] for label in point}
        vals = {label: [value] for label, value in point.items()}
        miscs_update_idxs_vals([misc], idxs, vals)
        documents.extend(trials.new_trial_docs([tid], [None], [domain.new_result()], [misc]))
    return documents


def search(algo, max_evals=7, **options):
    trials = Trials()
    fmin(
        lambda p: p["x"] + (p["kind"] == "a"),
        space,
        algo=algo,
        max_evals=max_evals,
        trials=trials,
        rstate=np.random.default_rng(0),
        verbose=False,
        **options,
    )
    return trials


trials = search(grid_then_tpe)
observed["asked"] = asked
observed["grid"] = trials.vals["x"][:4]
observed["kinds"] = [int(k) for k in trials.vals["kind"][:4]]
observed["trials"] = len(trials)
shapes["document"] = trials.trials[0]["misc"]["vals"]

batches = []


def batch(new_ids, domain, trials, seed):
    batches.append(len(new_ids))
    return rand.suggest(new_ids, domain, trials, seed)


trials = search(batch, max_queue_len=3)
observed["asked for them all"] = sum(batches)
observed["never for more than three"] = max(batches) <= 3
observed["tids of the batches"] = trials.tids


def nothing_after_five(new_ids, domain, trials, seed):
    if len(trials.trials) >= 5:
        return []
    return rand.suggest(new_ids, domain, trials, seed)


observed["an algorithm that ends"] = len(search(nothing_after_five, max_evals=9))
observed["seeds are numbers"] = []


def note_seed(new_ids, domain, trials, seed):
    observed["seeds are numbers"].append(isinstance(int(seed), int))
    return rand.suggest(new_ids, domain, trials, seed)


search(note_seed, max_evals=2)
