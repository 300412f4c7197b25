"""What is said of trials, and that it stays within MLflow's limits."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktuner import Trials, fmin, hp, rand
from sparktuner.callbacks import SearchSettings
from sparktuner.mlflow._entries import Entry, cut, key_of
from sparktuner.mlflow._kept import merged, without_password
from sparktuner.mlflow._tracking import _batch
from sparktuner.mlflow._words import Words
from sparktuner.records import advance, new_document
from sparktuner.space import flatten
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_RUNNING


def words(space: object) -> Words:
    settings = SearchSettings(flatten(space), "loss", "sparktuner.tpe", 9, None, 1, None, 2, 2)
    return Words(settings, "0123456789abcdef")


def test_a_choice_is_said_by_its_index_and_by_its_value() -> None:
    space = {"n": hp.choice("n", [16, 32]), "x": hp.uniform("x", 0, 1)}
    said = words(space).trial_end(ended({"n": 1, "x": 0.5}, JOB_STATE_DONE, loss=1.0))
    assert said.params == {"n": "1", "n.value": "32", "x": "0.5"}
    assert said.name == "trial 7: n=32, x=0.5"
    assert [(name, value) for name, value, *_ in said.metrics] == [("loss", 1.0)]


def test_a_parameter_of_the_space_keeps_its_name_on_the_searchs_run() -> None:
    """For `mlflow.log_params(best)` after the search, which MLflow refuses on another value."""
    space = {"timeout": hp.uniform("timeout", 0, 1), "x": hp.uniform("x", 0, 1)}
    said = words(space).search_start()
    assert "timeout" not in said.params and said.tags["sparktuner.timeout"] == "None"
    assert said.params["max_evals"] == "9"
    assert json.loads(said.texts["search.json"])["params"]["timeout"] is None


def ended(configuration: dict[str, object], state: int, **result: object):  # type: ignore[no-untyped-def]
    document = new_document(7, configuration)
    advance(document, JOB_STATE_RUNNING)
    error = result.pop("error", None)
    done = {"status": "ok", **result} if state == JOB_STATE_DONE else None
    advance(document, state, result=done, error=error)  # type: ignore[arg-type]
    return document


@pytest.mark.parametrize(
    ("state", "facts", "status", "outcome", "said"),
    [
        (JOB_STATE_DONE, {"loss": 1.0}, "FINISHED", "ok", "success"),
        (JOB_STATE_DONE, {"status": "fail"}, "FAILED", "failed", "failure"),
        (JOB_STATE_ERROR, {"error": ("KeyError", "KeyError: 'a'")}, "FAILED", "failed", "failure"),
        (JOB_STATE_CANCEL, {}, "KILLED", "cancelled", "cancelled"),
        (JOB_STATE_CANCEL, {"error": ("TrialTimeout", "7 s")}, "KILLED", "timed_out", "cancelled"),
    ],
)
def test_how_a_trial_ended_is_told_apart(
    state: int, facts: dict[str, object], status: str, outcome: str, said: str
) -> None:
    entry = words(hp.uniform("x", 0, 1)).trial_end(ended({"x": 0.5}, state, **facts))
    assert entry.status == status
    assert entry.tags["sparktuner.outcome"] == outcome
    assert entry.tags["trial_status"] == said
    assert ("traceback.txt" in entry.texts) == ("error" in facts)
    assert entry.start is not None and entry.end is not None and entry.start <= entry.end


def test_a_long_value_is_cut_and_that_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    said = words(hp.uniform("x", 0, 1))
    document = ended({"x": "a" * 7000}, JOB_STATE_ERROR, error=("ValueError", "b" * 9000))
    with caplog.at_level(logging.WARNING):
        entry = said.trial_end(document)
        said.trial_end(document)
    assert len(entry.params["x"]) == 6000 and entry.params["x"].endswith(" …")
    assert len(entry.tags["sparktuner.error"]) == 8000
    assert "b" * 9000 in entry.texts["traceback.txt"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("lr", "lr"),
        ("model/depth", "model/depth"),
        ("a b-c.d", "a b-c.d"),
        ("C (log)", "C _log_"),
        ("a:b", "a_b"),
        ("/a", "_a"),
        ("a//b", "a__b"),
        ("../a", "___a"),
        ("", "_"),
        ("é" * 300, "é" * 250),
        (7, "7"),
    ],
)
def test_a_label_becomes_a_name_that_mlflow_takes(label: object, key: str) -> None:
    assert key_of(label) == key


@given(st.text(max_size=30))
def test_any_label_becomes_a_name_that_mlflow_takes(label: str) -> None:
    validation = pytest.importorskip("mlflow.utils.validation")
    validation._validate_metric_name(key_of(label))
    validation._validate_param_name(key_of(label))


def test_what_is_sent_at_a_time_stays_within_mlflows_limits() -> None:
    entry: Entry | None = Entry(
        "1",
        params={f"p{i}": "é" * 6000 for i in range(250)},
        tags={f"t{i}": "t" * 8000 for i in range(150)},
        metrics=tuple((f"m{i}", 1.0, 1_700_000_000_000, 0) for i in range(2500)),
    )
    whole, sent = entry, []
    while entry is not None and (entry.params or entry.tags or entry.metrics):
        batch, entry = _batch(entry)
        sent.append(batch)
        assert len(batch.params) <= 100 and len(batch.tags) <= 100
        assert len(batch.params) + len(batch.tags) + len(batch.metrics) <= 1000
        parts = [*batch.params.items(), *batch.tags.items(), *batch.metrics]
        assert len(json.dumps(parts)) < 1_000_000
    together = merged(sent)[0]
    assert whole is not None
    assert (together.params, together.tags) == (whole.params, whole.tags)
    assert together.metrics == whole.metrics


def test_an_entry_is_the_same_after_a_file() -> None:
    entry = Entry(
        "7",
        name="trial 7",
        start=5,
        params={"x": "ü"},
        metrics=(("loss", float("inf"), 5, 1),),
        tags={"a": "b"},
        refers={"best_trial": "3"},
        texts={"traceback.txt": "a\nb\u2028c"},
        status="FINISHED",
        end=9,
    )
    assert Entry.of(json.loads(entry.dumps())) == entry


def test_a_password_is_taken_out_of_an_address() -> None:
    assert without_password("http://me:pw@host:5000/a") == "http://host:5000/a"
    assert without_password("databricks://profile") == "databricks://profile"
    assert without_password("sqlite:////tmp/mlflow.db") == "sqlite:////tmp/mlflow.db"


def test_trials_of_another_space_are_no_best_of_this_one() -> None:
    trials = Trials()
    fmin(lambda x: x, hp.uniform("x", 0, 1), rand.suggest, 3, trials=trials, verbose=False)
    said = words(hp.uniform("x", 5, 6))
    for document in trials.all_trials:
        said.take_earlier(document)
    entry = said.search_end(None)
    assert "best_trial" not in entry.refers
    assert ("successful_trials_count", 3.0) in [(k, v) for k, v, *_ in entry.metrics]
    assert cut("abc", 3) == "abc"
