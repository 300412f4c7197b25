"""A choice of model families, each with parameters of its own, nested twice."""

import numpy as np
from hyperopt import STATUS_OK, Trials, fmin, hp, rand, space_eval

observed = {}
shapes = {}


class Standard:
    pass


class MinMax:
    pass


def identity(x):
    return x


space = {
    "scaler": hp.choice("scaler", [None, Standard, MinMax]),
    "transform": hp.choice("transform", [identity, np.log1p]),
    "model": hp.choice(
        "model",
        [
            {"type": "bayes"},
            {
                "type": "svm",
                "C": hp.lognormal("svm_C", 0, 1),
                "kernel": hp.choice(
                    "svm_kernel",
                    [
                        {"ktype": "linear"},
                        {"ktype": "rbf", "width": hp.lognormal("svm_rbf_width", 0, 1)},
                    ],
                ),
            },
            {
                "type": "tree",
                "criterion": hp.choice("tree_criterion", ["gini", "entropy"]),
                "depth": hp.choice("tree_depth", [None, hp.qlognormal("tree_depth_int", 3, 1, 1)]),
            },
        ],
    ),
    "seed": 7,
}
configurations = []


def objective(config):
    configurations.append(config)
    model = config["model"]
    if model["type"] == "svm":
        loss = abs(np.log(model["C"])) + (model["kernel"]["ktype"] == "linear")
    elif model["type"] == "tree":
        loss = 2.0 + (model["depth"] or 0) / 100
    else:
        loss = 3.0
    return {"loss": float(loss), "status": STATUS_OK}


trials = Trials()
best = fmin(
    objective,
    space,
    algo=rand.suggest,
    max_evals=60,
    trials=trials,
    rstate=np.random.default_rng(5),
    verbose=False,
)
observed["labels of every trial"] = sorted(trials.trials[0]["misc"]["vals"])
observed["the same labels in all"] = all(
    set(m["vals"]) == set(trials.miscs[0]["vals"]) for m in trials.miscs
)
observed["one or no value each"] = sorted(
    {len(values) for misc in trials.miscs for values in misc["vals"].values()}
)
observed["idxs beside vals"] = all(
    misc["idxs"][label] == [misc["tid"]] * len(values)
    for misc in trials.miscs
    for label, values in misc["vals"].items()
)
kinds = {"bayes": 0, "svm": 1, "tree": 2}
observed["active only below its branch"] = all(
    (len(misc["vals"]["svm_C"]) == 1) == (misc["vals"]["model"][0] == kinds["svm"])
    for misc in trials.miscs
)
observed["what the objective saw"] = sorted(
    {",".join(sorted(config["model"])) for config in configurations}
)
observed["options arrive as they are"] = all(
    c["scaler"] in (None, Standard, MinMax) for c in configurations
)
observed["the best labels are active ones"] = set(best) <= set(trials.vals)
evaluated = space_eval(space, best)
observed["evaluated"] = sorted(evaluated)
observed["the same as the objective got"] = evaluated == configurations[trials.best_trial["tid"]]
observed["columns sum to the trials"] = len(trials.vals["tree_criterion"]) + len(
    trials.vals["svm_C"]
) <= len(trials)
observed["idxs and vals have equal lengths"] = all(
    len(trials.idxs[label]) == len(values) for label, values in trials.vals.items()
)
