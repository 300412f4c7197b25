"""The save file is held by one search, and holds all of its trials."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp, rand
from sparktuner.errors import StoreError
from sparktuner.records import new_document
from sparktuner.stores import Kept

X = hp.uniform("x", 0, 1)


def quiet(fn: Any, **kw: Any) -> Any:
    return fmin(fn, X, **{"max_evals": 4, "rstate": 0, "verbose": False, **kw})


def saved(file: Path) -> Trials:
    trials: Trials = pickle.loads(file.read_bytes())
    return trials


@pytest.mark.parametrize("url", ["s3://bucket/t.pkl", "dbfs://x/t.pkl", "hdfs://host/t.pkl"])
def test_a_url_is_refused_before_a_folder_of_that_name_is_made(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="path of a local file, got a URL, .*mounted"):
        quiet(abs, trials_save_file=url)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TypeError, match="trials_save_file must be the path of a file, got 3"):
        quiet(abs, trials_save_file=3)


def test_trials_that_hold_others_of_the_same_ids_take_in_the_files_trials_too(
    tmp_path: Path,
) -> None:
    file = tmp_path / "trials.pkl"
    first = Trials()
    attach = {"status": "ok", "loss": 1.0, "attachments": {"model": b"from the file"}}
    quiet(lambda x: attach, trials_save_file=str(file), trials=first, max_evals=10)
    mine = Trials()
    quiet(abs, trials=mine, max_evals=5, algo=rand.suggest, rstate=9)
    own = mine.vals["x"]
    quiet(abs, trials=mine, max_evals=16, trials_save_file=str(file))
    assert len(mine) == len(set(mine.tids)) == 16
    assert sorted(mine.vals["x"][:15]) == sorted([*own, *first.vals["x"]])
    kept = [t for t in mine.trials if dict(mine.trial_attachments(t))]
    assert sorted(t["misc"]["vals"]["x"][0] for t in kept) == sorted(first.vals["x"])
    assert all(t["misc"]["idxs"]["x"] == [t["tid"]] for t in mine.trials)
    assert len(saved(file)) == 16


def test_trials_that_wrote_the_file_do_not_take_theirs_in_twice(tmp_path: Path) -> None:
    file = str(tmp_path / "trials.pkl")
    trials = Trials()
    for max_evals in (3, 3, 6):
        quiet(abs, trials=trials, max_evals=max_evals, trials_save_file=file)
    assert len(trials) == 6


def test_a_second_search_on_the_file_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    file = tmp_path / "trials.pkl"
    refused: list[str] = []

    def objective(x: float) -> float:
        if not refused:
            with pytest.raises(StoreError, match="is held by another search") as error:
                quiet(abs, trials_save_file=str(file))
            refused.append(str(error.value))
        return x

    quiet(objective, trials_save_file=str(file), max_evals=2)
    assert "process " in refused[0]
    assert len(saved(file)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["trials.pkl"]


def test_a_driver_that_is_killed_does_not_hold_its_file(tmp_path: Path) -> None:
    file = tmp_path / "trials.pkl"
    program = (
        "import os, sys\n"
        "from sparktuner import fmin, hp\n"
        "fmin(lambda x: os._exit(7), hp.uniform('x', 0, 1), max_evals=1, verbose=False,\n"
        "     trials_save_file=sys.argv[1])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(file)], check=False)
    assert ended.returncode == 7
    quiet(abs, trials_save_file=str(file), max_evals=2)
    assert len(saved(file)) == 2


def test_a_symbolic_link_stays_one_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "trials.pkl"
    link.symlink_to(tmp_path / "disk" / "real.pkl")
    quiet(abs, trials_save_file=str(link))
    assert link.is_symlink()
    assert len(saved(tmp_path / "disk" / "real.pkl")) == 4


def test_an_attachment_that_cannot_be_pickled_costs_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "trials.pkl"
    lock = threading.Lock()
    attachments = {"curve": b"123", "lock": lock}
    quiet(
        lambda x: {"status": "ok", "loss": x, "attachments": attachments},
        max_evals=1,
        trials_save_file=str(file),
    )
    trials = saved(file)
    assert dict(trials.trial_attachments(trials.best_trial)) == {"curve": b"123"}
    assert "attachment 'ATTACH::0::lock' is not saved" in caplog.text


def test_a_missing_module_is_missed_only_when_what_needs_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mymodels.py").write_text("class Model:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import mymodels  # type: ignore[import-not-found]

    file = tmp_path / "trials.pkl"
    quiet(
        lambda x: {"status": "ok", "loss": x, "model": mymodels.Model()},
        trials_save_file=str(file),
    )
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, "mymodels")
    trials = Trials()
    quiet(abs, trials_save_file=str(file), trials=trials, max_evals=6)
    first = trials.trials[0]
    assert first["result"]["model"] == Kept("result.model")
    with pytest.raises(StoreError, match=r"result.model.*needs module 'mymodels'.*missing here"):
        trials.trial_attachments(first)["result.model"]
    assert len(saved(file)) == 6


def test_documents_with_ids_of_other_kinds_are_saved(tmp_path: Path) -> None:
    file = tmp_path / "trials.pkl"
    trials = Trials()
    for tid in ("b", (1, 2), -4):
        trials.insert_trial_doc(new_document(tid, {"x": 0.5}, ["x"]))  # type: ignore[arg-type]
    quiet(abs, trials=trials, trials_save_file=str(file), max_evals=3)
    assert sorted(map(repr, saved(file).tids)) == ["'b'", "(1, 2)", "-4"]
