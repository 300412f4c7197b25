"""``sparktuner run`` runs a search that is named on the command line, and prints its best."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sparktuner
from sparktuner import load_trials
from sparktuner.cli import main
from tests.waiting import wait_until

MODEL = """
import time
from sparktuner import hp, rand

space = {"x": hp.uniform("x", -1, 1), "kind": hp.choice("kind", ["a", "b"])}
own = rand.suggest

def objective(params):
    print("noise of the objective")
    return helper(params["x"])

def helper(x):
    return x ** 2

def annotated(x: hp.uniform("x", -1, 1)):
    return abs(x)

def wrong(params):
    raise ValueError("of the objective")

def several(x, y):
    return x

def slow(params):
    time.sleep(0.05)
    return params["x"]
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module of a user's own, in the current folder."""
    (tmp_path / "run_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "run_model"
    sys.modules.pop("run_model", None)


def run(*arguments: str) -> int:
    return main(["run", *arguments])


SERIAL = ("run_model:objective", "--space", "run_model:space", "--trials", "serial")


@pytest.mark.usefixtures("model")
def test_it_prints_the_best_trial_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SERIAL, "--max-evals", "8", "--seed", "1") == 0
    said = capsys.readouterr()
    assert re.search(r"^loss +\S+$", said.out, re.MULTILINE)
    assert re.search(r"^params.x +\S+$", said.out, re.MULTILINE)
    assert "noise" not in said.out and "noise" in said.err
    assert "trials: 8 done" in said.err


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("where", ["serial", "threads"])
def test_json_is_for_programs(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = (*SERIAL[:-1], where, "--json", "--algo", "rand")
    assert run(*options, "--max-evals", "6", "--seed", "1") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["loss"] == pytest.approx(told["params"]["x"] ** 2)
    assert told["params"]["kind"] in ("a", "b")
    assert told["trials"] == {"done": 6} and told["ended_early"] is None


@pytest.mark.usefixtures("model")
def test_the_same_seed_gives_the_same_best(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        assert run(*SERIAL, "--max-evals", "4", "--seed", "7", "--json") == 0
        told.append(json.loads(capsys.readouterr().out)["params"])
    assert told[0] == told[1]


@pytest.mark.usefixtures("model")
def test_without_a_space_the_objectives_annotations_are_it() -> None:
    assert run("run_model:annotated", "--trials", "serial", "--max-evals", "2") == 0


@pytest.mark.usefixtures("model")
def test_it_goes_on_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(*SERIAL, "--max-evals", "3", "--save", "trials") == 0
    assert run(*SERIAL, "--max-evals", "5", "--save", "trials", "--algo", "run_model:own") == 0
    assert "trials: 5 done" in capsys.readouterr().err
    assert len(load_trials(str(tmp_path / "trials"))) == 5


@pytest.mark.usefixtures("model")
def test_it_keeps_trials_in_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/tuning.db"
    assert run(*SERIAL, "--max-evals", "3", "--store", url, "--exp-key", "k") == 0
    capsys.readouterr()
    assert main(["best", "--store", url, "--exp-key", "k"]) == 0
    assert "params.x" in capsys.readouterr().out


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run_model:nothing", *SERIAL[1:]), "OBJECTIVE: module 'run_model' has no 'nothing'"),
        ((SERIAL[0], "--space", "run_model:spaces"), "no 'spaces'; did you mean 'space'?"),
        ((SERIAL[0], "--space", "run_model"), "--space must be module:name, such as"),
        (("nowhere:f", *SERIAL[1:]), "module 'nowhere' cannot be imported here (No module named"),
        ((*SERIAL, "--algo", "run_model:mine"), "--algo: module 'run_model' has no 'mine'"),
        (("run_model:several", "--space", "run_model:space"), "called with one argument"),
        (("run_model:objective",), "annotated"),
        ((*SERIAL[:3], "--algo", "best"), "--algo must be one of atpe, tpe"),
        ((*SERIAL, "--parallelism", "2"), "runs one trial at a time"),
        ((*SERIAL, "--master", "yarn"), "--master is for --trials spark"),
        ((*SERIAL, "--store", "nonsense://x"), "there is no store for nonsense://"),
    ],
)
def test_what_is_wrong_with_the_command_is_one_sentence(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--max-evals", "1") == 1
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("model")
def test_a_search_without_end_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SERIAL) == 1
    assert "expected --max-evals N, --timeout S, or both" in capsys.readouterr().err


@pytest.mark.usefixtures("model")
def test_an_error_of_the_objective_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="of the objective"):
        run("run_model:wrong", *SERIAL[1:], "--max-evals", "2")


@pytest.mark.usefixtures("model")
def test_where_all_trials_fail_alike_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    options = (*SERIAL[1:-1], "threads", "--parallelism", "2", "--max-evals", "4")
    assert run("run_model:wrong", *options) == 1
    assert "of the objective" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("model")
def test_a_signal_keeps_what_was_found(number: signal.Signals, tmp_path: Path) -> None:
    save = tmp_path / "trials"
    command = [sys.executable, "-m", "sparktuner", "run", "run_model:slow", *SERIAL[1:]]
    process = subprocess.Popen(
        [*command, "--max-evals", "10000", "--save", str(save), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: save.exists() and len(load_trials(str(save))) > 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    told: dict[str, Any] = json.loads(out)
    assert told["ended_early"] == "interrupted" and told["params"]
    assert "the same command goes on" in err and "Traceback" not in err


def test_the_package_is_a_script_that_hides_no_other_package() -> None:
    script = Path(sparktuner.__file__).with_name("__main__.py")
    program = (
        "import runpy, sys\nfrom importlib.util import find_spec\n"
        f"sys.argv = ['sparktuner']\nsys.path.insert(0, {str(script.parent)!r})\n"
        f"try: runpy.run_path({str(script)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        # Names that the folder has too, and a module that it alone has.
        "print(getattr(find_spec('sklearn'), 'origin', None), find_spec('tpe'))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "run a search" in answer.stdout
    assert str(script.parent) not in answer.stdout.splitlines()[-1]
    assert answer.stdout.endswith(" None\n")


@pytest.mark.usefixtures("model")
def test_on_spark_the_modules_of_the_folder_go_with_the_objective(
    spark: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Workers do not find it: the file is gone when they begin.
    from sparktuner import _run_command

    search = _run_command.search

    def without_file(plan: Any) -> int:
        os.rename("run_model.py", "hidden.txt")
        return search(plan)

    monkeypatch.setattr(_run_command, "search", without_file)
    options = ("--parallelism", "2", "--max-evals", "4", "--json", "--algo", "rand")
    assert run(*SERIAL[:3], *options) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == {"done": 4}


@pytest.mark.usefixtures("model")
def test_ctrl_c_asks_nothing_of_spark_and_handlers_are_put_back(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparktuner import _run_command

    signals = (signal.SIGINT, signal.SIGTERM)
    before, during = [signal.getsignal(each) for each in signals], []

    def minimise(*_: object) -> None:
        during.extend(signal.getsignal(each) for each in signals)

    monkeypatch.setattr(_run_command, "_minimise", minimise)
    assert run(*SERIAL[:3], "--max-evals", "1") == 0
    assert during == [signal.default_int_handler] * 2
    assert [signal.getsignal(each) for each in signals] == before
