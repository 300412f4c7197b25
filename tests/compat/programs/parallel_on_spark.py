"""SparkTrials as in a notebook, with the session that is there."""

import numpy as np
from hyperopt import STATUS_FAIL, STATUS_OK, SparkTrials, fmin, hp, space_eval, tpe
from hyperopt.early_stop import no_progress_loss

observed = {}
shapes = {}
space = {
    "model": hp.choice(
        "model",
        [
            {"kind": "ridge", "alpha": hp.loguniform("alpha", -5, 2)},
            {"kind": "tree", "depth": hp.uniformint("depth", 1, 6)},
        ],
    )
}
offset = np.full(1000, 0.5)


def objective(config):
    model = config["model"]
    if model["kind"] == "tree" and model["depth"] == 6:
        return {"status": STATUS_FAIL, "why": "too deep"}
    loss = model.get("alpha", 1.0) + float(offset.mean())
    return {"loss": loss, "status": STATUS_OK, "kind": model["kind"]}


spark_trials = SparkTrials(parallelism=2)
best = fmin(
    fn=objective,
    space=space,
    algo=tpe.suggest,
    max_evals=10,
    trials=spark_trials,
    rstate=np.random.default_rng(42),
    verbose=False,
)
observed["trials"] = len(spark_trials.trials)
observed["counts"] = [
    spark_trials.count_total_trials(),
    spark_trials.count_successful_trials() + spark_trials.count_failed_trials(),
    spark_trials.count_cancelled_trials(),
]
observed["result keys"] = sorted(
    k for k in spark_trials.best_trial["result"] if k in ("loss", "status", "kind")
)
observed["configuration"] = sorted(space_eval(space, best))
observed["parallelism"] = [spark_trials.parallelism, spark_trials.user_specified_parallelism]
observed["asynchronous"] = spark_trials.asynchronous
observed["limit"] = SparkTrials.MAX_CONCURRENT_JOBS_ALLOWED
fmin(
    fn=lambda c: 1.0,
    space=space,
    algo=tpe.suggest,
    max_evals=40,
    trials=(flat := SparkTrials(2)),
    early_stop_fn=no_progress_loss(4),
    rstate=np.random.default_rng(0),
    verbose=False,
)
observed["stopped early"] = 4 <= flat.count_successful_trials() < 20
spark_trials.delete_all()
observed["deleted"] = len(spark_trials.trials)
