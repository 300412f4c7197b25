"""A single parameter that is no dictionary, and `SparkTrials` without arguments."""

import hyperopt
import mlflow
from hyperopt import STATUS_OK, SparkTrials, fmin, hp, tpe
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

features, species = load_iris(return_X_y=True)


def objective(C):
    accuracy = cross_val_score(SVC(C=C), features, species, cv=3).mean()
    return {"loss": -accuracy, "status": STATUS_OK}


search_space = hp.lognormal("C", 0, 1.0)
spark_trials = SparkTrials()

with mlflow.start_run() as run:
    argmin = fmin(
        fn=objective, space=search_space, algo=tpe.suggest, max_evals=3, trials=spark_trials
    )

observed = {
    "run": run.info.run_id,
    "C": argmin["C"],
    "evaluated": hyperopt.space_eval(search_space, argmin),
    "trials": len(spark_trials.trials),
}
