"""What an objective attaches to its trial while it runs."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from sparktuner import SparkTrials, ThreadTrials, Trials, current_trial, fmin, hp, rand
from sparktuner.errors import AllTrialsFailed
from sparktuner.execute import CurrentTrial

X = hp.uniform("x", 0, 1)
LARGE = 3 * 2**20 + 5

in_this_process = pytest.mark.parametrize(
    "make", [Trials, lambda **kw: ThreadTrials(2, **kw)], ids=["serial", "threads"]
)


def searched(objective: Callable[[float], Any], trials: Trials, n: int = 2, **kw: Any) -> Trials:
    fmin(objective, X, rand.suggest, n, trials=trials, rstate=0, verbose=False, **kw)
    return trials


@in_this_process
def test_bytes_and_files_are_read_back_from_the_trial(
    make: Callable[..., Trials], tmp_path: Path
) -> None:
    def objective(x: float) -> float:
        trial = current_trial()
        path = tmp_path / f"{trial.tid}.log"
        path.write_bytes(b"%d" % (trial.tid or 0) * LARGE)
        trial.attach("log", path)
        path.write_bytes(b"changed")
        trial.attach("plots/a.txt", str(path))
        path.unlink()
        trial.attach("note", bytearray(b"first"))
        trial.attach("note", b"second")
        return x

    for store in (None, f"file://{tmp_path}/store"):
        trials = searched(objective, make(store=store))
        for document in trials.trials:
            kept = trials.trial_attachments(document)
            assert sorted(kept) == ["log", "note", "plots/a.txt"]
            assert kept["log"] == b"%d" % document["tid"] * LARGE
            assert (kept["plots/a.txt"], kept["note"]) == (b"changed", b"second")
            with kept.open("log") as stream:
                assert stream.read(2) == b"%d" % document["tid"] * 2


@in_this_process
def test_a_trial_that_raises_keeps_what_it_had_attached(make: Callable[..., Trials]) -> None:
    def objective(x: float) -> float:
        current_trial().attach("log", b"so far")
        if current_trial().tid:
            raise ValueError("no good")
        return x

    trials = searched(objective, make(), catch_eval_exceptions=True)
    failed = trials.all_trials[1]
    assert failed["misc"]["error"][0] == "ValueError"
    assert trials.trial_attachments(failed)["log"] == b"so far"
    trials = make()
    with pytest.raises(ValueError, match="no good") if make is Trials else nullcontext():
        searched(objective, trials)
    assert trials.trial_attachments(trials.all_trials[1])["log"] == b"so far"


def test_a_thread_that_runs_out_of_time_keeps_what_it_had_attached() -> None:
    ended = threading.Event()

    def objective(x: float) -> float:
        current_trial().attach("log", b"so far")
        ended.wait(30)
        current_trial().attach("late", b"nobody waits for it")
        return x

    trials = ThreadTrials(1)
    with suppress(AllTrialsFailed):
        searched(objective, trials, 1, timeout=0.2)
    ended.set()
    [document] = trials.all_trials
    assert list(trials.trial_attachments(document)) == ["log"]


def test_what_the_result_attaches_comes_last() -> None:
    def objective(x: float) -> dict[str, Any]:
        current_trial().attach("a", b"while it ran")
        current_trial().attach("b", b"while it ran")
        return {"loss": x, "status": "ok", "attachments": {"a": [1, 2]}}

    trials = searched(objective, Trials(), 1)
    assert dict(trials.trial_attachments(trials.trials[0])) == {"a": [1, 2], "b": b"while it ran"}


def test_a_search_inside_an_objective_has_trials_of_its_own() -> None:
    def inner(x: float) -> float:
        current_trial().attach("who", b"inner")
        return x

    def outer(x: float) -> float:
        searched(inner, Trials())
        current_trial().attach("who", b"outer")
        return x

    trials = searched(outer, Trials(), 1)
    assert dict(trials.trial_attachments(trials.trials[0])) == {"who": b"outer"}


def test_called_by_hand_nothing_is_kept_but_mistakes_are_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x")
    current_trial().attach("log", tmp_path / "log")
    with pytest.raises(FileNotFoundError):
        current_trial().attach("log", tmp_path / "other")


def test_what_an_objective_was_told_of_its_trial_can_be_returned_and_copied() -> None:
    seen: list[CurrentTrial] = []
    searched(lambda x: seen.append(current_trial()) or x, Trials(), 1)  # type: ignore[func-returns-value]
    for same in (pickle.loads(pickle.dumps(seen[0])), copy.deepcopy(seen[0])):
        assert same == seen[0]
        same.attach("log", b"outside of the search")


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x", "a/../b", "a//b", "/etc/passwd", "a/", "C:\\..\\x", "a\\..\\b"),
        *("a\0b", "a\nb", "\ud800", "x" * 256),
    ],
)
def test_a_name_that_could_leave_a_folder_or_be_no_file_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"attach\(name, \.\.\.\): name must be one such as"):
        current_trial().attach(name, b"")


@pytest.mark.parametrize("name", ["log.txt", "plots/roc.png", "…", ".hidden", "a b", "x" * 255])
def test_other_names_are_taken(name: str) -> None:
    trials = searched(lambda x: current_trial().attach(name, b"7") or x, Trials(), 1)  # type: ignore[func-returns-value]
    assert trials.trial_attachments(trials.trials[0])[name] == b"7"


def test_what_is_neither_bytes_nor_the_path_of_a_file_is_refused(tmp_path: Path) -> None:
    attach: Any = current_trial().attach
    with pytest.raises(TypeError, match="must be bytes, or the path of a file, got a dict"):
        attach("a", {"x": 1})
    with pytest.raises(TypeError, match="name must be text, got a int"):
        attach(7, b"")
    with pytest.raises(FileNotFoundError, match=r"no file.*write text.encode\(\).*'some text'"):
        attach("a", "some text")
    with pytest.raises(ValueError, match="can name no file"):
        attach("a", "half \0")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ValueError, match="must be the path of a file, and .* is none"):
            attach("a", path)


def test_files_come_back_from_spark_workers_also_of_a_trial_that_raises(
    spark: Any, tmp_path: Path
) -> None:
    def objective(x: float) -> float:
        trial = current_trial()
        path = tmp_path / f"{trial.tid}.log"
        path.write_bytes(b"%d" % (trial.tid or 0) * LARGE)
        trial.attach("log", path)
        path.unlink()
        return 1 / (trial.tid or 0)

    trials = searched(objective, SparkTrials(2, spark_session=spark), 3)
    assert trials.all_trials[0]["misc"]["error"][0] == "ZeroDivisionError"
    for document in trials.all_trials:
        assert trials.trial_attachments(document)["log"] == b"%d" % document["tid"] * LARGE


def test_what_cannot_be_sent_back_as_a_result_loses_no_attachment(spark: Any) -> None:
    def objective(x: float) -> Any:
        current_trial().attach("log", b"so far")
        return {"loss": x, "status": "ok", "lock": threading.Lock()}

    trials = SparkTrials(2, spark_session=spark)
    with pytest.raises(AllTrialsFailed, match="UnpicklableResult"):
        searched(objective, trials, 1, catch_eval_exceptions=True)
    [failed] = trials.all_trials
    assert trials.trial_attachments(failed)["log"] == b"so far"
