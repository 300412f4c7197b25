"""``fan_out="folds"``: each fold of each configuration is a task of its own."""

from __future__ import annotations

import pickle
import threading
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.svm import SVC

from sparktuner import hp, rand
from sparktuner.execute import Cancelled, Finished, SerialRunner, Submission, ThreadExecutor
from sparktuner.execute.spark import SparkRunner
from sparktuner.sklearn import SparkSearchCV
from sparktuner.sklearn._fold_executor import FoldExecutor, FoldRunner
from tests.waiting import PATIENCE, last_events

X, Y = load_iris(return_X_y=True)
SPACE = {"C": hp.loguniform("C", -5, 5), "kernel": ["linear", "rbf"]}
FEW: dict[str, Any] = {"n_iter": 8, "cv": 3, "random_state": 0, "algo": rand.suggest}
PLACES: dict[str, dict[str, Any]] = {
    "serial": {"runner": "serial"},
    "threads": {"runner": "threads", "parallelism": 3},
}


class Noisy(ClassifierMixin, BaseEstimator):
    """Scores around its ``quality``, a little apart on each fold; counts its fits."""

    fits = 0

    def __init__(self, quality: float = 0.0, breaks: bool = False) -> None:
        self.quality = quality
        self.breaks = breaks

    def fit(self, rows: Any, targets: Any) -> Noisy:
        Noisy.fits += 1
        if self.breaks:
            raise RuntimeError("broken")
        self.classes_ = np.unique(targets)
        self.seed_ = int(1e6 * np.sum(rows)) % 1000 + int(1e6 * abs(self.quality))
        return self

    def predict(self, rows: Any) -> Any:
        return np.zeros(len(rows))

    def score(self, rows: Any, targets: Any) -> float:
        noise = np.random.default_rng(self.seed_).normal(0, 0.01)
        # What is common to all configurations on a fold is larger than what differs.
        return float(self.quality + noise + 10 * np.sum(rows))


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_without_a_level_the_search_is_the_same(place: dict[str, Any]) -> None:
    whole = SparkSearchCV(SVC(), SPACE, runner="serial", return_train_score=True, **FEW)
    apart = SparkSearchCV(
        SVC(), SPACE, fan_out="folds", drop_level=None, return_train_score=True, **place, **FEW
    )
    whole.fit(X, Y)
    apart.fit(X, Y)
    assert set(whole.cv_results_) == set(apart.cv_results_)
    for name, column in whole.cv_results_.items():
        if "time" not in name and name != "params":
            np.testing.assert_array_equal(apart.cv_results_[name], column, err_msg=name)
    losses = [
        [trial["result"]["loss"] for trial in search.trials_.trials] for search in (whole, apart)
    ]
    np.testing.assert_allclose(*losses)
    assert apart.best_params_ == whole.best_params_


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_folds_of_what_cannot_win_are_left_out(place: dict[str, Any]) -> None:
    space = {"quality": hp.uniform("quality", -10, 10)}
    options = {**FEW, "n_iter": 30, "cv": 5, **place}
    whole = SparkSearchCV(Noisy(), space, **{**options, "fan_out": "folds", "drop_level": None})
    whole.fit(X, Y)
    Noisy.fits = 0
    search = SparkSearchCV(Noisy(), space, fan_out="folds", **options).fit(X, Y)
    # Fewer where several run at a time: what has begun when the best comes is not held back.
    assert Noisy.fits < 0.9 * 30 * 5
    assert search.best_params_ == whole.best_params_
    scores = np.array([search.cv_results_[f"split{i}_test_score"] for i in range(5)])
    dropped = np.isnan(scores).any(axis=0)
    assert dropped.sum() > 5
    assert not dropped[search.best_index_]
    # What a dropped one would have had is known well enough, and is below the best.
    means = search.cv_results_["mean_test_score"]
    assert np.isfinite(means).all()
    assert (means[dropped] < search.best_score_).all()
    np.testing.assert_allclose(means, whole.cv_results_["mean_test_score"], atol=0.1)
    assert np.isfinite(search.cv_results_["mean_fit_time"]).all()
    # The algorithm learns from them too.
    assert search.trials_.count_by_state_synced(2) == 30
    assert {trial["result"]["status"] for trial in search.trials_.trials} == {"ok"}


def test_of_several_metrics_all_have_an_estimate() -> None:
    def both(estimator: Any, rows: Any, targets: Any) -> dict[str, float]:
        score = estimator.score(rows, targets)
        return {"up": score, "down": -score}

    space = {"quality": hp.uniform("quality", -10, 10)}
    options = {**FEW, "n_iter": 20, "cv": 5, "scoring": both, "refit": "up"}
    search = SparkSearchCV(Noisy(), space, fan_out="folds", runner="serial", **options).fit(X, Y)
    assert np.isnan(search.cv_results_["split4_test_up"]).any()
    np.testing.assert_allclose(
        search.cv_results_["mean_test_up"], -search.cv_results_["mean_test_down"]
    )
    assert search.best_index_ == int(np.argmax(search.cv_results_["mean_test_up"]))


@pytest.mark.parametrize("refit", [len, False])
def test_where_it_is_not_known_which_one_wins_none_is_dropped(refit: object) -> None:
    search = SparkSearchCV(Noisy(), {}, fan_out="folds", scoring=["accuracy", "f1"], refit=refit)
    assert search._level() is None
    single = SparkSearchCV(Noisy(), {}, fan_out="folds", refit=False)
    assert single._level() == 0.05


def test_a_failed_fold_leaves_nothing_to_win() -> None:
    space = {"breaks": [False, True]}
    Noisy.fits = 0
    with pytest.warns(FitFailedWarning):
        search = SparkSearchCV(Noisy(), space, fan_out="folds", runner="serial", **FEW).fit(X, Y)
    broken = search.cv_results_["param_breaks"].astype(bool)
    assert 0 < broken.sum() < 8
    assert np.isnan(search.cv_results_["mean_test_score"][broken]).all()
    # One fit of each that breaks, all of the others, and the last one on all rows.
    assert Noisy.fits == broken.sum() + 3 * (~broken).sum() + 1
    with pytest.raises(RuntimeError, match="broken"):
        SparkSearchCV(
            Noisy(), {"breaks": [True]}, fan_out="folds", error_score="raise", **FEW
        ).fit(X, Y)


@pytest.mark.parametrize("level", [0, 1.5, "0.1", -1])
def test_a_level_that_is_no_probability_is_refused(level: object) -> None:
    search = SparkSearchCV(SVC(), SPACE, fan_out="folds", drop_level=level, **FEW)  # type: ignore[arg-type]
    with pytest.raises((ValueError, TypeError), match="drop_level"):
        search.fit(X, Y)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("classic", marks=pytest.mark.spark),
        pytest.param("connect", marks=[pytest.mark.spark, pytest.mark.service]),
    ],
)
def test_folds_are_tasks_of_spark(kind: str, request: pytest.FixtureRequest) -> None:
    session = request.getfixturevalue("spark" if kind == "classic" else "connect_spark")
    few = {**FEW, "n_iter": 3}
    here = SparkSearchCV(SVC(), SPACE, runner="serial", **few).fit(X, Y)
    runner = SparkRunner(2, spark_session=session)
    there = SparkSearchCV(SVC(), SPACE, fan_out="folds", runner=runner, drop_level=None, **few)
    there.fit(X, Y)
    np.testing.assert_array_equal(
        there.cv_results_["split2_test_score"], here.cv_results_["split2_test_score"]
    )
    assert there.best_params_ == here.best_params_
    pickle.loads(pickle.dumps(there))


# --- the executor


def of_threads(objective: Any, n_folds: int, threads: int, judge: Any = None) -> FoldExecutor:
    def all_of_them(values: Any) -> Any:
        return (values,) if len(values) == n_folds else None

    return FoldExecutor(ThreadExecutor(objective, threads), n_folds, judge or all_of_them)


def test_a_trial_is_begun_as_soon_as_folds_of_the_last_one_leave_a_slot_free() -> None:
    gates = [threading.Event() for _ in range(3)]

    def fold(task: tuple[int, int]) -> int:
        assert gates[task[1]].wait(PATIENCE)
        return task[1]

    with of_threads(fold, 3, 2) as executor:
        assert executor.free_slots() == 1
        executor.submit(Submission(0, 7))
        assert executor.free_slots() == 0
        gates[0].set()
        gates[1].set()
        deadline = time.monotonic() + PATIENCE
        # The third fold runs by itself, and one thread is free.
        while not executor.free_slots() and time.monotonic() < deadline:
            executor.wait(PATIENCE)
        assert executor.free_slots() == 1
        gates[2].set()
        event = last_events(executor)[0]
    assert isinstance(event, Finished)
    assert event.value == {0: 0, 1: 1, 2: 2}


def test_a_trial_that_is_decided_waits_for_its_running_folds_and_begins_no_other() -> None:
    begun: list[int] = []
    gate, second = threading.Event(), threading.Event()

    def fold(task: tuple[int, int]) -> int:
        begun.append(task[1])
        if task[1] == 1:
            second.set()
            assert gate.wait(PATIENCE)
        assert second.wait(PATIENCE)
        return task[1]

    with of_threads(fold, 4, 2, lambda values: ("decided",) if values else None) as executor:
        executor.submit(Submission(0, 7))
        while not executor._trials[0].is_over:
            assert not any(isinstance(event, Finished) for event in executor.wait(1.0))
        gate.set()
        event = last_events(executor)[0]
        assert isinstance(event, Finished)
        assert event.value == "decided"
        assert set(begun) == {0, 1}
        assert executor.free_slots() == 1


def test_a_cancelled_trial_ends_though_none_of_its_folds_was_begun() -> None:
    gate = threading.Event()
    with of_threads(lambda task: gate.wait(PATIENCE), 2, 3) as executor:
        executor.submit(Submission(0, 7))
        executor.submit(Submission(1, 7))
        executor.cancel([0, 1])
        gate.set()
        assert {type(event) for event in last_events(executor, 2).values()} <= {
            Cancelled,
            Finished,
        }
        assert executor.free_slots() == 2


def test_a_runner_of_folds_has_the_settings_of_the_one_behind_it() -> None:
    runner = FoldRunner(SparkRunner(2, timeout=5.0), 3, 0.05)
    assert runner.asynchronous
    assert runner.limits.timeout == 5.0
    assert not FoldRunner(SerialRunner(), 3, None).asynchronous
    copy = pickle.loads(pickle.dumps(runner))
    assert (copy.n_folds, copy.level, copy.limits) == (3, 0.05, runner.limits)
