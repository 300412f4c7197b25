"""No run around the search: each trial starts one, and nothing else is logged."""

import mlflow
from hyperopt import STATUS_OK, Trials, fmin, hp, tpe


def objective(params):
    with mlflow.start_run() as started:
        mlflow.set_tag("model", "quadratic")
        mlflow.log_params(params)
        mlflow.log_metric("rmse", params["x"] ** 2)
    return {"loss": params["x"] ** 2, "status": STATUS_OK, "run": started.info.run_id}


trials = Trials()
fmin(objective, {"x": hp.uniform("x", -1, 1)}, algo=tpe.suggest, max_evals=3, trials=trials)

observed = {"runs": [result["run"] for result in trials.results]}
