"""Data sets that a search uses are inputs of its run."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import pandas
import pytest

from sparktuner import Trials, fmin, hp, rand
from sparktuner.mlflow import MLflowCallback
from sparktuner.mlflow._datasets import inputs_of
from sparktuner.mlflow._entries import Entry
from tests.servers.mlflow import MlflowServer

mlflow = pytest.importorskip("mlflow")
quiet = functools.partial(fmin, verbose=False, rstate=0)
SPACE = {"x": hp.uniform("x", 0, 1)}


def dataset(name: str = "digits") -> Any:
    return mlflow.data.from_numpy(np.arange(6.0).reshape(3, 2), name=name)


def objective(p: Any) -> float:
    return float(p["x"])


def logged(run: Any) -> list[tuple[str, str, str | None]]:
    """Name, digest and context of the data sets of a run."""
    return sorted(
        (
            each.dataset.name,
            each.dataset.digest,
            {tag.key: tag.value for tag in each.tags}.get("mlflow.data.context"),
        )
        for each in run.inputs.dataset_inputs
    )


def test_data_sets_are_inputs_of_the_searchs_run_by_what_they_are_for(
    client: Any, mlflow_server: MlflowServer, experiment: str
) -> None:
    frame = pandas.DataFrame({"lr": [0.5, 0.25], "label": ["a", "b"]})
    table = mlflow.data.from_pandas(frame, source="s3://bucket/table", name="table")
    callback = MLflowCallback(
        experiment,
        tracking_uri=mlflow_server.url,
        drain_timeout=None,
        datasets={"training": table, "validation": dataset()},
    )
    trials = Trials()
    for n in (2, 3):  # a search that goes on says it again
        quiet(objective, SPACE, rand.suggest, n, trials=trials, callbacks=[callback])
    run = client.get_run(callback.run_id)
    assert logged(run) == [
        ("digits", dataset().digest, "validation"),
        ("table", table.digest, "training"),
    ]
    [said] = [each.dataset for each in run.inputs.dataset_inputs if each.dataset.name == "table"]
    assert said.source_type == "s3" and "s3://bucket/table" in said.source
    assert json.loads(said.profile) == {"num_rows": 2, "num_elements": 4}
    assert "lr" in said.schema


def test_a_list_of_data_sets_has_no_context(
    client: Any, mlflow_server: MlflowServer, experiment: str
) -> None:
    callback = MLflowCallback(
        experiment, tracking_uri=mlflow_server.url, drain_timeout=None, datasets=[dataset()]
    )
    quiet(objective, SPACE, rand.suggest, 1, callbacks=[callback])
    [(name, _, context)] = logged(client.get_run(callback.run_id))
    assert (name, context) == ("digits", None)


def test_one_that_the_server_refuses_leaves_the_others_in_their_place(
    client: Any, mlflow_server: MlflowServer, experiment: str, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"training": dataset("n" * 600), "validation": dataset()}
    callback = MLflowCallback(
        experiment, tracking_uri=mlflow_server.url, drain_timeout=None, datasets=given
    )
    quiet(objective, SPACE, rand.suggest, 1, callbacks=[callback])
    run = client.get_run(callback.run_id)
    assert [context for *_, context in logged(run)] == ["validation"]
    assert run.info.status == "FINISHED" and run.data.metrics["total_trials_count"] == 1
    assert "MLflow refuses what it is told of the search, which is left out" in caplog.text


def test_what_was_kept_for_later_is_the_same_after_a_file() -> None:
    entry = Entry(inputs=inputs_of({"training": dataset(), "validation": dataset("ü")}))
    assert Entry.of(json.loads(entry.dumps())) == entry


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (pandas.DataFrame({"x": [1.0]}), TypeError, r"datasets must be a dictionary .* or a list"),
        (dataset(), TypeError, r"write datasets=\{'training': mlflow.data.from_pandas\(frame\)\}"),
        ({"training": pandas.DataFrame({"x": [1.0]})}, TypeError, "mlflow.data.from_pandas"),
        ([dataset(), None], TypeError, "datasets must hold data sets of MLflow"),
        ({"": dataset()}, ValueError, "text of 1 to 500 characters, got ''"),
        ({7: dataset()}, ValueError, "text of 1 to 500 characters, got 7"),
        ({"c" * 501: dataset()}, ValueError, "text of 1 to 500 characters"),
        ({"\ud800": dataset()}, ValueError, "text of 1 to 500 characters"),
    ],
    ids=["a table", "a data set", "a table in it", "None in it", "empty", "7", "long", "half"],
)
def test_what_is_no_data_set_is_refused_with_what_to_write(
    wrong: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        MLflowCallback(datasets=wrong)


def test_no_data_sets_are_none() -> None:
    assert inputs_of(None) == inputs_of([]) == inputs_of({}) == ()
