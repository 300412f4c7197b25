"""Trials as a pandas DataFrame."""

from __future__ import annotations

import math
import pickle
import sys
import time
from datetime import datetime
from typing import Any

import pytest

from sparktuner import (
    JOB_STATE_CANCEL,
    JOB_STATE_RUNNING,
    STATUS_OK,
    Trials,
    fmin,
    hp,
    trials_from_docs,
)
from sparktuner.errors import MissingExtra
from sparktuner.fmin import generate_trial
from sparktuner.history import Spaces, trial_table
from sparktuner.records import advance, new_document
from tests.history.searches import searched

pd = pytest.importorskip("pandas", reason="pandas is not installed")

DTYPES = {
    "state": "category",
    "status": "string",
    "loss": "float64",
    "params.C": "float64",
    "params.act": "string",
    "params.depth": "Int64",
    "params.drop": "float64",
    "params.layers": "Int64",
    "params.lr": "float64",
    "params.model": "string",
    "result.note": "string",
    "result.rows": "Int64",
    "start": "datetime64[ns, UTC]",
    "end": "datetime64[ns, UTC]",
    "duration": "float64",
    "host": "string",
    "attempts": "Int64",
    "error": "string",
    "traceback": "string",
    "exp_key": "string",
    "owner": "string",
}


def test_each_trial_is_a_row_and_each_column_has_its_type() -> None:
    trials = searched()
    frame = trials.to_pandas()
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert list(frame.index) == [t["tid"] for t in trials.all_trials]
    assert (frame.index.name, str(frame.index.dtype)) == ("tid", "int64")


def test_the_best_row_is_the_best_trial_with_choices_as_values() -> None:
    trials = searched()
    best = trials.to_pandas().nsmallest(1, "loss").iloc[0]
    assert best.name == trials.best_trial["tid"]
    assert best["params.lr"] == trials.best_params["lr"]
    assert best["params.act"] == str(trials.best_params["act"])


def test_parameters_are_missing_where_they_are_not_active() -> None:
    frame = searched().to_pandas()
    svm = frame["params.model"] == "{'kind': 'svm', 'C': <C>}"
    assert svm.any() and not svm.all()
    assert frame["params.C"].notna().tolist() == svm.tolist()
    assert frame["params.depth"].isna().tolist() == svm.tolist()


def test_failed_trials_are_rows_with_their_error() -> None:
    frame = searched().to_pandas()
    failed = frame[frame["state"] == "failed"]
    assert 0 < len(failed) < len(frame)
    assert (failed["params.layers"] == 5).all()
    assert set(failed["error"]) == {"ValueError"}
    assert failed["traceback"].str.contains("five layers do not converge").all()
    assert failed["loss"].isna().all() and (failed["status"] == "fail").all()
    assert frame["error"].isna().sum() == len(frame) - len(failed)


def test_running_waiting_and_cancelled_trials_are_rows_too() -> None:
    documents = [new_document(tid, {"x": 0.5}) for tid in range(3)]
    advance(documents[1], JOB_STATE_RUNNING)
    advance(documents[2], JOB_STATE_CANCEL, error=("TrialTimeout", "took too long"))
    frame = trials_from_docs(documents).to_pandas()
    assert frame["state"].tolist() == ["waiting", "running", "cancelled"]
    assert frame["start"].notna().tolist() == [False, True, False]
    assert frame["end"].isna().all() and frame["attempts"].isna().all()


def test_times_are_utc_and_durations_seconds() -> None:
    trials = searched()
    frame = trials.to_pandas()
    execution = trials.all_trials[0]["misc"]["execution"]
    assert frame["start"].iloc[0] == pd.Timestamp(execution["started"], tz="UTC")
    assert frame["duration"].iloc[0] == execution["duration"]
    assert frame["host"].iloc[0] == execution["host"] and frame["attempts"].iloc[0] == 1
    seconds = (frame["end"] - frame["start"]).dt.total_seconds()
    assert (abs(seconds - frame["duration"]) < 1e-5).all()


def test_hyperopts_documents_have_the_times_that_they_were_booked_and_refreshed() -> None:
    document = generate_trial(3, {"x": 0.5})
    document["state"], document["result"] = 2, {"status": STATUS_OK, "loss": 1.0}
    document["book_time"] = datetime(2024, 1, 1, 12)
    document["refresh_time"] = datetime(2024, 1, 1, 12, 0, 3)
    row = trials_from_docs([document]).to_pandas().loc[3]
    assert (row["duration"], row["start"].hour) == (3.0, 12)


def test_no_trials_have_the_same_columns() -> None:
    empty = Trials()
    fmin(abs, hp.uniform("x", 0, 1), max_evals=0, trials=empty, verbose=False)
    filled = Trials()
    fmin(abs, hp.uniform("x", 0, 1), max_evals=2, trials=filled, verbose=False)
    assert len(empty.to_pandas()) == 0
    assert empty.to_pandas().dtypes.to_dict() == filled.to_pandas().dtypes.to_dict()
    never = Trials().to_pandas()
    assert [c for c in filled.to_pandas() if c != "params.x"] == list(never)


def test_choices_of_a_space_that_is_not_known_are_indices() -> None:
    trials = trials_from_docs([generate_trial(0, {"act": 1, "x": 0.5})])
    frame = trials.to_pandas()
    assert (frame["params.act"].iloc[0], str(frame["params.act"].dtype)) == (1, "Int64")
    assert str(frame["params.x"].dtype) == "float64"


def test_choices_are_known_in_another_process_without_unpickling_the_space() -> None:
    trials = searched()
    again = pickle.loads(pickle.dumps(trials))
    again._pickled_space = b"no pickle"
    pd.testing.assert_frame_equal(again.to_pandas(), trials.to_pandas())


class ReadsBytes(dict[str, object]):
    """Attachments of a durable store, in which a value may be somebody's pickle."""

    def __getitem__(self, name: str) -> object:
        raise AssertionError(f"{name} was read as a value")

    def read_bytes(self, name: str) -> bytes:
        value = self.get(name)
        if not isinstance(value, bytes):
            raise TypeError(name)
        return value


def test_a_description_is_read_as_bytes_only() -> None:
    trials = searched(max_evals=3)
    attachments = ReadsBytes(trials.store.attachments)
    known = trial_table(trials.all_trials, Spaces(attachments, None))
    assert next(c for c in known if c.name == "params.act").kind == "text"
    for name in attachments:
        dict.__setitem__(attachments, name, object())
    unknown = trial_table(trials.all_trials, Spaces(attachments, None))
    assert next(c for c in unknown if c.name == "params.act").kind == "int"


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"columns": [{"label": 1}]}', 5, "text"])
def test_a_description_that_cannot_be_read_leaves_indices(data: Any) -> None:
    trials = searched(max_evals=3)
    trials.store.attachments.update(dict.fromkeys(trials.store.attachments, data))
    spaces = Spaces(trials.store.attachments, None)
    [column] = [c for c in trial_table(trials.all_trials, spaces) if c.name == "params.act"]
    assert column.kind == "int"


def test_trials_of_two_spaces_stand_under_one_another() -> None:
    trials = Trials()
    first = {"act": hp.choice("act", ["relu", "tanh"])}
    second = {"act": hp.choice("act", ["gelu", "relu"]), "n": hp.randint("n", 3)}
    fmin(lambda p: 0.0, first, max_evals=4, trials=trials, rstate=0, verbose=False)
    before = trials.to_pandas()["params.act"].tolist()
    fmin(lambda p: 0.0, second, max_evals=10, trials=trials, rstate=0, verbose=False)
    frame = trials.to_pandas()
    assert frame["params.act"].tolist()[:4] == before
    assert set(frame["params.act"].tolist()[4:]) <= {"gelu", "relu"}
    assert frame["params.n"].isna().tolist()[:4] == [True] * 4


@pytest.mark.parametrize(
    ("options", "dtype", "shown"),
    [
        ([16, 32], "Int64", {16, 32}),
        ([0.5, 2], "float64", {0.5, 2.0}),
        ([True, False], "boolean", {True, False}),
        (["a", "b"], "string", {"a", "b"}),
        ([1, "1"], "string", {"1", "'1'"}),
        ([None, True, "auto"], "string", {"None", "True", "auto"}),
        ([float("inf"), 1.0], "float64", {math.inf, 1.0}),
        ([float("nan"), 1.0], "string", {"nan", "1.0"}),
        ([math.sqrt, abs], "string", {"math.sqrt", "builtins.abs"}),
        ([(1, 2), [3]], "string", {"[1, 2]", "[3]"}),
        (["x" * 300, "y"], "string", None),
    ],
)
def test_options_are_shown_by_value_and_told_apart(
    options: list[Any], dtype: str, shown: set[Any] | None
) -> None:
    trials = Trials()
    space = hp.choice("c", options)
    fmin(lambda c: 0.0, space, max_evals=12, trials=trials, rstate=0, verbose=False)
    column = trials.to_pandas()["params.c"]
    assert column.dtype == dtype
    assert column.nunique() == len(options)
    assert shown is None or set(column) == shown


def test_a_label_in_two_branches_is_one_column_with_each_branchs_values() -> None:
    a, b = hp.choice("opt", ["sgd", "adam"]), hp.choice("opt", ["gini", "entropy"])
    space = hp.choice("model", [{"net": a}, {"tree": b}])
    trials = Trials()
    fmin(lambda p: 0.0, space, max_evals=20, trials=trials, rstate=0, verbose=False)
    frame = trials.to_pandas()
    net = frame["params.model"].str.contains("net")
    assert set(frame["params.opt"][net]) == {"sgd", "adam"}
    assert set(frame["params.opt"][~net]) == {"gini", "entropy"}


def test_results_that_are_no_numbers_or_text_have_no_column() -> None:
    results = [
        {"a": 1, "b": 0.5, "c": True, "d": object(), "e": [1], "f": None},
        {"a": 2.5, "b": "much", "c": None, "e": 7, "when": datetime(2024, 1, 1)},
    ]
    documents = [generate_trial(tid, {"x": 0.5}) for tid in range(2)]
    for document, result in zip(documents, results, strict=True):
        document["state"], document["result"] = 2, {"status": "ok", "loss": 0.0, **result}
    frame = trials_from_docs(documents).to_pandas()
    columns = {n: str(frame[n].dtype) for n in frame if n.startswith("result.")}
    assert columns == {
        "result.a": "float64",
        "result.b": "string",
        "result.c": "boolean",
        "result.e": "Int64",
        "result.when": "datetime64[ns, UTC]",
    }


def test_whole_numbers_beyond_64_bits_are_floats() -> None:
    trials = Trials()
    space = hp.quniform("n", 0, 2.0**70, 1)
    fmin(lambda n: 0.0, space, max_evals=5, trials=trials, rstate=0, verbose=False)
    assert str(trials.to_pandas()["params.n"].dtype) == "float64"


def test_a_loss_of_nan_is_a_failed_result_and_missing() -> None:
    trials = Trials()
    fmin(lambda x: x, hp.uniform("x", 1, 2), max_evals=1, trials=trials, verbose=False)
    trials.all_trials[0]["result"] = {"status": "fail", "loss": math.nan}
    row = trials.to_pandas().iloc[0]
    assert (row["state"], row["status"]) == ("done", "fail") and math.isnan(row["loss"])


def test_ids_of_other_tools_may_be_text() -> None:
    document = generate_trial("a1", {"x": 0.5})  # type: ignore[arg-type]
    assert trials_from_docs([document]).to_pandas().index.tolist() == ["a1"]


def test_ten_thousand_trials_take_less_than_a_second() -> None:
    one = searched(max_evals=2)
    [first, *_] = one.all_trials
    documents = []
    for tid in range(10_000):
        misc = {**first["misc"], "tid": tid}
        documents.append({**first, "tid": tid, "misc": misc})
    trials = trials_from_docs(documents)  # type: ignore[arg-type]
    trials.store.attachments.update(one.store.attachments)
    trials.to_pandas()
    # The processor's time: the machine may be busy with other things.
    before = time.process_time()
    assert len(trials.to_pandas()) == 10_000
    assert time.process_time() - before < 1.0


def test_without_pandas_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"pip install 'sparktuner\[pandas\]'"):
        Trials().to_pandas()
