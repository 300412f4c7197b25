"""Whole numbers by `scope` and `uniformint`, a seed, limits, and an early stop."""

import mlflow
import numpy as np
from hyperopt import STATUS_OK, SparkTrials, fmin, hp, space_eval, tpe
from hyperopt.early_stop import no_progress_loss
from hyperopt.pyll import scope

space = {
    "max_depth": scope.int(hp.quniform("max_depth", 3, 15, 1)),
    "trees": hp.uniformint("trees", 10, 50),
    "rate": hp.loguniform("rate", np.log(0.01), np.log(0.3)),
}


def train(params):
    assert isinstance(params["max_depth"], int) and isinstance(params["trees"], int)
    return {"loss": params["rate"] * params["max_depth"] + params["trees"], "status": STATUS_OK}


with mlflow.start_run(run_name="integers") as run:
    best = fmin(
        fn=train,
        space=space,
        algo=tpe.suggest,
        max_evals=6,
        timeout=600,
        trials=SparkTrials(parallelism=2, timeout=600),
        early_stop_fn=no_progress_loss(50),
        rstate=np.random.default_rng(123),
    )
    mlflow.log_params(space_eval(space, best))

observed = {"run": run.info.run_id, "best": best, "evaluated": space_eval(space, best)}
