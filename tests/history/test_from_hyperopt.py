"""Hyperopt's trials as history of a search."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktuner import Trials, fmin, from_hyperopt, hp
from sparktuner.errors import InvalidTrial

HERE = Path(__file__).parent
SPACE = {"x": hp.uniform("x", -1, 1), "act": hp.choice("act", ["relu", "tanh"])}


def document(tid: int, **changes: Any) -> Any:
    """A document with the types that Hyperopt writes."""
    found = {
        "state": 2,
        "tid": np.int64(tid),
        "spec": None,
        "result": {"status": "ok", "loss": np.float64(0.5)},
        "misc": {
            "tid": tid,
            "cmd": ("domain_attachment", "FMinIter_Domain"),
            "workdir": None,
            "idxs": {"x": np.array([tid]), "act": [np.int64(tid)]},
            "vals": {"x": np.array([0.25]), "act": [np.int64(1)]},
        },
        "exp_key": None,
        "owner": None,
        "version": 3,
        "book_time": datetime(2024, 1, 1),
        "refresh_time": datetime(2024, 1, 1, 0, 0, 7),
    }
    return {**found, **changes}


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [r for r in caplog.records if r.name == "sparktuner"]
    return [r.getMessage() for r in records if r.levelno == logging.WARNING]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """What became of Hyperopt's own Trials where it is installed, and their documents."""
    python = os.environ.get("HYPEROPT_PYTHON")
    if python is None:
        pytest.skip("HYPEROPT_PYTHON names no interpreter that has hyperopt 0.3.0")
    path = tmp_path_factory.mktemp("hyperopt") / "documents.pkl"
    done = subprocess.run(
        [python, HERE / "hyperopt_search.py", path],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
    )
    assert done.returncode == 0, done.stderr
    yield json.loads(done.stdout.splitlines()[-1]), pickle.loads(path.read_bytes())


def test_hyperopts_own_trials_are_searched_on(search: tuple[Any, Any]) -> None:
    found, _ = search
    assert found == {
        "before": 25,
        "after": 30,
        "same best": True,
        "same losses": True,
        "note": "kept",
        "attachments": found["attachments"],
    }
    assert found["attachments"] >= 25


def test_hyperopts_own_documents_become_a_table(search: tuple[Any, Any]) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    trials = from_hyperopt(search[1])
    frame = trials.to_pandas()
    assert len(frame) == 25 and frame["duration"].notna().all()
    assert str(frame["params.model"].dtype) == "Int64"


def test_documents_come_with_native_numbers_and_their_times() -> None:
    theirs = document(4)
    trials = from_hyperopt([theirs])
    [ours] = trials.all_trials
    assert trials.argmin == {"act": 1, "x": 0.25}
    assert [type(v) for v in (ours["tid"], *trials.argmin.values())] == [int, int, float]
    assert type(ours["result"]["loss"]) is float
    assert ours["refresh_time"] == theirs["refresh_time"]
    assert json.dumps(ours["misc"]["vals"])
    # Theirs stay theirs.
    assert theirs["version"] == 3 and isinstance(theirs["misc"]["vals"]["x"], np.ndarray)


def test_states_errors_and_ids_are_kept() -> None:
    failed = document(7, state=3)
    failed["misc"]["error"] = ("<class 'ValueError'>", "boom")
    trials = from_hyperopt([document(3), failed, document(9, state=4)])
    assert [(t["tid"], t["state"]) for t in trials.all_trials] == [(3, 2), (7, 3), (9, 4)]
    assert trials.all_trials[1]["misc"]["error"] == ("<class 'ValueError'>", "boom")
    assert trials.new_trial_ids(1) == [10]


def test_trials_that_were_running_are_run_by_the_next_search() -> None:
    trials = from_hyperopt([document(0), document(1, state=1, result={"status": "new"})], SPACE)
    fmin(lambda p: p["x"], SPACE, max_evals=2, trials=trials, verbose=False)
    assert [t["state"] for t in trials.all_trials] == [2, 2]
    assert trials.losses() == [0.5, 0.25]


def test_with_a_space_what_does_not_fit_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    outside, old, lacking = document(1), document(2), document(3)
    outside["misc"]["vals"]["x"] = [5.0]
    old["misc"]["vals"]["act"] = [2]
    lacking["misc"]["vals"]["x"] = []
    trials = from_hyperopt([document(0), outside, old, lacking], SPACE)
    assert trials.tids == [0] and trials.best_params == {"x": 0.25, "act": "tanh"}
    [text] = warned(caplog)
    assert text.startswith("1 of 4 trials are taken as history, 3 are left out")
    assert "'x' is 5.0, and must be from -1 to 1" in text
    assert "'act' is 2, and must be the index of one of its 2 options" in text
    assert "no value of 'x'" in text


def test_a_search_of_the_space_says_nothing_of_a_change(caplog: pytest.LogCaptureFixture) -> None:
    trials = from_hyperopt([document(0)], SPACE)
    fmin(lambda p: p["x"], SPACE, max_evals=2, trials=trials, verbose=False)
    assert len(trials) == 2 and warned(caplog) == []


def test_one_experiment_keeps_its_key() -> None:
    assert from_hyperopt([document(0, exp_key="e"), document(1, exp_key="e")]).exp_key == "e"
    several = from_hyperopt([document(0, exp_key="e"), document(1, exp_key="f")])
    assert several.exp_key is None and len(several) == 2
    into = Trials(exp_key="mine")
    from_hyperopt([document(0, exp_key="e")], into=into)
    assert into.trials[0]["exp_key"] == "mine"


def test_ids_that_are_taken_are_refused() -> None:
    into = from_hyperopt([document(0)])
    with pytest.raises(InvalidTrial, match="already"):
        from_hyperopt([document(0)], into=into)


def test_attachments_come_along_but_not_the_objective() -> None:
    class Theirs:
        _dynamic_trials = (document(0),)

        def __init__(self) -> None:
            self.attachments = {"ATTACH::0::note": b"kept", "FMinIter_Domain": b"a pickle"}

    trials = from_hyperopt(Theirs())
    assert dict(trials.attachments) == {"ATTACH::0::note": b"kept"}
    assert dict(trials.trial_attachments(trials.trials[0])) == {"note": b"kept"}


@pytest.mark.parametrize("theirs", ["trials.pkl", b"", 5, {"tid": 0}])
def test_what_are_no_trials_are_refused(theirs: Any) -> None:
    with pytest.raises(TypeError, match="must be Hyperopt's Trials, or a list of its documents"):
        from_hyperopt(theirs)


def test_a_document_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidTrial, match="needs the keys"):
        from_hyperopt([{"tid": 0}])
