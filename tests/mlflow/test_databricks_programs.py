"""What the documentation of Hyperopt and MLflow on Databricks tells users to type works as typed.

The programs in ``programs/`` are in our own words, with data that is small. Their shapes are from

- ``one_parameter``: "Parallelize Hyperopt hyperparameter tuning", Databricks' guide: a support
  vector machine on the irises, one ``hp.lognormal``, ``SparkTrials()`` under ``start_run()``;
- ``models_compared``: "Model selection using scikit-learn, Hyperopt, and MLflow", its notebook: a
  choice of dictionaries with a ``type``, which the objective deletes; ``hyperopt.space_eval``;
- ``logged_by_workers``: "Hyperopt concepts", its section on SparkTrials and MLflow: one call of
  ``mlflow.log_param("param_from_worker", x)`` in the objective, and no run there;
- ``models_in_nested_runs``: the nested runs of MLflow's "Hyperparameter tuning with child runs"
  with ``log_model``; the best run by ``search_runs(..., order_by=["metrics.loss ASC"])``;
- ``integers_and_limits``: "Best practices: hyperparameter tuning with Hyperopt": ``scope.int``,
  ``rstate=np.random.default_rng(...)``, time limits, ``no_progress_loss``;
- ``best_model_in_the_searchs_run``: MLflow's deep learning tutorial: results that hold models,
  ``log_params(best)`` and ``log_model`` in the run of the search after it, on the driver;
- ``runs_by_hand``: courses that start a run in the objective, and none around the search;
- ``autologged``: "Get started with TensorFlow Keras in Databricks": ``autolog()`` in the trial.

On Connect they run in a process of their own, which has no ``spark.sparkContext``, as with
``databricks-connect`` and on shared clusters.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mlflow.run_programs import PROGRAMS, run_programs
from tests.servers.mlflow import MlflowServer

mlflow = pytest.importorskip("mlflow", minversion="3")
pytest.importorskip("sklearn")
pytestmark = pytest.mark.spark
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["classic", "connect"])
def observed(
    request: pytest.FixtureRequest,
    mlflow_server: MlflowServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """What each program has observed, or how it has failed."""
    experiment = mlflow.MlflowClient(tracking_uri=mlflow_server.url).create_experiment(
        f"/Users/me/{request.param}"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARKTUNER_MLFLOW", "workers")
        patch.setenv("SPARKTUNER_SPILL_DIR", str(tmp_path_factory.mktemp("kept")))
        if request.param == "connect":
            server = request.getfixturevalue("connect_server")
            patch.setenv("SPARK_REMOTE", server.url)
            yield _in_new_process(mlflow_server.url, experiment)
            return
        spark = request.getfixturevalue("local_spark")
        yield {"has_context": True, **run_programs(mlflow_server.url, experiment, spark)}


def _in_new_process(url: str, experiment: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.mlflow.run_programs", url, experiment]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=240, cwd=ROOT, check=False
    )
    assert answer.returncode == 0, answer.stderr[-5000:]
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def children(client: Any, run_id: str) -> list[Any]:
    found = client.search_runs(
        [client.get_run(run_id).info.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'"
    )
    return list(found)


@pytest.mark.parametrize("program", [program.stem for program in PROGRAMS])
def test_a_program_runs_as_it_was_typed(observed: dict[str, Any], program: str) -> None:
    assert "error" not in observed[program], observed[program]["error"]


def test_the_runs_of_trials_are_in_the_active_run(observed: dict[str, Any], client: Any) -> None:
    seen = observed["one_parameter"]
    parent = client.get_run(seen["run"])
    assert parent.info.status == "FINISHED"  # by its own block, not by the search
    assert parent.data.params["max_evals"] == "3"
    assert parent.data.tags["best.C"] == str(seen["C"]) and seen["evaluated"] == seen["C"]
    runs = children(client, seen["run"])
    assert len(runs) == seen["trials"] == 3
    assert all({"C"} <= run.data.params.keys() and "loss" in run.data.metrics for run in runs)


def test_the_best_of_several_kinds_of_models_is_evaluated(
    observed: dict[str, Any], client: Any
) -> None:
    seen = observed["models_compared"]
    kind = ["forest", "logistic"][seen["best"]["classifier_type"]]
    assert seen["evaluated"]["type"] == kind
    parent = client.get_run(seen["run"])
    assert parent.info.run_name == "models compared"
    assert parent.data.params["max_queue_len"] == "2"
    assert parent.data.metrics["total_trials_count"] == 4
    assert parent.data.tags["best.classifier_type"].startswith(f"{{'type': '{kind}'")


def test_what_workers_log_is_in_the_runs_of_the_trials(
    observed: dict[str, Any], client: Any
) -> None:
    for run in children(client, observed["logged_by_workers"]["run"]):
        x = run.data.params["x"]
        assert run.data.params["param_from_worker"] == x
        assert run.data.tags["from"] == "worker"
        history = client.get_metric_history(run.info.run_id, "epoch_loss")
        assert [metric.step for metric in history] == [0, 1]
        path = client.download_artifacts(run.info.run_id, "notes.txt")
        assert Path(path).read_text() == f"x was {x}"


def test_the_best_model_is_found_by_its_loss(observed: dict[str, Any], client: Any) -> None:
    seen = observed["models_in_nested_runs"]
    assert seen["losses"] == sorted(seen["losses"]) and len(seen["losses"]) == 3
    assert seen["alphas"][0] == pytest.approx(seen["alphas"][1])
    assert seen["predicted"] == pytest.approx(1.0)
    parent = client.get_run(seen["run"])
    # Of the models, that of the best trial is the search's too.
    [output] = parent.outputs.model_outputs
    inside = client.get_run(client.get_logged_model(output.model_id).source_run_id)
    trial = client.get_run(inside.data.tags["mlflow.parentRunId"])
    assert trial.info.run_id == parent.data.tags["best_trial"]


def test_whole_numbers_are_logged_as_such(observed: dict[str, Any], client: Any) -> None:
    seen = observed["integers_and_limits"]
    params = client.get_run(seen["run"]).data.params
    assert params["max_depth"] == str(seen["evaluated"]["max_depth"])
    assert params["trees"] == str(seen["evaluated"]["trees"]) == str(seen["best"]["trees"])
    assert float(params["timeout"]) == 600


def test_what_is_logged_after_the_search_is_in_its_run(
    observed: dict[str, Any], client: Any
) -> None:
    seen = observed["best_model_in_the_searchs_run"]
    parent = client.get_run(seen["run"])
    assert parent.data.params["alpha"] == str(seen["alpha"])
    assert "eval_rmse" in parent.data.metrics and len(parent.outputs.model_outputs) == 1
    for run_id in seen["inside"]:
        trial = client.get_run(client.get_run(run_id).data.tags["mlflow.parentRunId"])
        assert trial.data.tags["mlflow.parentRunId"] == seen["run"]


def test_runs_that_are_started_by_hand_on_the_driver_are_the_only_ones(
    observed: dict[str, Any], client: Any
) -> None:
    for run_id in observed["runs_by_hand"]["runs"]:
        run = client.get_run(run_id)
        assert run.data.tags["model"] == "quadratic" and "rmse" in run.data.metrics


def test_what_is_logged_by_itself_keeps_its_values_and_the_trial_its_loss(
    observed: dict[str, Any], client: Any
) -> None:
    runs = children(client, observed["autologged"]["run"])
    assert len(runs) == 2
    for run in runs:
        assert run.data.params["kernel"] in ("linear", "rbf")
        assert run.data.params["kernel"] == run.data.params["kernel.value"]
        assert "training_accuracy_score" in run.data.metrics and "loss" in run.data.metrics


def test_on_connect_there_is_no_spark_context(observed: dict[str, Any]) -> None:
    assert observed["has_context"] is ("SPARK_REMOTE" not in os.environ)
