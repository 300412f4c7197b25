"""A user's script in which a type checker has nothing to find."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparktuner import (
    STATUS_OK,
    Callback,
    Domain,
    SparkTrials,
    ThreadTrials,
    Trials,
    early_stop,
    fmin,
    hp,
    mix,
    partial,
    rand,
    space_eval,
    tpe,
)
from sparktuner.pyll import scope
from sparktuner.pyll.stochastic import sample
from sparktuner.records import TrialDocument

space = {
    "lr": hp.loguniform("lr", math.log(1e-5), math.log(1e-1)),
    "units": scope.int(hp.quniform("units", 16, 256, 16)),
    "depth": hp.randint("depth", 2, 10),
    "model": hp.choice("model", ["bayes", {"C": hp.lognormal("C", 0, 1)}]),
    "solver": hp.pchoice("solver", [(0.2, "sgd"), (0.8, "adam")]),
}


def objective(config: dict[str, Any]) -> dict[str, object]:
    return {"status": STATUS_OK, "loss": config["lr"], "note": "kept"}


def numpy_loss(config: dict[str, Any]) -> np.floating[Any]:
    return np.float64(config["lr"])


def whole_loss(config: dict[str, Any]) -> int:
    return int(config["depth"])


class Report(Callback):
    """Prints each trial."""

    def on_trial_end(self, document: TrialDocument) -> None:
        print(document["tid"], document["result"].get("loss"), document["misc"]["vals"])


def own_algorithm(
    new_ids: list[int], domain: Domain, trials: Trials, seed: int
) -> list[TrialDocument]:
    return rand.suggest(new_ids, domain, trials, seed)


def own_rule(trials: Trials, best: float = math.inf) -> tuple[bool, list[float]]:
    losses = [loss for loss in trials.losses() if loss is not None]
    return min(losses) > best, [min(losses)]


trials = Trials()
best = fmin(
    objective,
    space,
    algo=partial(tpe.suggest, n_startup_jobs=5),
    max_evals=10,
    trials=trials,
    rstate=np.random.default_rng(0),
    early_stop_fn=early_stop.no_progress_loss(5),
    callbacks=[Report()],
    points_to_evaluate=[{"lr": 1e-3, "units": 32, "depth": 2, "model": 0, "solver": 1}],
)
rate: float = best["lr"]
configuration = space_eval(space, best)
chosen: str = configuration["solver"]
loss: float = trials.best_trial["result"]["loss"]
names: list[str] = sorted(trials.vals)
for document in trials.trials:
    print(document["state"], document["book_time"], document["misc"].get("error"))

spark = SparkTrials(parallelism=4, timeout=3600, trial_timeout=60.0)
fmin(numpy_loss, space, tpe.suggest, 10, trials=spark, early_stop_fn=own_rule)
fmin(whole_loss, space, own_algorithm, 10, trials=ThreadTrials(parallelism=2), timeout=1.5)
mixed = partial(mix.suggest, p_suggest=[(0.1, rand.suggest), (0.9, tpe.suggest)])
fmin(lambda config: abs(config["lr"]), space, algo=mixed, max_evals=10, rstate=42)
print(spark.count_successful_trials() + 1, spark.parallelism + 1, sample(space, 0))
