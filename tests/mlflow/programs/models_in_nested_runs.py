"""A run in the trial's with a model in it; the best one is looked up, and predicts."""

import mlflow
from hyperopt import STATUS_OK, SparkTrials, fmin, hp, tpe
from sklearn.linear_model import Ridge

xs, ys = [[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]


def train(params):
    with mlflow.start_run(run_name=f"alpha {params['alpha']:.2f}", nested=True):
        mlflow.log_params(params)
        model = Ridge(**params).fit(xs, ys)
        loss = -model.score(xs, ys)
        mlflow.log_metric("r2", -loss)
        mlflow.sklearn.log_model(model, name="model", pip_requirements=[])
    return {"loss": loss, "status": STATUS_OK}


with mlflow.start_run(run_name="tuning") as run:
    fmin(
        fn=train,
        space={"alpha": hp.loguniform("alpha", -5, 2)},
        algo=tpe.suggest,
        max_evals=3,
        trials=SparkTrials(parallelism=2),
    )

children = f"tags.mlflow.parentRunId = '{run.info.run_id}'"
trials = mlflow.search_runs(filter_string=children, order_by=["metrics.loss ASC"])
best = trials.iloc[0]
[inside] = mlflow.search_runs(
    filter_string=f"tags.mlflow.parentRunId = '{best.run_id}'", output_format="list"
)
model = mlflow.sklearn.load_model(f"runs:/{inside.info.run_id}/model")

observed = {
    "run": run.info.run_id,
    "losses": list(trials["metrics.loss"]),
    "alphas": [float(trials.iloc[0]["params.alpha"]), float(inside.data.params["alpha"])],
    "predicted": float(model.predict([[1.0]])[0]),
}
