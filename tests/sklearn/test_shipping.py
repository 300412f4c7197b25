"""What a search ships to workers, and that they find what it needs: with a real Spark too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

import cloudpickle
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.svm import SVC

from sparktuner import SparkTrials, hp, rand
from sparktuner.execute import Executor, Objective, SerialRunner
from sparktuner.execute.spark import SparkRunner
from sparktuner.sklearn import HyperoptSearchCV, SparkSearchCV

X, Y = load_iris(return_X_y=True)
SPACE = {"C": hp.loguniform("C", -5, 5), "kernel": ["linear", "rbf"]}
FEW: dict[str, Any] = {"n_iter": 6, "cv": 3, "random_state": 0, "algo": rand.suggest}


class Pickling(SerialRunner):
    """Runs trials here, and keeps the objective as a worker would be sent it."""

    objective: bytes

    def open(self, objective: Objective) -> Executor:
        self.objective = cloudpickle.dumps(objective)
        return super().open(objective)


def test_a_worker_needs_no_sparktuner(tmp_path: Path) -> None:
    runner = Pickling()
    SparkSearchCV(SVC(), SPACE, runner=runner, **FEW).fit(X, Y)
    file = tmp_path / "objective"
    file.write_bytes(runner.objective)
    program = (
        "import pickle, sys; sys.modules['sparktuner'] = None\n"
        f"objective = pickle.load(open({str(file)!r}, 'rb'))\n"
        "print(objective({'C': 1.0})['status'], objective({'D': 1})['failure'][:10])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert answer.stdout == "ok ValueError\n", answer.stderr


def test_what_others_pickle_is_as_it_was_before_and_after_a_search() -> None:
    before = cloudpickle.list_registry_pickle_by_value()
    assert "sparktuner.sklearn._folds" not in before
    SparkSearchCV(SVC(), SPACE, runner="serial", **FEW).fit(X, Y)
    assert cloudpickle.list_registry_pickle_by_value() == before


class Counting:
    """A scorer that counts how often it is pickled in this process."""

    pickled = 0

    def __call__(self, estimator: Any, rows: Any, targets: Any) -> float:
        return float(np.mean(estimator.predict(rows) == targets))

    def __getstate__(self) -> dict[str, Any]:
        Counting.pickled += 1
        return {}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("classic", marks=pytest.mark.spark),
        pytest.param("connect", marks=[pytest.mark.spark, pytest.mark.service]),
    ],
)
def test_a_search_on_spark_is_the_one_in_this_process(
    kind: str, request: pytest.FixtureRequest
) -> None:
    session = request.getfixturevalue("spark" if kind == "classic" else "connect_spark")
    here = SparkSearchCV(SVC(), SPACE, runner="serial", return_train_score=True, **FEW)
    here.fit(X, Y)
    Counting.pickled = 0
    there = SparkSearchCV(
        SVC(),
        SPACE,
        runner=SparkRunner(2, spark_session=session),
        return_train_score=True,
        scoring=Counting(),
        **FEW,
    )
    there.fit(X, Y)
    assert there.best_params_ == here.best_params_
    for name in ("split1_test_score", "mean_train_score", "rank_test_score"):
        np.testing.assert_array_equal(there.cv_results_[name], here.cv_results_[name])
    hosts = [trial["misc"]["execution"]["executor"] for trial in there.trials_.trials]
    assert len(hosts) == 6
    # With the objective and not with each of the six trials. On Connect the objective may be
    # pickled a second time, for the probe.
    assert Counting.pickled <= 2


def test_an_active_session_is_where_a_search_runs(spark: Any) -> None:
    search = SparkSearchCV(SVC(), SPACE, **FEW)
    assert isinstance(search._fmin_arguments(None)["trials"].runner, SparkRunner)  # type: ignore[arg-type]


def test_a_failing_fit_on_a_worker_is_told_here(spark: Any) -> None:
    space = {"C": [1.0, -1.0]}
    with pytest.warns(FitFailedWarning, match="C"):
        search = SparkSearchCV(SVC(), space, runner="spark", **{**FEW, "n_iter": 8}).fit(X, Y)
    assert search.best_params_ == {"C": 1.0}
    with pytest.raises(ValueError, match="'C' parameter of SVC must be"):
        SparkSearchCV(SVC(), {"C": [-1.0]}, runner="spark", error_score="raise", **FEW).fit(X, Y)


def test_hyperopts_search_runs_on_spark_by_its_trials(spark: Any) -> None:
    trials = SparkTrials(2, spark_session=spark)
    search = HyperoptSearchCV(SVC(), {"C": SPACE["C"]}, 4, trials, cv=3).fit(X, Y)
    assert search.trials_ is trials
    assert trials.count_successful_trials() == 4
