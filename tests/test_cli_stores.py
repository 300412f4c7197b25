"""``sparktuner show``, ``best``, ``trials`` and ``delete`` look into stores and save files."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from sparktuner import Trials, fmin, hp
from sparktuner.cli import main

pytest.importorskip("sqlalchemy")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with one experiment whose name, and one label, are escape sequences."""
    url = f"sqlite:///{tmp_path}/tuning.db"
    space = {"x": hp.uniform("x\x1b[2J", 0, 1), "act": hp.choice("act", ["relu", "tanh"])}
    trials = Trials(store=url, exp_key="digits\x1b]0;owned\x07")
    fmin(lambda p: p["x"], space, max_evals=4, trials=trials, rstate=0, verbose=False)
    return url


@pytest.mark.parametrize("command", ["show", "best", "trials"])
@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_no_control_character_reaches_the_terminal(
    url: str, command: str, form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--store", url, *form]) == 0
    out = capsys.readouterr().out
    assert "x1b" in out or "u001b" in out
    assert all(c.isprintable() or c == "\n" for c in out)


def test_show_counts_an_experiments_trials(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--store", url, "--json"]) == 0
    (experiment,) = json.loads(capsys.readouterr().out)
    assert experiment["trials"] == experiment["done"] == 4
    assert experiment["failed"] == 0
    assert experiment["best_loss"] == min(Trials(store=url).losses())


def test_best_has_choices_by_value(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["best", "--store", url, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    best = Trials(store=url).best_trial
    assert (found["tid"], found["loss"]) == (best["tid"], best["result"]["loss"])
    assert found["params.act"] == ["relu", "tanh"][best["misc"]["vals"]["act"][0]]


def test_trials_are_the_newest_last(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", "--store", url, "--csv", "--limit", "2", "--state", "done"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["tid"] for row in rows] == ["2", "3"]


def test_nothing_found_is_exit_code_3(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", "--store", url, "--state", "failed"]) == 3
    assert main(["best", "--store", url, "--exp-key", "other"]) == 3
    assert "holds no trials of exp_key 'other'" in capsys.readouterr().err


def test_a_save_file_is_read_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "trials.jsonl")
    fmin(abs, hp.uniform("x", -1, 1), max_evals=3, trials_save_file=file, rstate=0, verbose=False)
    assert main(["show", "--file", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["trials"] == 3
    assert main(["show", "--file", f"{file}.no"]) == 3
    assert f"there is no file {file}.no" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "best", "trials", "delete"])
def test_a_look_for_a_database_makes_none(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "missing.db"
    options = ["--all", "--yes"] if command == "delete" else []
    assert main([command, "--store", f"sqlite:///{file}", *options]) == 3
    assert f"there is no store at sqlite:///{file}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_look_into_somebodys_database_makes_no_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE cats (name TEXT)")
    before = file.read_bytes()
    assert main(["show", "--store", f"sqlite:///{file}"]) == 3
    assert "there is no store" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_deleting_an_unknown_experiment_says_which_there_are(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["delete", "--store", url, "--exp-key", "faces", "--yes"]) == 3
    said = capsys.readouterr().err
    assert "holds no trials of exp_key 'faces'; it holds 4 of 'digits" in said
    assert len(Trials(store=url).trials) == 4


def test_the_table_of_the_best_trial_has_headings(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["best", "--store", url]) == 0
    assert capsys.readouterr().out.split("\n")[0].split() == ["name", "value"]


def test_delete_needs_yes_where_nobody_can_be_asked(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["delete", "--store", url, "--all"]) == 2
    assert len(Trials(store=url).trials) == 4
    assert main(["delete", "--store", url, "--all", "--yes"]) == 0
    assert len(Trials(store=url).trials) == 0


def test_a_password_is_not_in_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("psycopg")
    assert main(["show", "--store", "postgresql://me:s3cr3t@127.0.0.1:1/db"]) == 1
    assert "s3cr3t" not in "".join(capsys.readouterr())
