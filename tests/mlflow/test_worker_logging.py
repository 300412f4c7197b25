"""What an objective logs itself goes to the run of its trial, wherever that runs."""

from __future__ import annotations

import functools
import math
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sparktuner import SparkTrials, ThreadTrials, Trials, current_trial, fmin, hp, rand
from sparktuner.callbacks import Background
from sparktuner.execute import within
from sparktuner.execute.worker import LoggedObjective, _logged
from sparktuner.mlflow import MLflowCallback
from sparktuner.mlflow._here import Here, restore, settings
from tests.mlflow.test_server import SPACE, children, require_same
from tests.servers.mlflow import MlflowServer, Proxy

mlflow = pytest.importorskip("mlflow")
quiet = functools.partial(fmin, verbose=False, rstate=0)
CLASSIC, CONNECT = (pytest.param(kind, marks=pytest.mark.spark) for kind in ("classic", "connect"))


def trials_of(kind: str, request: pytest.FixtureRequest) -> Trials:
    if kind in ("classic", "connect"):
        fixture = "spark" if kind == "classic" else "connect_spark"
        return SparkTrials(parallelism=2, spark_session=request.getfixturevalue(fixture))
    return ThreadTrials(2) if kind == "threads" else Trials()


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    """MLflow writes in this process where it did before a search."""
    before = (settings(), mlflow.start_run)
    yield
    assert (settings(), mlflow.start_run) == before


@pytest.mark.parametrize("kind", ["serial", "threads", CLASSIC, CONNECT])
def test_what_an_objective_logs_itself_goes_to_its_trials_run(
    kind: str,
    request: pytest.FixtureRequest,
    client: Any,
    mlflow_server: MlflowServer,
    experiment: str,
) -> None:
    def logs(p: Any) -> float:
        import mlflow

        mlflow.log_metric("epoch_loss", 2.0, step=1)
        mlflow.log_param("batch_size", 32)
        with mlflow.start_run(nested=True, run_name="fold"):
            mlflow.log_metric("fold_loss", 3.0)
        if current_trial().tid == 3:
            raise KeyError("no such column")
        mlflow.log_metric("epoch_loss", p["x"], step=2)
        return float(p["x"])

    callback = MLflowCallback(
        experiment, tracking_uri=mlflow_server.url, worker_logging=True, drain_timeout=None
    )
    trials = trials_of(kind, request)
    quiet(
        logs,
        SPACE,
        rand.suggest,
        5,
        trials=trials,
        callbacks=[callback],
        catch_eval_exceptions=True,
    )
    # The workers make the runs, whose first job may wait for a new process.
    require_same(client, callback, trials, within=30)
    for tid, run in children(client, callback).items():
        assert run.data.params["batch_size"] == "32"
        assert run.info.run_name.startswith(f"trial {tid}: ")
        history = client.get_metric_history(run.info.run_id, "epoch_loss")
        assert len(history) == (1 if tid == 3 else 2)
        [fold] = client.search_runs(
            [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
        )
        assert fold.data.metrics == {"fold_loss": 3.0}


@pytest.mark.parametrize("kind", ["threads", CLASSIC])
def test_an_experiment_that_objectives_have_set_is_not_that_of_the_next_search(
    kind: str,
    request: pytest.FixtureRequest,
    client: Any,
    mlflow_server: MlflowServer,
    experiment: str,
) -> None:
    def sets(x: float) -> float:
        import mlflow

        mlflow.set_experiment(f"{experiment}-other")
        return x

    def logs(x: float) -> float:
        import mlflow

        with mlflow.start_run(nested=True):
            mlflow.log_metric("fold_loss", x)
        return x

    for objective in (sets, logs):
        callback = MLflowCallback(
            experiment, tracking_uri=mlflow_server.url, worker_logging=True, drain_timeout=None
        )
        trials = trials_of(kind, request)
        space = hp.uniform("x", 0, 1)
        quiet(objective, space, rand.suggest, 4, trials=trials, callbacks=[callback])
    for run in children(client, callback).values():
        [fold] = client.search_runs(
            [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
        )
        assert fold.data.metrics.keys() == {"fold_loss"}


def test_the_active_run_of_another_experiment_is_the_searchs(
    client: Any, mlflow_server: MlflowServer, experiment: str
) -> None:
    """`start_run(experiment_id=...)` does not set the experiment of the process."""

    def logs(x: float) -> float:
        mlflow.log_metric("epoch_loss", x)
        return x

    there = client.create_experiment(experiment)
    before = settings()
    mlflow.set_tracking_uri(mlflow_server.url)
    try:
        with mlflow.start_run(experiment_id=there) as run:
            callback = Background(MLflowCallback(worker_logging=True))
            space = hp.uniform("x", 0, 1)
            quiet(logs, space, rand.suggest, 3, trials=ThreadTrials(2), callbacks=[callback])
            assert mlflow.active_run().info.run_id == run.info.run_id
    finally:
        restore(before)
    found = client.search_runs([there], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert len(found) == 3 and all("epoch_loss" in each.data.metrics for each in found)


@pytest.mark.parametrize("kind", ["threads", CLASSIC])
def test_a_run_that_an_objective_starts_is_the_trials(
    kind: str,
    request: pytest.FixtureRequest,
    client: Any,
    mlflow_server: MlflowServer,
    experiment: str,
) -> None:
    """As on Databricks, where programs start one in the objective without nesting it."""

    def logs(x: float) -> float:
        import mlflow

        with mlflow.start_run():
            mlflow.log_metric("inside", x)
            with mlflow.start_run(None, None, "fold", True):
                mlflow.log_metric("fold_loss", x)
        with mlflow.start_run(tags={"part": "second"}) as run:
            mlflow.log_metric("inside", x, step=1)
        mlflow.log_metric("outside", x)
        assert mlflow.active_run().info.run_id == run.info.run_id
        return x

    callback = MLflowCallback(
        experiment, tracking_uri=mlflow_server.url, worker_logging=True, drain_timeout=None
    )
    trials = trials_of(kind, request)
    quiet(logs, hp.uniform("x", 0, 1), rand.suggest, 3, trials=trials, callbacks=[callback])
    assert len(trials) == 3
    for run in children(client, callback).values():
        assert run.info.status == "FINISHED" and run.data.tags["part"] == "second"
        assert {"inside", "outside", "loss"} <= run.data.metrics.keys()
        assert run.info.run_name.startswith("trial ")
        [fold] = client.search_runs(
            [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
        )
        assert fold.info.run_name == "fold"


def test_a_value_that_an_objective_has_logged_itself_costs_no_loss(
    client: Any, mlflow_server: MlflowServer, experiment: str, caplog: pytest.LogCaptureFixture
) -> None:
    """MLflow's parameters cannot change: of choices others log the option, not the index."""

    def logs(p: Any) -> float:
        mlflow.log_param("model", "svm" if p["model"] == "svm" else "forest")
        return float(p["x"])

    callback = MLflowCallback(
        experiment, tracking_uri=mlflow_server.url, worker_logging=True, drain_timeout=None
    )
    trials = Trials()
    quiet(logs, SPACE, rand.suggest, 5, trials=trials, callbacks=[callback])
    runs = children(client, callback)
    for document in trials.trials:
        run = runs[document["tid"]]
        assert run.data.params["model"] in ("svm", "forest")
        assert run.data.tags["model"] == str(document["misc"]["vals"]["model"][0])
        assert run.data.params["x"] == str(document["misc"]["vals"]["x"][0])
        assert run.data.metrics["loss"] == document["result"]["loss"]
    assert "refuses" not in caplog.text


def test_a_server_that_does_not_answer_keeps_no_search_from_its_start(
    experiment: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sparktuner.mlflow._callback._OPENING", 0.5)
    callback = MLflowCallback(
        experiment, tracking_uri="http://127.0.0.1:9", worker_logging=True, drain_timeout=0.5
    )
    trials, began = Trials(), time.monotonic()
    quiet(lambda x: x, hp.uniform("x", 0, 1), rand.suggest, 3, trials=trials, callbacks=[callback])
    assert len(trials) == 3 and time.monotonic() - began < 10
    assert "the objective's own calls of it go nowhere near its trial's run" in caplog.text
    assert "TimeoutError: there was no answer in 0.5 s" in caplog.text


def test_an_answer_that_comes_too_late_makes_no_second_run(
    client: Any, proxy: Proxy, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparktuner.mlflow._callback._OPENING", 0.5)
    proxy.delay = 0.7
    callback = MLflowCallback(
        experiment, tracking_uri=proxy.url, worker_logging=True, drain_timeout=None
    )
    trials = Trials()
    quiet(lambda p: p["x"], SPACE, rand.suggest, 2, trials=trials, callbacks=[callback])
    require_same(client, callback, trials)
    parent = client.get_run(callback.run_id)
    found = client.search_runs([parent.info.experiment_id], "tags.runSource != ''")
    assert len(found) == 3


def test_what_is_asked_for_is_returned_or_raised() -> None:
    assert within(60, lambda: 7) == within(math.inf, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_what_a_clusters_environment_names_is_not_where_a_trial_logs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MLflow refuses a name and an id that differ, and goes on in the run that is named."""
    names = ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID")
    monkeypatch.setattr(_logged, "_in_spark_task", lambda: True)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "the cluster's")
    monkeypatch.setenv("MLFLOW_RUN_ID", "a job's")
    before = {name: os.environ.get(name) for name in names}
    logged = LoggedObjective(abs, "http://host", "7", {}, "tid")
    with logged._environment():
        assert [os.environ.get(name) for name in names] == [None, None, "7"]
    assert {name: os.environ.get(name) for name in names} == before


def test_two_threads_at_a_time_enter_once(mlflow_server: MlflowServer, experiment: str) -> None:
    client = mlflow.MlflowClient(tracking_uri=mlflow_server.url)
    here = Here(mlflow_server.url, client.create_experiment(experiment))
    threads = [threading.Thread(target=here.enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mlflow.get_tracking_uri() == mlflow_server.url
    here.leave()
    here.leave()
