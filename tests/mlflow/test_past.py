"""Searches that are logged in MLflow, as history."""

from __future__ import annotations

import functools
import logging
import uuid
from pathlib import Path
from typing import Any

import pytest

from sparktuner import Trials, fmin, from_mlflow, hp, rand
from sparktuner.mlflow import MLflowCallback

mlflow = pytest.importorskip("mlflow")
quiet = functools.partial(fmin, verbose=False, rstate=0)
OPTIONS = ["svm", 3, {"kind": "forest", "trees": hp.randint("trees", 1, 9)}]
SPACE = {"x (log)": hp.uniform("x (log)", 0, 1), "model": hp.choice("model", OPTIONS)}
TURNED = {**SPACE, "model": hp.choice("model", OPTIONS[::-1])}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """MLflow's store in a database, which takes seconds to make."""
    return f"sqlite:///{tmp_path_factory.mktemp('past')}/mlflow.db"


def objective(p: Any) -> dict[str, Any]:
    if p["x (log)"] > 0.8:
        raise KeyError("no such column")
    return {"status": "ok", "loss": p["x (log)"], "accuracy": 1 - p["x (log)"]}


@pytest.fixture(scope="module")
def logged(store: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[MLflowCallback, Trials]:
    callback, trials = MLflowCallback("ours", tracking_uri=store), Trials()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARKTUNER_SPILL_DIR", str(tmp_path_factory.mktemp("kept")))
        quiet(
            objective,
            SPACE,
            rand.suggest,
            30,
            trials=trials,
            callbacks=[callback],
            catch_eval_exceptions=True,
        )
    return callback, trials


def test_a_search_of_ours_comes_back_as_it_was(
    store: str, logged: tuple[MLflowCallback, Trials]
) -> None:
    callback, trials = logged
    for what in ("ours", callback.run_id or ""):
        past = from_mlflow(what, SPACE, tracking_uri=store)
        assert len(past.all_trials) == len(trials.all_trials) == 30
        assert past.argmin == trials.argmin
        for one, other in zip(past.all_trials, trials.all_trials, strict=True):
            assert one["state"] == other["state"]
            assert one["misc"]["vals"] == other["misc"]["vals"]
            assert one["result"] == other["result"]
            assert one["misc"].get("error", ("",))[0] == other["misc"].get("error", ("",))[0]
            assert one["book_time"] == other["book_time"]


def test_options_in_another_order_are_found_by_their_value(
    store: str, logged: tuple[MLflowCallback, Trials]
) -> None:
    past = from_mlflow("ours", TURNED, tracking_uri=store)
    for one, other in zip(past.all_trials, logged[1].all_trials, strict=True):
        [here], [there] = one["misc"]["vals"]["model"], other["misc"]["vals"]["model"]
        assert here == 2 - there


def test_without_a_space_values_are_numbers_and_choices_indices(
    store: str, logged: tuple[MLflowCallback, Trials]
) -> None:
    past = from_mlflow("ours", tracking_uri=store)
    labels = {label for document in past.all_trials for label in document["misc"]["vals"]}
    assert labels == {"x _log_", "model", "trees"}
    best, there = past.argmin, logged[1].argmin
    assert (best["x _log_"], best["model"]) == (there["x (log)"], there["model"])


def test_a_search_goes_on_from_what_is_logged(
    store: str, logged: tuple[MLflowCallback, Trials], caplog: pytest.LogCaptureFixture
) -> None:
    past = from_mlflow("ours", SPACE, tracking_uri=store)
    with caplog.at_level(logging.WARNING):
        quiet(objective, SPACE, max_evals=len(past) + 3, trials=past, catch_eval_exceptions=True)
    assert len(past.all_trials) == 33
    assert not caplog.records


def test_what_databricks_has_logged_is_history_too(store: str, tmp_path: Path) -> None:
    client = mlflow.MlflowClient(tracking_uri=store)
    name = uuid.uuid4().hex
    experiment = client.create_experiment(name)
    source = {"runSource": "hyperoptAutoTracking", "fmin_uuid": "3f0c2a"}
    parent = client.create_run(experiment, tags=source).info.run_id
    for i, (status, loss) in enumerate([("success", 0.5), ("failure", None), ("success", 0.25)]):
        tags = {**source, "mlflow.parentRunId": parent, "trial_status": status}
        run = client.create_run(experiment, start_time=1000 + i, tags=tags).info.run_id
        client.log_param(run, "x (log)".replace("(", "_").replace(")", "_"), 0.25 * i)
        client.log_param(run, "model", i)
        if i == 2:
            client.log_param(run, "trees", 4)
        client.log_param(run, "batch_size", 32)  # the objective's own
        if loss is not None:
            client.log_metric(run, "loss", loss)
        client.set_terminated(run, "FINISHED" if loss is not None else "FAILED")
    # A run that somebody has nested there by hand.
    client.create_run(experiment, tags={"mlflow.parentRunId": parent})

    past = from_mlflow(parent, SPACE, tracking_uri=store)
    assert len(past.all_trials) == 3
    assert past.argmin == {"x (log)": 0.5, "model": 2, "trees": 4}
    assert past.losses() == [0.5, 0.25]


def test_what_is_not_there_is_said(store: str, logged: tuple[MLflowCallback, Trials]) -> None:
    with pytest.raises(ValueError, match="there is neither by 'nothing'"):
        from_mlflow("nothing", tracking_uri=store)
    mlflow.MlflowClient(tracking_uri=store).create_experiment("empty")
    with pytest.raises(ValueError, match="experiment 'empty' has no trials of a search"):
        from_mlflow("empty", tracking_uri=store)
    with pytest.raises(TypeError, match="tracking_uri must be"):
        from_mlflow("ours", tracking_uri=7)  # type: ignore[arg-type]
