"""Tables of past trials as history of a search."""

from __future__ import annotations

import io
import logging
import math
import sys
from typing import Any

import numpy as np
import pytest

from sparktuner import Domain, ThreadTrials, Trials, fmin, from_pandas, hp, space_eval, tpe
from sparktuner.errors import BadSearchSpace, MissingExtra
from sparktuner.records import MemoryStore
from sparktuner.space import flatten
from tests.history.searches import SPACE, objective, searched

pd = pytest.importorskip("pandas", reason="pandas is not installed")

X = {"x": hp.uniform("x", -1, 1)}


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [r for r in caplog.records if r.name == "sparktuner"]
    return [r.getMessage() for r in records if r.levelno == logging.WARNING]


def test_a_search_goes_on_from_a_table() -> None:
    frame = pd.DataFrame({"x": [0.5, -0.25, 0.75], "loss": [0.5, 0.25, 0.75]})
    trials = from_pandas(frame, X)
    assert len(trials) == 3 and trials.best_trial["result"]["loss"] == 0.25
    assert trials.best_params == {"x": -0.25}
    fmin(lambda p: abs(p["x"]), X, max_evals=10, trials=trials, rstate=0, verbose=False)
    assert len(trials) == 10
    assert [t["misc"]["vals"]["x"] for t in trials.trials[:3]] == [[0.5], [-0.25], [0.75]]


def test_an_algorithm_learns_from_the_rows() -> None:
    xs = np.linspace(-1, 1, 60)
    trials = from_pandas(pd.DataFrame({"x": xs, "loss": (xs - 0.6) ** 2}), X)
    history = trials.history(flatten(X))
    assert history.n == 60
    np.testing.assert_allclose(history.values[:, 0], xs)
    suggested = tpe.suggest(trials.new_trial_ids(20), Domain(None, X), trials, 0)
    values = [d["misc"]["vals"]["x"][0] for d in suggested]
    assert abs(np.median(values) - 0.6) < 0.25


def test_a_search_says_nothing_of_a_changed_space(caplog: pytest.LogCaptureFixture) -> None:
    trials = from_pandas(pd.DataFrame({"x": [0.5], "loss": [0.5]}), X)
    fmin(lambda p: abs(p["x"]), X, max_evals=2, trials=trials, rstate=0, verbose=False)
    assert warned(caplog) == []


def test_choices_are_given_by_value() -> None:
    space = {
        "act": hp.choice("act", ["relu", "tanh", None]),
        "units": hp.choice("units", [16, 32]),
        "bias": hp.choice("bias", [False, True]),
    }
    rows = [("tanh", 32, True), (None, 16, False), ("relu", 32, False)]
    frame = pd.DataFrame(rows, columns=["act", "units", "bias"]).assign(loss=1.0)
    trials = from_pandas(frame, space)
    found = [space_eval(space, {k: v[0] for k, v in t["misc"]["vals"].items()}) for t in trials]
    assert [(p["act"], p["units"], p["bias"]) for p in found] == rows


def test_an_option_with_parameters_is_named_by_a_constant_of_its_own() -> None:
    frame = pd.DataFrame(
        {
            "lr": [0.01, 0.01],
            "layers": [2, 3],
            "drop": [0.1, 0.2],
            "act": ["relu", "tanh"],
            "model": ["forest", "svm"],
            "depth": [3, None],
            "C": [None, 0.5],
            "loss": [1.0, 2.0],
        }
    )
    trials = from_pandas(frame, SPACE)
    assert trials.best_params["model"] == {"kind": "forest", "depth": 3}
    assert [sorted(k for k, v in t["misc"]["vals"].items() if v) for t in trials] == [
        ["act", "depth", "drop", "layers", "lr", "model"],
        ["C", "act", "drop", "layers", "lr", "model"],
    ]


def test_our_own_table_comes_back_as_it_was() -> None:
    trials = searched()
    frame = trials.to_pandas()
    again = from_pandas(frame, SPACE)
    assert len(again.all_trials) == len(trials.all_trials)
    for old, new in zip(trials.all_trials, again.all_trials, strict=True):
        assert new["misc"]["vals"] == old["misc"]["vals"]
        assert new["state"] == old["state"]
        assert new["misc"].get("error") == old["misc"].get("error")
    columns = [name for name in frame if name not in ("owner", "end")]
    pd.testing.assert_frame_equal(again.to_pandas()[columns], frame[columns])


def test_our_own_table_comes_back_by_way_of_a_file() -> None:
    trials = searched()
    text = trials.to_pandas().to_csv()
    read = pd.read_csv(io.StringIO(text), float_precision="round_trip")
    again = from_pandas(read, SPACE)
    assert again.vals == trials.vals
    assert again.to_pandas()["state"].tolist() == trials.to_pandas()["state"].tolist()
    assert (again.to_pandas()["start"] == trials.to_pandas()["start"]).all()


def test_numbers_may_be_text_as_tracking_servers_have_them() -> None:
    space = {
        "x": hp.uniform("x", 0, 1),
        "n": hp.uniformint("n", 1, 9),
        "b": hp.choice("b", [1, 2]),
    }
    frame = pd.DataFrame({"params.x": ["0.5"], "params.n": ["3"], "params.b": ["2"]})
    frame["metrics.rmse"] = 0.25
    trials = from_pandas(frame, space, loss="metrics.rmse")
    assert trials.argmin == {"b": 1, "n": 3, "x": 0.5}
    assert trials.losses() == [0.25]


def test_other_columns_are_fields_of_the_results() -> None:
    frame = pd.DataFrame(
        {"x": [0.5], "loss": [1.0], "acc": [0.9], "result.f1": [0.8], "z": [None]}
    )
    [result] = from_pandas(frame, X).results
    assert result == {"status": "ok", "loss": 1.0, "acc": 0.9, "f1": 0.8}


def test_rows_without_a_finite_loss_are_failed_trials(caplog: pytest.LogCaptureFixture) -> None:
    frame = pd.DataFrame({"x": [0.1, 0.2, 0.3], "loss": [np.nan, np.inf, 1.0]})
    trials = from_pandas(frame, X)
    assert trials.statuses() == ["fail", "fail", "ok"]
    assert trials.results[0]["failure"] == "there is no loss"
    assert len(trials.history(flatten(X)).failed) == 2
    assert warned(caplog) == []


def test_what_does_not_fit_is_reported_once_with_counts(caplog: pytest.LogCaptureFixture) -> None:
    space = {
        "x": hp.uniform("x", 0, 1),
        "n": hp.uniformint("n", 1, 9),
        "q": hp.quniform("q", 0, 1, 0.25),
        "act": hp.choice("act", ["relu", "tanh"]),
    }
    good = {"x": 0.5, "n": 3, "q": 0.5, "act": "relu", "loss": 1.0}
    rows: list[dict[str, Any]] = [
        good,
        {**good, "x": 7.5},
        {**good, "x": -3},
        {**good, "x": None},
        {**good, "n": 2.5},
        {**good, "q": 0.3},
        {**good, "act": "gelu"},
        {**good, "params.momentum": 0.9},
        {**good, "loss": "low"},
    ]
    trials = from_pandas(pd.DataFrame(rows), space)
    assert len(trials) == 1 and trials.tids == [0]
    [text] = warned(caplog)
    assert text.startswith("1 of 9 trials are taken as history, 8 are left out (2 as in: 'x' is 7")
    for reason in (
        "'x' is 7.5, and must be from 0 to 1",
        "1: no value of 'x'",
        "1: 'n' is the float 2.5, and must be a whole number",
        "1: 'q' is the float 0.3, and must be a multiple of 0.25",
        "1: 'act' is the str 'gelu', and must be one of its options, 'relu', 'tanh'",
        "1: 'momentum' is no parameter of the space",
        "1: the loss is 'low', and must be a number",
    ):
        assert reason in text


def test_values_of_inactive_parameters_are_ignored_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    space = hp.choice("m", ["a", {"kind": "b", "C": hp.uniform("C", 0, 1)}])
    frame = pd.DataFrame({"m": ["a", "b"], "C": [0.25, 0.5], "loss": [1.0, 2.0]})
    trials = from_pandas(frame, space)
    assert trials.vals["C"] == [0.5]
    assert warned(caplog) == [
        "'C' has a value in 1 trials in which it is not active, which is ignored"
    ]


def test_rows_that_are_not_finished_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    frame = pd.DataFrame({"x": [0.1, 0.2], "loss": [1.0, None], "state": ["done", "running"]})
    assert len(from_pandas(frame, X).all_trials) == 1
    assert "1: a trial is not finished" in warned(caplog)[0]


def test_a_state_of_another_tool_is_a_field() -> None:
    frame = pd.DataFrame({"x": [0.1], "loss": [1.0], "state": ["COMPLETE"], "host": ["h"]})
    assert from_pandas(frame, X).results[0]["state"] == "COMPLETE"


def test_trials_are_added_to_those_that_are_given() -> None:
    store = MemoryStore()
    into = ThreadTrials(2, store=store, exp_key="e")
    first = pd.DataFrame({"x": [0.1, 0.2], "loss": [1.0, 2.0]})
    assert from_pandas(first, X, into=into) is into
    from_pandas(first, X, into=into)
    assert into.tids == [0, 1, 2, 3]
    assert {t["exp_key"] for t in into.trials} == {"e"}
    assert len(Trials(store=store)) == 4
    with pytest.raises(TypeError, match="into must be Trials or None, got 5"):
        from_pandas(first, X, into=5)  # type: ignore[arg-type]


def test_an_empty_table_is_no_history() -> None:
    trials = from_pandas(pd.DataFrame({"x": [], "loss": []}), X)
    assert len(trials) == 0
    fmin(lambda p: abs(p["x"]), X, max_evals=1, trials=trials, verbose=False)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["x"], r"df has no column 'loss' for the loss, only 'x'; name it: from_pandas"),
        (["y", "loss"], r"no column for the parameter 'x', only 'y'; name it 'params.x' or 'x'"),
        (["x", "x", "loss"], r"one column of each name, got two of 'x'"),
    ],
)
def test_a_table_without_the_columns_is_refused(columns: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_pandas(pd.DataFrame([[0.5] * len(columns)], columns=columns), X)


def test_what_is_no_table_and_what_is_no_space_are_refused() -> None:
    with pytest.raises(TypeError, match="df must be a pandas DataFrame, got list"):
        from_pandas([{"x": 1}], X)  # type: ignore[arg-type]
    with pytest.raises(BadSearchSpace):
        twice = {"a": hp.uniform("x", 0, 1), "b": hp.uniform("x", 0, 2)}
        from_pandas(pd.DataFrame({"x": [1.0], "loss": [1.0]}), twice)
    with pytest.raises(BadSearchSpace, match="space must be the search space, .* got None"):
        from_pandas(pd.DataFrame({"x": [1.0], "loss": [1.0]}), None)


def test_numbers_beyond_all_floats_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    space = {"n": hp.randint("n", 2**60, 2**60 + 9)}
    values = [2**60 + 3, "1" * 400, "inf", math.inf, "nan", True]
    frame = pd.DataFrame({"n": pd.Series(values, dtype=object), "loss": 1.0})
    assert from_pandas(frame, space).vals == {"n": [2**60 + 3]}
    assert "5 as in: 'n' is the str" in warned(caplog)[0]


def test_options_that_share_their_constants_are_told_by_their_text() -> None:
    options = [{"k": "a", "x": hp.uniform("x", 0, 1)}, {"k": "a", "y": hp.uniform("y", 0, 1)}]
    space = hp.choice("m", options)
    shown = "{'k': 'a', 'y': <y>}"
    frame = pd.DataFrame({"m": [shown, "a"], "x": [0.5, 0.5], "y": [0.5, 0.5], "loss": 1.0})
    assert from_pandas(frame, space).vals["m"] == [1]


def test_ten_thousand_rows_are_read_and_searched_on() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.uniform(-1, 1, 10_000)}).assign(loss=lambda f: f["x"] ** 2)
    trials = from_pandas(frame, X)
    fmin(lambda p: p["x"] ** 2, X, max_evals=10_001, trials=trials, rstate=0, verbose=False)
    assert len(trials) == 10_001


def test_without_pandas_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"x": [1.0], "loss": [1.0]})
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"sparktuner\[pandas\]"):
        from_pandas(frame, X)


def test_the_objective_of_these_tests_can_be_searched_on() -> None:
    trials = from_pandas(searched(max_evals=10).to_pandas(), SPACE)
    fmin(
        objective,
        SPACE,
        max_evals=len(trials) + 5,
        trials=trials,
        catch_eval_exceptions=True,
        verbose=False,
    )
    assert len(trials.all_trials) > 10
