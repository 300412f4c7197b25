"""A search on a real tracking server: what one reads there, and what it costs."""

from __future__ import annotations

import functools
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktuner import (
    Callback,
    SparkTrials,
    ThreadTrials,
    Trials,
    current_trial,
    fmin,
    hp,
    rand,
    tpe,
)
from sparktuner.cli import main
from sparktuner.mlflow import MLflowCallback
from sparktuner.records import TrialDocument
from tests.servers.mlflow import MlflowServer, Proxy

mlflow = pytest.importorskip("mlflow")

SPACE = {
    "x": hp.uniform("x", 0, 1),
    "model": hp.choice("model", ["svm", {"kind": "forest", "trees": hp.randint("trees", 1, 9)}]),
}
quiet = functools.partial(fmin, verbose=False, rstate=0)


def objective(p: Any) -> dict[str, Any]:
    # Of the first trials none may fail: until one ends well there is no best loss to log.
    if current_trial().tid == 13:
        raise KeyError("no such column")
    if current_trial().tid == 14:
        return {"status": "fail", "failure": "does not converge"}
    return {"status": "ok", "loss": p["x"], "accuracy": 1 - p["x"]}


def children(client: Any, callback: MLflowCallback) -> dict[int, Any]:
    """The runs of the trials by id."""
    parent = client.get_run(callback.run_id)
    found = client.search_runs(
        [parent.info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{callback.run_id}'",
        max_results=5000,
    )
    by_tid = {int(run.data.tags["sparktuner.tid"]): run for run in found}
    assert len(by_tid) == len(found)
    return by_tid


def text_of(client: Any, run_id: str, path: str) -> str:
    # By the client: other tests may have told mlflow itself of another server.
    return Path(client.download_artifacts(run_id, path)).read_text()


def require_same(
    client: Any, callback: MLflowCallback, trials: Trials, within: float = 1.0
) -> None:
    """Checks all that is said of the trials against their documents."""
    runs = children(client, callback)
    assert runs.keys() == {document["tid"] for document in trials.all_trials}
    for document in trials.all_trials:
        run = runs[document["tid"]]
        values = {k: v[0] for k, v in document["misc"]["vals"].items() if v}
        logged = run.data.params
        assert {k: logged[k] for k in values} == {k: str(v) for k, v in values.items()}
        ok = document["state"] == 2 and document["result"]["status"] == "ok"
        assert run.info.status == ("FINISHED" if ok else "FAILED")
        assert run.data.tags["trial_status"] == ("success" if ok else "failure")
        assert run.data.metrics.get("loss") == (document["result"]["loss"] if ok else None)
        assert run.info.end_time >= run.info.start_time
        started = document["book_time"]
        assert started is not None
        assert abs(run.info.start_time / 1000 - started.timestamp()) < within + abs(time.timezone)


def test_the_runs_say_what_databricks_logging_said_and_more(
    client: Any, mlflow_server: MlflowServer, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    callback = MLflowCallback(experiment, tracking_uri=mlflow_server.url, drain_timeout=None)
    trials = ThreadTrials(4)
    algo = functools.partial(tpe.suggest, n_startup_jobs=5)
    quiet(objective, SPACE, algo, 20, trials=trials, callbacks=[callback])

    require_same(client, callback, trials)
    parent = client.get_run(callback.run_id)
    assert parent.info.status == "FINISHED" and parent.info.run_name == "objective by tpe"
    assert parent.data.params == {
        "max_evals": "20",
        "actual_parallelism": "4",
        "parallelism": "4",
        "timeout": "None",
        "algo": "sparktuner.tpe",
        "max_queue_len": "1",
        "seed": "0",
    }
    best = trials.best_trial
    tags, metrics = parent.data.tags, parent.data.metrics
    assert tags["runSource"] == "hyperoptAutoTracking" and len(tags["fmin_uuid"]) == 6
    assert "hp.uniform('x', 0, 1)" in tags["space"]
    assert metrics["best_trial_loss"] == metrics["loss"] == best["result"]["loss"]
    counts = {k: v for k, v in metrics.items() if k.endswith("_count")}
    assert counts == {
        "successful_trials_count": 18,
        "failed_trials_count": 2,
        "cancelled_trials_count": 0,
        "total_trials_count": 20,
    }
    history = [metric.value for metric in client.get_metric_history(callback.run_id, "loss")]
    assert history == sorted(history, reverse=True) and len(history) == 20

    runs = children(client, callback)
    assert tags["best_trial"] == runs[best["tid"]].info.run_id
    assert tags["best.x"] == str(best["misc"]["vals"]["x"][0])
    a_run = runs[best["tid"]]
    assert a_run.data.tags["fmin_uuid"] == tags["fmin_uuid"]
    assert a_run.data.metrics["accuracy"] == best["result"]["accuracy"]
    assert a_run.info.run_name.startswith(f"trial {best['tid']}: model=")
    options = {run.data.params["model"]: run.data.params["model.value"] for run in runs.values()}
    assert options == {"0": "svm", "1": "{'kind': 'forest', 'trees': <trees>}"}

    assert runs[13].data.tags["sparktuner.error"] == "KeyError: 'no such column'"
    assert "in objective" in text_of(client, runs[13].info.run_id, "traceback.txt")
    assert runs[14].data.tags["sparktuner.error"] == "does not converge"
    space = json.loads(text_of(client, callback.run_id or "", "space.json"))
    assert [column["label"] for column in space["columns"]] == ["x", "model", "trees"]
    assert json.loads(text_of(client, callback.run_id or "", "search.json"))["params"]["seed"] == 0


def test_trials_that_are_cancelled_and_timed_out_are_told_apart(
    client: Any, spark: Any, mlflow_server: MlflowServer, experiment: str
) -> None:
    def slow(x: float) -> float:
        if x < 2:
            time.sleep(60)
        return x

    callback = MLflowCallback(experiment, tracking_uri=mlflow_server.url, drain_timeout=None)
    trials = SparkTrials(parallelism=3, trial_timeout=2)
    space = hp.choice("x", [0.0, 1.0, 2.0, 3.0])
    points = [{"x": i} for i in range(4)]
    fmin(
        slow,
        space,
        rand.suggest,
        0,
        trials=trials,
        points_to_evaluate=points,
        callbacks=[callback],
        verbose=False,
    )
    runs = children(client, callback)
    assert [runs[tid].info.status for tid in range(4)] == ["KILLED"] * 2 + ["FINISHED"] * 2
    assert {runs[tid].data.tags["sparktuner.outcome"] for tid in (0, 1)} == {"timed_out"}
    assert "trial_timeout is 2 s" in runs[0].data.tags["sparktuner.error"]

    callback = MLflowCallback(experiment, tracking_uri=mlflow_server.url, drain_timeout=None)
    trials = SparkTrials(parallelism=2)
    fmin(
        slow,
        hp.choice("x", [1.0, 5.0]),
        rand.suggest,
        2,
        timeout=3,
        trials=trials,
        points_to_evaluate=[{"x": 0}, {"x": 1}],
        callbacks=[callback],
        verbose=False,
    )
    outcomes = {run.data.tags["sparktuner.outcome"] for run in children(client, callback).values()}
    assert outcomes == {"ok", "cancelled"}
    assert client.get_run(callback.run_id).data.tags["sparktuner.stopped"].startswith("timeout")


def test_a_trial_takes_three_requests_however_many_there_are(
    client: Any, proxy: Proxy, experiment: str
) -> None:
    counts = []
    for n in (10, 40):
        callback = MLflowCallback(f"{experiment}-{n}", tracking_uri=proxy.url)
        before = len(proxy.requests)
        quiet(lambda p: p["x"], SPACE, rand.suggest, n, callbacks=[callback])
        counts.append(len(proxy.requests) - before)
    # Beside the children's: the experiment, the parent and its artifacts, and a request for the
    # parent a second.
    assert counts[1] - counts[0] <= 3 * 30 + 5
    assert counts[0] <= 3 * 10 + 20
    assert proxy.count("/runs/create") == 10 + 40 + 2
    assert proxy.count("/runs/search") == 0


def test_without_runs_of_their_own_a_hundred_trials_take_a_few_requests(
    client: Any, proxy: Proxy, experiment: str
) -> None:
    callback = MLflowCallback(experiment, nested=False, tracking_uri=proxy.url)
    quiet(lambda p: p["x"], SPACE, rand.suggest, 100, callbacks=[callback])
    assert len(proxy.requests) < 20
    assert children(client, callback) == {}
    assert len(client.get_metric_history(callback.run_id, "loss")) == 100


def test_a_search_goes_on_in_the_same_run(
    client: Any, mlflow_server: MlflowServer, experiment: str, tmp_path: Any
) -> None:
    def searched(n: int) -> MLflowCallback:
        callback = MLflowCallback(experiment, tracking_uri=mlflow_server.url, drain_timeout=None)
        quiet(
            objective,
            SPACE,
            rand.suggest,
            n,
            trials=ThreadTrials(2),
            callbacks=[callback],
            trials_save_file=str(tmp_path / "trials"),
        )
        return callback

    first, second = searched(16), searched(20)
    assert first.run_id == second.run_id
    parent = client.get_run(second.run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["total_trials_count"] == 20 + 1  # one raised, and does not count
    assert len(children(client, second)) == 21
    # What cannot change any more as a parameter is a tag.
    assert (parent.data.params["max_evals"], parent.data.tags["max_evals"]) == ("16", "20")


def test_searches_in_an_active_run_share_it_under_names_of_their_own(
    client: Any, mlflow_server: MlflowServer, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(mlflow_server.url)
    try:
        mlflow.set_experiment(experiment)
        with mlflow.start_run() as run:
            # No callback is passed: it is on by itself.
            quiet(lambda p: p["x"], SPACE, rand.suggest, 3)
            quiet(lambda p: p["x"], SPACE, rand.suggest, 4, timeout=60)
            assert mlflow.active_run().info.run_id == run.info.run_id
        parent = client.get_run(run.info.run_id)
    finally:
        mlflow.set_tracking_uri(before)
    assert parent.data.params["max_evals"] == "3"
    [suffixed] = [k for k in parent.data.params if k.startswith("max_evals_")]
    assert parent.data.params[suffixed] == "4"
    suffix = suffixed.removeprefix("max_evals")
    assert parent.data.tags[f"fmin_uuid{suffix}"] == suffix.strip("_")
    assert f"best_trial_loss{suffix}" in parent.data.metrics
    found = client.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    )
    assert len(found) == 7


@pytest.mark.parametrize("fault", [429, 503, 0])
def test_requests_that_fail_are_sent_again(
    fault: int, client: Any, proxy: Proxy, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Here it is this package that tries again, not MLflow.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    callback = MLflowCallback(experiment, tracking_uri=proxy.url)

    def fail(p: Any) -> float:
        if current_trial().tid in (2, 5):
            proxy.faults += [fault, fault]
        time.sleep(0.05)
        return float(p["x"])

    trials = Trials()
    quiet(fail, SPACE, rand.suggest, 8, trials=trials, callbacks=[callback])
    require_same(client, callback, trials)


def test_a_server_that_is_killed_and_comes_back_is_told_everything(
    tmp_path: Any,
    experiment: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    server = MlflowServer(tmp_path)
    try:
        client = mlflow.MlflowClient(tracking_uri=server.url)
        callback = MLflowCallback(experiment, tracking_uri=server.url)
        back = threading.Thread(target=server.start)

        def outage(p: Any) -> float:
            if current_trial().tid == 5:
                server.kill()
            if current_trial().tid == 15:
                back.start()
            time.sleep(0.05)
            return float(p["x"])

        trials = Trials()
        # The search does not wait for the server, but its end may.
        monkeypatch.setattr("sparktuner.mlflow._sender.PATIENCE", 60.0)
        with caplog.at_level(logging.WARNING):
            quiet(outage, SPACE, rand.suggest, 40, trials=trials, callbacks=[callback])
        back.join()
        require_same(client, callback, trials)
        said = [r for r in caplog.records if r.name == "sparktuner"]
        assert len(said) == 1 and "sparktuner mlflow replay" in said[0].getMessage()
    finally:
        server.kill()


def test_what_a_server_that_was_never_there_is_not_told_is_kept_and_sent_later(
    client: Any,
    mlflow_server: MlflowServer,
    experiment: str,
    kept: Any,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nowhere = "http://me:SECRET@127.0.0.1:9"
    digits = mlflow.data.from_numpy(np.zeros((2, 2)), name="digits")
    callback = MLflowCallback(experiment, tracking_uri=nowhere, datasets={"training": digits})
    trials = ThreadTrials(4)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        quiet(objective, SPACE, rand.suggest, 20, trials=trials, callbacks=[callback])
    assert time.monotonic() - began < 15
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1, [record.getMessage() for record in said]
    [file] = kept.iterdir()
    assert str(file) in said[0].getMessage()
    assert "SECRET" not in caplog.text and "SECRET" not in file.read_text()

    assert main(["mlflow", "replay", str(file), "--tracking-uri", mlflow_server.url]) == 0
    assert "21 runs" in capsys.readouterr().err
    assert not file.exists()
    found = client.search_runs(
        [client.get_experiment_by_name(experiment).experiment_id], "tags.runSource != ''"
    )
    [parent] = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    callback.__dict__["_sender"]._tracking.runs[""] = parent.info.run_id
    require_same(client, callback, trials)
    assert parent.data.metrics["total_trials_count"] == 20
    assert parent.data.tags["best_trial"] in {run.info.run_id for run in found}
    assert [each.dataset.digest for each in parent.inputs.dataset_inputs] == [digits.digest]


def test_a_slow_server_does_not_slow_a_search(proxy: Proxy, experiment: str) -> None:
    proxy.delay = 0.3
    callback = MLflowCallback(experiment, tracking_uri=proxy.url, drain_timeout=0.5)
    ends: list[float] = []

    class Ends(Callback):
        def on_trial_end(self, document: TrialDocument) -> None:
            ends.append(time.monotonic())

    began = time.monotonic()
    quiet(lambda p: p["x"], SPACE, rand.suggest, 50, callbacks=[callback, Ends()])
    assert ends[-1] - began < 5
    assert time.monotonic() - ends[-1] < 5


@pytest.mark.spark
@pytest.mark.parametrize("kind", ["classic", "connect"])
def test_two_hundred_trials_on_spark_are_read_back(
    kind: str,
    request: pytest.FixtureRequest,
    client: Any,
    mlflow_server: MlflowServer,
    experiment: str,
) -> None:
    session = request.getfixturevalue("spark" if kind == "classic" else "connect_spark")
    callback = MLflowCallback(experiment, tracking_uri=mlflow_server.url, drain_timeout=None)
    trials = SparkTrials(parallelism=4, spark_session=session)
    quiet(objective, SPACE, rand.suggest, 200, trials=trials, callbacks=[callback])
    assert len(trials.all_trials) == 200
    require_same(client, callback, trials)
    parent = client.get_run(callback.run_id)
    assert parent.data.metrics["successful_trials_count"] == 198
    assert len(client.get_metric_history(callback.run_id, "loss")) == 200


def tracking_line(uri: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> dict[str, str]:
    """What doctor says of a server; Spark is not looked at."""
    monkeypatch.setattr("sparktuner._doctor._diagnosis.spark_findings", lambda master: iter(()))
    code = main(["doctor", "--tracking-uri", uri, "--json"])
    lines = {each["check"]: each for each in json.loads(capsys.readouterr().out)}
    assert code == int(lines["tracking"]["state"] == "broken")
    found: dict[str, str] = lines["tracking"]
    return found


def test_doctor_says_that_a_server_answers_and_leaves_it_as_it_is(
    proxy: Proxy, client: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    before = client.search_experiments()
    told = tracking_line(proxy.url, monkeypatch, capsys)
    assert told["state"] == "ok" and told["message"] == f"{proxy.url} answers"
    assert proxy.requests and proxy.count("/experiments/search") == len(proxy.requests)
    assert [each.name for each in client.search_experiments()] == [each.name for each in before]


@pytest.mark.parametrize(("fault", "said"), [(503, "503"), (0, "")])
def test_doctor_says_what_a_server_answers_that_is_out_of_order(
    proxy: Proxy, fault: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    proxy.faults += [fault] * 20
    told = tracking_line(proxy.url, monkeypatch, capsys)
    assert told["state"] == "broken" and said in told["message"]
    # Nobody waits at a terminal for more and more distant attempts.
    assert len(proxy.requests) <= 2


def test_doctor_hides_the_password_of_a_server_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    told = tracking_line("http://me:geheim@127.0.0.1:9", monkeypatch, capsys)
    assert told["state"] == "broken" and "Connection refused" in told["message"]
    assert "geheim" not in str(told)
