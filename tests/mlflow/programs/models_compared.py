"""Kinds of models with parameters of their own; the objective takes its argument apart."""

import hyperopt
import mlflow
from hyperopt import STATUS_OK, SparkTrials, fmin, hp, tpe
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

features, species = load_iris(return_X_y=True)


def objective(params):
    kind = params["type"]
    del params["type"]
    if kind == "forest":
        model = RandomForestClassifier(n_estimators=int(params["trees"]), max_depth=3)
    elif kind == "logistic":
        model = LogisticRegression(**params)
    else:
        return 0
    return {"loss": -model.fit(features, species).score(features, species), "status": STATUS_OK}


search_space = hp.choice(
    "classifier_type",
    [
        {"type": "forest", "trees": hp.quniform("trees", 2, 5, 1)},
        {
            "type": "logistic",
            "C": hp.lognormal("C", 0, 1.0),
            "solver": hp.choice("solver", ["lbfgs"]),
        },
    ],
)

with mlflow.start_run(run_name="models compared") as run:
    best_result = fmin(
        fn=objective,
        space=search_space,
        algo=tpe.suggest,
        max_evals=4,
        trials=SparkTrials(parallelism=2),
        max_queue_len=2,
    )

observed = {
    "run": run.info.run_id,
    "best": best_result,
    "evaluated": hyperopt.space_eval(search_space, best_result),
}
