"""Every distribution: drawn with ``sample``, searched, and read back."""

import math

import numpy as np
from hyperopt import Trials, fmin, hp, tpe
from hyperopt.pyll.stochastic import sample

observed = {}
shapes = {}

space = {
    "uniform": hp.uniform("uniform", -1, 1),
    "quniform": hp.quniform("quniform", 0, 10, 2.5),
    "uniformint": hp.uniformint("uniformint", 1, 5),
    "loguniform": hp.loguniform("loguniform", np.log(1e-4), 0),
    "qloguniform": hp.qloguniform("qloguniform", 0, 5, 2),
    "normal": hp.normal("normal", 0, 2),
    "qnormal": hp.qnormal("qnormal", 0, 5, 1),
    "lognormal": hp.lognormal("lognormal", 0, 1),
    "qlognormal": hp.qlognormal("qlognormal", 1, 1, 0.5),
    "randint": hp.randint("randint", 7),
    "randint2": hp.randint("randint2", 3, 9),
    "choice": hp.choice("choice", ["a", "b"]),
    "pchoice": hp.pchoice("pchoice", [(0.1, "rare"), (0.9, "common")]),
}


def in_range(p):
    return {
        "uniform": -1 <= p["uniform"] <= 1,
        "quniform": p["quniform"] in (0, 2.5, 5, 7.5, 10),
        "uniformint": p["uniformint"] in range(1, 6),
        "loguniform": 1e-4 <= p["loguniform"] <= 1,
        "qloguniform": p["qloguniform"] % 2 == 0 and p["qloguniform"] <= 148,
        "normal": abs(p["normal"]) < 40,
        "qnormal": p["qnormal"] % 1 == 0,
        "lognormal": p["lognormal"] > 0,
        "qlognormal": p["qlognormal"] % 0.5 == 0,
        "randint": p["randint"] in range(7),
        "randint2": p["randint2"] in range(3, 9),
        "choice": p["choice"] in ("a", "b"),
        "pchoice": p["pchoice"] in ("rare", "common"),
    }


rng = np.random.default_rng(0)
draws = [sample(space, rng=rng) for _ in range(200)]
shapes["a draw"] = draws[0]
observed["draws in range"] = {
    name: all(bool(in_range(draw)[name]) for draw in draws) for name in space
}
observed["draws differ"] = len({draw["uniform"] for draw in draws}) == 200
observed["common is common"] = sum(d["pchoice"] == "common" for d in draws) > 140
observed["a draw without rng"] = sorted(sample(space)) == sorted(space)
observed["one node"] = -1 <= sample(hp.uniform("u", -1, 1)) <= 1

trials = Trials()
best = fmin(
    lambda p: p["uniform"] ** 2 + math.log1p(p["lognormal"]) + p["randint"],
    space,
    algo=tpe.suggest,
    max_evals=30,
    trials=trials,
    rstate=np.random.default_rng(0),
    verbose=False,
)
shapes["best"] = best
shapes["vals"] = trials.vals
observed["columns"] = {label: len(values) for label, values in trials.vals.items()}
observed["whole values"] = {
    label: all(float(v).is_integer() for v in trials.vals[label])
    for label in ("uniformint", "qnormal", "randint", "randint2", "choice", "pchoice")
}
