"""Autologging in the objective, whose estimator has parameters by the labels of the space."""

import mlflow
from hyperopt import STATUS_OK, SparkTrials, fmin, hp, tpe
from sklearn.datasets import load_iris
from sklearn.svm import SVC

features, species = load_iris(return_X_y=True)


def train(params):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    try:
        model = SVC(**params).fit(features, species)
    finally:
        mlflow.sklearn.autolog(disable=True)
    return {"loss": -model.score(features, species), "status": STATUS_OK}


space = {"C": hp.lognormal("C", 0, 1.0), "kernel": hp.choice("kernel", ["linear", "rbf"])}

with mlflow.start_run() as run:
    fmin(train, space, algo=tpe.suggest, max_evals=2, trials=SparkTrials(parallelism=1))

observed = {"run": run.info.run_id}
