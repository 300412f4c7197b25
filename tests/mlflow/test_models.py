"""The run of a search has the models that its best trial has logged."""

from __future__ import annotations

import functools
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from sparktuner import SparkTrials, Trials, current_trial, fmin, hp, rand
from sparktuner.mlflow import MLflowCallback
from sparktuner.mlflow._linked import link_models
from tests.mlflow.test_server import children
from tests.servers.mlflow import MlflowServer

mlflow = pytest.importorskip("mlflow", minversion="3")
quiet = functools.partial(fmin, verbose=False, rstate=0)
POINTS = [{"x": 0.5}, {"x": 0.25}, {"x": 0.75}]


def fits(p: Any) -> float:
    """Logs a model, and one in a run of its own, but for the first trial, which has none."""
    import mlflow

    class Same(mlflow.pyfunc.PythonModel):
        # MLflow would take annotations for a schema.
        def predict(self, model_input):  # type: ignore[no-untyped-def]
            return model_input

    tid = current_trial().tid
    if tid > 0:
        log = functools.partial(mlflow.pyfunc.log_model, python_model=Same(), pip_requirements=[])
        with mlflow.start_run(nested=True):
            log(name=f"fold-of-{tid}")
        log(name=f"model-of-{tid}")
    return float(p["x"])


def searched(
    url: str, experiment: str, trials: Trials, points: list[dict[str, float]]
) -> MLflowCallback:
    callback = MLflowCallback(
        experiment, tracking_uri=url, worker_logging=True, drain_timeout=None
    )
    space = {"x": hp.uniform("x", 0, 1)}
    given: Any = {"trials": trials, "callbacks": [callback], "points_to_evaluate": points}
    # Points come on top.
    quiet(fits, space, rand.suggest, len(trials), **given)
    return callback


def models_of(client: Any, run: Any) -> set[str]:
    found = [client.get_logged_model(each.model_id) for each in run.outputs.model_outputs]
    assert len({model.model_id for model in found}) == len(found)
    return {model.name for model in found}


@pytest.mark.parametrize("kind", ["serial", pytest.param("classic", marks=pytest.mark.spark)])
def test_the_searchs_run_has_the_models_of_the_best_trial(
    kind: str,
    request: pytest.FixtureRequest,
    client: Any,
    mlflow_server: MlflowServer,
    experiment: str,
) -> None:
    trials = Trials()
    if kind == "classic":
        trials = SparkTrials(parallelism=2, spark_session=request.getfixturevalue("spark"))
    callback = searched(mlflow_server.url, experiment, trials, POINTS)
    runs = children(client, callback)
    assert models_of(client, runs[1]) == {"model-of-1"}
    parent = client.get_run(callback.run_id)
    assert models_of(client, parent) == {"model-of-1", "fold-of-1"}
    assert parent.info.status == "FINISHED"
    [model] = [
        client.get_logged_model(each.model_id)
        for each in parent.outputs.model_outputs
        if client.get_logged_model(each.model_id).name == "model-of-1"
    ]
    # The model itself still is that of the trial.
    assert model.source_run_id == runs[1].info.run_id


def test_a_search_that_goes_on_links_what_it_finds_and_nothing_twice(
    client: Any, mlflow_server: MlflowServer, experiment: str, caplog: pytest.LogCaptureFixture
) -> None:
    trials = Trials()
    found = []
    with caplog.at_level(logging.WARNING, "sparktuner"):
        for points in (POINTS, [{"x": 0.875}], [{"x": 0.0625}]):
            callback = searched(mlflow_server.url, experiment, trials, points)
            found.append(models_of(client, client.get_run(callback.run_id)))
    first, last = {"model-of-1", "fold-of-1"}, {"model-of-4", "fold-of-4"}
    assert found == [first, first, first | last]
    assert not [record for record in caplog.records if "MLflow" in record.getMessage()]


def test_a_best_trial_without_a_model_links_none(
    client: Any, mlflow_server: MlflowServer, experiment: str
) -> None:
    callback = searched(mlflow_server.url, experiment, Trials(), POINTS[:1])
    assert models_of(client, client.get_run(callback.run_id)) == set()


def test_where_mlflow_knows_no_models_of_runs_nothing_is_asked() -> None:
    """As MLflow 2, whose runs have no outputs, and whose client cannot write any."""
    run, client = SimpleNamespace(info=None), SimpleNamespace()
    link_models(client, SimpleNamespace(), "parent", [run, run])  # type: ignore[arg-type]
