"""Parameters, metrics, tags and artifacts of the objective's own, without a run of its own."""

import mlflow
from hyperopt import STATUS_OK, SparkTrials, fmin, hp, rand


def train(params):
    x = params["x"]
    mlflow.log_param("param_from_worker", x)
    mlflow.set_tag("from", "worker")
    for epoch in range(2):
        mlflow.log_metric("epoch_loss", x / (1 + epoch), step=epoch)
    mlflow.log_text(f"x was {x}", "notes.txt")
    return {"loss": x**2, "status": STATUS_OK}


with mlflow.start_run() as run:
    fmin(
        train,
        {"x": hp.uniform("x", -10, 10)},
        algo=rand.suggest,
        max_evals=3,
        trials=SparkTrials(parallelism=2),
    )

observed = {"run": run.info.run_id}
