"""``import hyperopt`` is sparktuner, until it is undone."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sparktuner
from sparktuner import SparkTrials, fmin, hp
from sparktuner.records import new_document

SCRIPT = """
import sys
import hyperopt
import hyperopt.pyll.stochastic
from hyperopt import STATUS_OK, Trials, fmin, hp, tpe
from hyperopt.fmin import generate_trials_to_calculate
from hyperopt.pyll.base import scope

assert hyperopt.__version__ >= "0.2.5"
best = fmin(lambda x: {"loss": x, "status": STATUS_OK}, hp.uniform("x", 0, 1), algo=tpe.suggest,
            max_evals=3, verbose=False)
print(sorted(best), sys.argv[1:], Trials.__module__.partition(".")[0])
"""


def test_it_is_undone_when_the_block_ends() -> None:
    before = {name: m for name, m in sys.modules.items() if name.startswith("hyperopt")}
    with sparktuner.as_hyperopt():
        hyperopt = importlib.import_module("hyperopt")
        assert hyperopt.__version__ == "0.3.0"
        assert hyperopt.fmin is sparktuner.fmin
        assert importlib.import_module("hyperopt.pyll.base").scope is sparktuner.pyll.scope
        assert "hyperopt" in str(type(hp.uniform("x", 0, 1)))
        assert "hyperopt" in str(type(hp.choice("x", [1, 2])))
    assert {name: m for name, m in sys.modules.items() if name.startswith("hyperopt")} == before
    assert "hyperopt" not in str(type(hp.uniform("x", 0, 1)))


def test_a_script_is_run_as_it_would_be_with_hyperopt(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-W", "error", "-m", "sparktuner.as_hyperopt", str(script), "one"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.stderr == ""
    assert answer.stdout.strip() == "['x'] ['one'] sparktuner"


def test_a_module_is_run_as_pythons_own_m_runs_it(tmp_path: Path) -> None:
    (tmp_path / "tuned.py").write_text(SCRIPT)
    answer = run_module(tmp_path, "tuned", "one", "-m")
    assert answer.stderr == ""
    assert answer.stdout.strip() == "['x'] ['one', '-m'] sparktuner"


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    answer = run_module(tmp_path, "nothing.below")
    assert answer.returncode == 1
    assert "there is no module 'nothing.below'" in answer.stderr
    assert "usage" in run_module(tmp_path).stderr


def run_module(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "sparktuner.as_hyperopt", "-m", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=folder
    )


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sparktuner.as_hyperopt", "nothing.py"]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert answer.returncode == 1
    assert "there is no script 'nothing.py'" in answer.stderr


def test_objectives_on_spark_workers_import_it_too(spark: Any) -> None:
    def objective(x: float) -> dict[str, Any]:
        import hyperopt

        return {"loss": x, "status": "ok", "version": hyperopt.__version__}

    trials = SparkTrials(parallelism=2, spark_session=spark)
    with sparktuner.as_hyperopt():
        fmin(objective, hp.uniform("x", 0, 1), max_evals=2, trials=trials, verbose=False)
    assert [result["version"] for result in trials.results] == ["0.3.0", "0.3.0"]


def test_it_is_a_function_after_its_module_was_imported() -> None:
    importlib.import_module("sparktuner.as_hyperopt")
    with sparktuner.as_hyperopt(), sparktuner.as_hyperopt():
        assert importlib.import_module("hyperopt").hp is hp


def test_pickled_trials_of_hyperopts_are_taken_over() -> None:
    document: dict[str, Any] = {**new_document(3, {"x": 0.5}), "state": 2}
    document["result"] = {"status": "ok", "loss": 0.25}
    del document["version"]
    # What Hyperopt 0.3.0 keeps in the object, and so in its pickle.
    state = {
        "_ids": {3},
        "_dynamic_trials": [document],
        "_trials": [document],
        "_exp_key": None,
        "attachments": {"FMinIter_Domain": b"its own", "ATTACH::3::note": "kept"},
    }
    trials = sparktuner.Trials.__new__(sparktuner.Trials)
    trials.__setstate__(state)
    assert trials.argmin == {"x": 0.5}
    assert dict(trials.attachments) == {"ATTACH::3::note": "kept"}
    best = fmin(abs, hp.uniform("x", 0, 1), max_evals=2, trials=trials, verbose=False)
    assert (len(trials), set(best)) == (2, {"x"})


def test_it_needs_no_optional_dependency() -> None:
    program = (
        "import sys, sparktuner; sparktuner.as_hyperopt(); import hyperopt.spark\n"
        "assert not {'pyspark', 'sklearn', 'pandas', 'tqdm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_estimator_is_imported_when_it_is_asked_for() -> None:
    pytest.importorskip("sklearn", minversion="1.6")
    program = (
        "import sys, sparktuner; sparktuner.as_hyperopt()\n"
        "import hyperopt.sklearn\n"
        "print('sklearn' in sys.modules)\n"
        "from hyperopt.sklearn import HyperoptSearchCV\n"
        "print(HyperoptSearchCV.__module__.partition('.')[0])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["False", "sparktuner"]
