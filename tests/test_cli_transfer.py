"""``sparktuner export`` writes trials into a file, and ``sparktuner import`` adds them again."""

from __future__ import annotations

import csv
import json
import pickle
import re
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sparktuner import Trials, fmin, hp, trials_from_docs
from sparktuner.cli import main
from sparktuner.records import TrialStore, held_lease, new_document
from sparktuner.stores import open_store

pytest.importorskip("sqlalchemy")


class Model:
    """What has no form in JSON."""

    read: list[int] = []  # noqa: RUF012

    def __setstate__(self, state: object) -> None:
        self.read.append(1)


def objective(params: dict[str, Any]) -> dict[str, Any]:
    odd = [float("nan"), np.float32(0.5), (1, 2**70), Decimal("1.0"), datetime(2026, 1, 2)]
    attached = {"note": b"n" * 10, "empty": b"", "large": bytes(3 << 20)}
    # A state, as an object without one is made without __setstate__.
    model = Model()
    model.__dict__["weight"] = 1.0
    result = {"loss": params["x"], "status": "ok", "odd": odd, "model": model}
    return {**result, "attachments": attached if params["x"] < 0.5 else {}}


SPACE = {"x": hp.uniform("x", 0, 1), "act": hp.choice("act", ["relu", "tanh"])}


def search(url: str, exp_key: str | None, n: int = 4, seed: int = 0) -> Trials:
    trials = Trials(store=url, exp_key=exp_key)
    fmin(objective, SPACE, max_evals=n, trials=trials, rstate=seed, verbose=False)
    return trials


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/from.db"
    search(url, "digits")
    search(url, "faces", seed=1)
    return url


@pytest.fixture
def other(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/to.db"


def export(url: str, out: Path, *options: str) -> Path:
    assert main(["export", "--store", url, str(out), *options]) == 0
    return out


def names(store: TrialStore) -> list[str]:
    return sorted(store.attachments.names())


def test_what_was_exported_is_imported_exactly(url: str, other: str, tmp_path: Path) -> None:
    out = export(url, tmp_path / "a.json")
    Model.read.clear()
    assert main(["import", str(out), "--store", other]) == 0
    assert export(other, tmp_path / "b.json").read_bytes() == out.read_bytes()
    one, two = open_store(url), open_store(other)
    ours, theirs = ([sorted(d.items()) for d in store.load_since()[0]] for store in (one, two))
    assert repr(ours) == repr(theirs)
    assert names(one) == names(two)
    assert not Model.read
    assert type(two.attachments["ATTACH::0::result.model"]) is Model
    for name in ("note", "empty", "large"):
        assert two.attachments[f"ATTACH::0::{name}"] == one.attachments[f"ATTACH::0::{name}"]
    assert json.loads(out.read_text())[0] == {"sparktuner": "trials", "format": 1}


def test_a_search_goes_on_from_what_was_imported(url: str, other: str, tmp_path: Path) -> None:
    out = export(url, tmp_path / "a.json", "--exp-key", "digits")
    assert main(["import", str(out), "--store", other]) == 0
    assert len(search(other, "digits", 6)) == 6
    assert set(Trials(store=other).to_pandas()["params.act"].dropna()) <= {"relu", "tanh"}


def test_one_experiment_is_exported_with_its_attachments_alone(
    url: str, other: str, tmp_path: Path
) -> None:
    out = export(url, tmp_path / "a.json", "--exp-key", "faces")
    assert main(["import", str(out), "--store", other]) == 0
    store = open_store(other)
    assert {d["exp_key"] for d in store.load_since()[0]} == {"faces"}
    own = [n for n in names(store) if n.startswith("ATTACH::")]
    assert own
    assert {n.split("::")[1] for n in own} <= {"4", "5", "6", "7"}


def test_attachments_can_be_left_out_but_choices_keep_their_values(
    url: str, other: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = export(url, tmp_path / "a.json", "--no-attachments")
    assert main(["import", str(out), "--store", other]) == 0
    assert all(name.startswith("SPACE::") for name in names(open_store(other)))
    capsys.readouterr()
    assert main(["best", "--store", other, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["params.act"] in ("relu", "tanh")


def test_taken_ids_become_others_and_twice_importing_doubles_nothing(
    url: str, other: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search(other, "own", 2, seed=5)
    out = export(url, tmp_path / "a.json")
    capsys.readouterr()
    assert main(["import", str(out), "--store", other]) == 0
    said = capsys.readouterr().out
    assert f"8 trials were imported into {other}" in said
    assert "2 have other ids, as theirs are taken: 0 -> 8, 1 -> 9" in said
    store = open_store(other)
    by_tid = {d["tid"]: d for d in store.load_since()[0]}
    assert sorted(by_tid) == list(range(10))
    moved = by_tid[8]
    assert moved["exp_key"] == "digits"
    assert moved["misc"]["tid"] == 8
    assert moved["misc"]["idxs"]["x"] == [8]
    assert moved["misc"]["imported_tid"] == 0
    assert store.attachments["ATTACH::8::note"] == b"n" * 10

    # Also by way of a third store, in which they have yet other ids.
    again = export(other, tmp_path / "again.json")
    for file in (out, again):
        assert main(["import", str(file), "--store", other]) == 0
        assert "0 trials were imported" in capsys.readouterr().out
    assert main(["import", str(again), "--store", url]) == 0
    assert "2 trials were imported" in capsys.readouterr().out
    assert len(open_store(other).load_since()[0]) == 10


def test_a_store_that_a_search_uses_gets_ids_that_nobody_holds(
    url: str, other: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = export(url, tmp_path / "a.json", "--exp-key", "digits")
    store = open_store(other)
    with held_lease(store, "a search"):
        held = store.allocate(2, "a search")
        assert main(["import", str(out), "--store", other]) == 0
        assert "as a search runs on the store" in capsys.readouterr().out
        store.insert([new_document(tid, {"x": 0.5}) for tid in held])
    assert len(store.load_since()[0]) == 6


def test_a_trial_that_waited_is_not_doubled_after_it_has_run(other: str, tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path}/from.db"
    open_store(source).insert([new_document(0, {"x": 0.5}, exp_key="digits")])
    out = export(source, tmp_path / "a.json")
    assert main(["import", str(out), "--store", other]) == 0
    space = {"x": hp.uniform("x", 0, 1)}
    trials = Trials(store=other, exp_key="digits")
    fmin(lambda p: p["x"], space, max_evals=1, trials=trials, rstate=0, verbose=False)
    assert trials.trials[0]["book_time"] is not None
    assert main(["import", str(out), "--store", other]) == 0
    assert len(Trials(store=other).all_trials) == 1


def test_csv_has_the_columns_of_to_pandas(url: str, tmp_path: Path) -> None:
    out = export(url, tmp_path / "a.csv")
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    frame = Trials(store=url).to_pandas().reset_index()
    assert list(rows[0]) == list(frame.columns)
    assert [float(row["loss"]) for row in rows] == list(frame["loss"])


def test_a_save_file_is_imported_and_exported(other: str, tmp_path: Path) -> None:
    file = str(tmp_path / "trials.save")
    fmin(objective, SPACE, max_evals=3, trials_save_file=file, rstate=0, verbose=False)
    assert main(["export", "--file", file, str(tmp_path / "a.json")]) == 0
    Model.read.clear()
    assert main(["import", file, "--store", other]) == 0
    assert not Model.read
    assert export(other, tmp_path / "b.json").read_text() == (tmp_path / "a.json").read_text()


def hyperopts_pickle(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``pickle.dump(trials)`` of Hyperopt writes: its class by name, and its attributes."""
    modules = {name: ModuleType(name) for name in ("hyperopt", "hyperopt.base")}
    kind = type("Trials", (), {"__module__": "hyperopt.base", "__qualname__": "Trials"})
    vars(modules["hyperopt.base"])["Trials"] = kind
    document = dict(new_document(0, {"x": 0.25}))
    document.update(state=2, result={"loss": 0.25, "status": "ok"})
    del document["version"]
    theirs = kind()
    vars(theirs).update(
        _ids={0},
        _dynamic_trials=[document],
        _exp_key=None,
        attachments={"ATTACH::0::note": b"hi", "FMinIter_Domain": b"pickled objective"},
    )
    with monkeypatch.context() as patch:
        for name, module in modules.items():
            patch.setitem(sys.modules, name, module)
        path.write_bytes(pickle.dumps(theirs))


@pytest.mark.parametrize("whose", ["ours", "hyperopt's"])
def test_a_pickle_needs_to_be_trusted(
    whose: str,
    other: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "trials.pkl"
    if whose == "ours":
        document = new_document(0, {"x": 0.25})
        document.update(state=2, result={"loss": 0.25, "status": "ok"})
        trials = trials_from_docs([document])
        trials.attachments["ATTACH::0::note"] = b"hi"
        path.write_bytes(pickle.dumps(trials))
    else:
        hyperopts_pickle(path, monkeypatch)
    assert main(["import", str(path), "--store", other]) == 1
    assert "--trust-pickle" in capsys.readouterr().err
    assert not Path(other.removeprefix("sqlite:///")).exists()
    assert main(["import", str(path), "--store", other, "--trust-pickle"]) == 0
    assert Trials(store=other).losses() == [0.25]
    assert open_store(other).attachments["ATTACH::0::note"] == b"hi"
    assert main(["import", str(path), "--store", other, "--trust-pickle"]) == 0
    assert len(Trials(store=other)) == 1


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Model.read.append, (1,)


@pytest.mark.parametrize("content", [pickle.dumps(Bomb()), b"no trials", b""])
def test_nothing_else_is_unpickled(content: bytes, other: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(content)
    Model.read.clear()
    assert main(["import", str(tmp_path / "in"), "--store", other]) == 1
    assert not Model.read
    assert main(["import", str(tmp_path / "in"), "--store", other, "--trust-pickle"]) == 1
    assert main(["import", str(tmp_path / "missing"), "--store", other]) == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('{"end"', '{"other"', "is cut off: its last lines are missing"),
        ('"format": 1', '"format": 2', "was written by another version of sparktuner"),
        ('"state"', '"stat"', "line 3 of .* is not as sparktuner export writes it: .*state"),
        ('"bytes"', '"code"', "is not as sparktuner export writes it: 'code' is not"),
        ('{"piece":"', '{"piece":"!', "its piece is no base64"),
        ('{"$":["float","nan"]}', '{"$":["float","exec"]}', "is not of its form"),
        ('{"trial":{', "{", "is not as sparktuner export writes it: .*line 1 column"),
    ],
)
def test_a_file_that_is_not_in_order_makes_no_store(
    old: str,
    new: str,
    says: str,
    url: str,
    other: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = export(url, tmp_path / "a.json")
    text = out.read_text()
    assert old in text
    out.write_text(text.replace(old, new))
    assert main(["import", str(out), "--store", other]) == 1
    error = capsys.readouterr().err
    assert re.search(says, error), error
    assert not Path(other.removeprefix("sqlite:///")).exists()


def test_an_export_that_cannot_be_written_leaves_what_is_there(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--store", url, str(tmp_path / "missing" / "a.json")]) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(["export", "--store", url, str(tmp_path / "a.txt")])
    assert stop.value.code == 2
    assert main(["export", "--store", url, "--exp-key", "no", str(tmp_path / "a.json")]) == 3
    assert {path.suffix for path in tmp_path.iterdir()} <= {".db", ".db-wal", ".db-shm"}


@pytest.mark.parametrize("command", ["export", "import"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"  sparktuner {command} " in capsys.readouterr().out.split("examples:")[1]
