"""On the driver: results hold models, and the best one is logged beside the search."""

import mlflow
from hyperopt import STATUS_OK, Trials, fmin, hp, tpe
from sklearn.linear_model import Ridge

xs, ys = [[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]


def objective(params):
    with mlflow.start_run(nested=True) as inside:
        model = Ridge(**params).fit(xs, ys)
        loss = -model.score(xs, ys)
        mlflow.log_params(params)
        mlflow.log_metric("eval_rmse", loss)
    return {"loss": loss, "status": STATUS_OK, "model": model, "inside": inside.info.run_id}


with mlflow.start_run() as run:
    trials = Trials()
    best = fmin(
        fn=objective,
        space={"alpha": hp.loguniform("alpha", -5, 2)},
        algo=tpe.suggest,
        max_evals=3,
        trials=trials,
    )
    best_run = sorted(trials.results, key=lambda result: result["loss"])[0]
    mlflow.log_params(best)
    mlflow.log_metric("eval_rmse", best_run["loss"])
    mlflow.sklearn.log_model(best_run["model"], name="model", pip_requirements=[])

observed = {
    "run": run.info.run_id,
    "alpha": best["alpha"],
    "inside": [result["inside"] for result in trials.results],
}
