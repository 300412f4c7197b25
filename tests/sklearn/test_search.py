"""What users of scikit-learn's searches rely on, without Spark."""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

import pandas
import scipy.sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.datasets import load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    BaseCrossValidator,
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sparktuner import hp, rand
from sparktuner.errors import BadSearchSpace, ObjectiveFailed
from sparktuner.execute import SerialRunner
from sparktuner.records import MemoryStore
from sparktuner.sklearn import HyperoptSearchCV, SparkSearchCV, _places
from sparktuner.sklearn._places import runner_for

X, Y = load_iris(return_X_y=True)
C = {"C": hp.loguniform("C", -5, 5)}
# Here, though another test has left a Spark session behind.
FEW: dict[str, Any] = {"n_iter": 4, "cv": 3, "random_state": 0, "runner": "serial"}


def searched(estimator: Any, space: object, **options: Any) -> SparkSearchCV:
    return SparkSearchCV(estimator, space, **{**FEW, **options}).fit(X, Y)


class Threshold(ClassifierMixin, BaseEstimator):
    """A classifier whose answers are given by its parameters alone."""

    def __init__(self, answer: int = 0, fails: bool = False) -> None:
        self.answer = answer
        self.fails = fails

    def fit(self, rows: Any, targets: Any, sample_weight: Any = None) -> Threshold:
        if self.fails:
            raise RuntimeError("this one cannot be fitted")
        self.classes_ = np.unique(targets)
        self.n_features_in_ = np.shape(rows)[1]
        self.weight_ = None if sample_weight is None else float(np.sum(sample_weight))
        return self

    def predict(self, rows: Any) -> Any:
        return np.full(np.shape(rows)[0], self.answer)


@pytest.fixture(params=["serial", "threads"])
def place(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"runner": request.param, "parallelism": None if request.param == "serial" else 2}


# --- results


def test_cv_results_has_the_columns_of_scikit_learns_searches(place: dict[str, Any]) -> None:
    options = {"return_train_score": True, "cv": 3}
    theirs = GridSearchCV(SVC(), {"C": [0.1, 1.0], "kernel": ["linear"]}, **options).fit(X, Y)
    ours = searched(SVC(), {"C": [0.1, 1.0], "kernel": ["linear"]}, **options, **place)
    assert set(ours.cv_results_) == set(theirs.cv_results_)
    for name, column in theirs.cv_results_.items():
        mine = ours.cv_results_[name]
        assert type(mine) is type(column), name
        if isinstance(column, np.ndarray):
            assert mine.dtype == column.dtype, name


def test_the_numbers_of_a_configuration_are_those_of_scikit_learn(place: dict[str, Any]) -> None:
    grid = {"C": [0.1, 1.0, 10.0]}
    theirs = GridSearchCV(SVC(), grid, cv=3, return_train_score=True).fit(X, Y)
    ours = searched(SVC(), grid, return_train_score=True, **{**place, "n_iter": 3})
    by_c = {params["C"]: i for i, params in enumerate(theirs.cv_results_["params"])}
    order = [by_c[params["C"]] for params in ours.cv_results_["params"]]
    assert sorted(order) == [0, 1, 2]
    for name in ("split0_test_score", "mean_test_score", "std_test_score", "mean_train_score"):
        np.testing.assert_allclose(ours.cv_results_[name], theirs.cv_results_[name][order])
    assert list(ours.cv_results_["rank_test_score"]) == [
        theirs.cv_results_["rank_test_score"][i] for i in order
    ]


def test_the_best_configuration_is_in_values_and_refitted_on_all_rows(
    place: dict[str, Any],
) -> None:
    search = searched(SVC(), C | {"kernel": hp.choice("k", ["linear", "rbf"])}, **place)
    assert search.best_params_["kernel"] in ("linear", "rbf")
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
    assert search.cv_results_["rank_test_score"][search.best_index_] == 1
    again = cross_val_score(clone(SVC()).set_params(**search.best_params_), X, Y, cv=3)
    assert search.best_score_ == pytest.approx(again.mean())
    direct = SVC(**search.best_params_).fit(X, Y)
    assert list(search.predict(X)) == list(direct.predict(X))
    assert search.score(X, Y) == direct.score(X, Y)
    assert search.refit_time_ >= 0
    assert search.n_splits_ == 3
    assert not search.multimetric_
    assert search.n_features_in_ == 4
    assert list(search.classes_) == [0, 1, 2]


def test_a_parameter_that_a_configuration_does_not_have_is_masked() -> None:
    space = {
        "model": hp.choice(
            "model",
            [
                {"kernel": "linear"},
                {"kernel": "poly", "degree": hp.randint("degree", 2, 4)},
            ],
        )
    }
    search = searched(SVC(), space, n_iter=12, algo=rand.suggest)
    kernels = search.cv_results_["param_kernel"]
    degrees = search.cv_results_["param_degree"]
    assert set(kernels) == {"linear", "poly"}
    assert list(degrees.mask) == [kernel == "linear" for kernel in kernels]
    assert set(degrees.compressed()) <= {2, 3}
    assert "param_model" not in search.cv_results_


def test_equal_means_share_a_rank_and_failures_come_last() -> None:
    # Without a failed fit: one would be a warning, which is tried below.
    search = searched(
        Threshold(), {"answer": [0, 7]}, n_iter=8, algo=rand.suggest, scoring="accuracy"
    )
    answers = search.cv_results_["param_answer"]
    ranks = search.cv_results_["rank_test_score"]
    right = list(answers).count(0)
    assert 0 < right < 8
    assert [1 if answer == 0 else right + 1 for answer in answers] == list(ranks)


# --- several metrics


def test_of_several_metrics_the_one_that_refit_names_decides(place: dict[str, Any]) -> None:
    scoring = {"acc": "accuracy", "loss": "neg_log_loss"}
    search = searched(
        DecisionTreeClassifier(random_state=0),
        {"min_samples_leaf": [5, 10, 20]},
        scoring=scoring,
        refit="loss",
        return_train_score=True,
        **place,
    )
    results = search.cv_results_
    assert search.multimetric_
    assert set(search.scorer_) == {"acc", "loss"}
    assert search.best_index_ == int(np.argmax(results["mean_test_loss"]))
    assert search.best_score_ == results["mean_test_loss"].max()
    assert {"mean_test_acc", "std_train_loss", "rank_test_acc", "split2_test_loss"} <= set(results)
    assert "mean_test_score" not in results
    assert search.score(X, Y) < 0
    losses = [trial["result"]["loss"] for trial in search.trials_.trials]
    np.testing.assert_allclose(losses, -results["mean_test_loss"])


def test_a_function_may_choose_the_best_configuration() -> None:
    def slowest(results: dict[str, Any]) -> int:
        return int(np.argmax(results["mean_fit_time"]))

    search = searched(SVC(), C, refit=slowest)
    assert search.best_index_ == int(np.argmax(search.cv_results_["mean_fit_time"]))
    assert not hasattr(search, "best_score_")
    assert search.predict(X[:1]).shape == (1,)


@pytest.mark.parametrize("refit", [True, "f1"])
def test_several_metrics_need_the_name_of_one(refit: object) -> None:
    with pytest.raises(ValueError, match="refit"):
        searched(SVC(), C, scoring=["accuracy", "f1_macro"], refit=refit)

    def both(estimator: Any, rows: Any, targets: Any) -> dict[str, float]:
        return {"a": 1.0, "b": 0.5}

    with pytest.raises(ValueError, match=r"refit must be the name of one .*'a', 'b'"):
        searched(SVC(), C, scoring=both, refit=refit)


def test_scoring_may_be_a_function_that_gives_several_scores(place: dict[str, Any]) -> None:
    def both(estimator: Any, rows: Any, targets: Any) -> dict[str, float]:
        right = float(np.mean(estimator.predict(rows) == targets))
        return {"right": right, "wrong": -right}

    search = searched(SVC(), C, scoring=both, refit="right", **place)
    assert search.multimetric_
    np.testing.assert_allclose(
        search.cv_results_["mean_test_right"], -search.cv_results_["mean_test_wrong"]
    )
    assert search.score(X, Y) > 0.5


def test_without_a_refit_there_is_nothing_to_predict_by() -> None:
    search = searched(SVC(), C, refit=False)
    assert search.best_params_["C"] > 0
    assert not hasattr(search, "best_estimator_")
    assert not hasattr(search, "predict")
    several = searched(SVC(), C, refit=False, scoring=["accuracy", "f1_macro"])
    assert not hasattr(several, "best_params_")
    assert {"rank_test_accuracy", "rank_test_f1_macro"} <= set(several.cv_results_)


# --- what is handed to fit


def test_groups_reach_the_splitter() -> None:
    groups = np.arange(len(Y)) % 5
    search = SparkSearchCV(SVC(), C, **{**FEW, "cv": LeaveOneGroupOut()})
    assert search.fit(X, Y, groups=groups).n_splits_ == 5
    with pytest.raises(ValueError, match="groups"):
        SparkSearchCV(SVC(), C, **{**FEW, "cv": GroupKFold(3)}).fit(X, Y)


def test_weights_are_split_with_the_rows(place: dict[str, Any]) -> None:
    weights = np.zeros(len(Y))
    weights[Y == 1] = 1.0
    search = SparkSearchCV(Threshold(), {"answer": [0, 1]}, **{**FEW, **place, "n_iter": 6})
    search.fit(X, Y, sample_weight=weights)
    assert search.best_estimator_.weight_ == 50.0
    if hasattr(BaseSearchCV, "_check_scorers_accept_sample_weight"):
        # From scikit-learn 1.7 on the scorer gets them too: only rows of class 1 count.
        assert search.best_params_ == {"answer": 1}
        assert search.best_score_ == 1.0


def test_metadata_are_routed_where_scikit_learn_is_told_to(place: dict[str, Any]) -> None:
    from sklearn import config_context

    seen: list[float] = []

    def weighed(targets: Any, predicted: Any, sample_weight: Any = None) -> float:
        seen.append(-1.0 if sample_weight is None else float(np.sum(sample_weight)))
        return float(accuracy_score(targets, predicted, sample_weight=sample_weight))

    groups = np.arange(len(Y)) % 3
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(weighed).set_score_request(sample_weight=True)
        estimator = Threshold().set_fit_request(sample_weight=False)
        options = {**FEW, "cv": GroupKFold(3), **place}
        search = SparkSearchCV(estimator, {"answer": [0, 1]}, scoring=scorer, **options)
        search.fit(X, Y, sample_weight=np.full(len(Y), 2.0), groups=groups)
        assert search.best_estimator_.weight_ is None
        assert set(seen) == {100.0}


ROWS = {
    "DataFrame": pandas.DataFrame(X, columns=["a", "b", "c", "d"]),
    "sparse matrix": scipy.sparse.csr_matrix(X),
    "lists": X.tolist(),
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_may_be_of_any_kind_that_can_be_indexed(rows: Any) -> None:
    targets = pandas.Series(Y) if isinstance(rows, pandas.DataFrame) else Y.tolist()
    search = SparkSearchCV(SVC(), C, **FEW).fit(rows, targets)
    assert list(search.predict(rows)) == list(searched(SVC(), C).predict(X))
    if isinstance(rows, pandas.DataFrame):
        assert list(search.feature_names_in_) == ["a", "b", "c", "d"]


def test_estimators_without_targets_can_be_tuned() -> None:
    search = SparkSearchCV(PCA(), {"n_components": hp.randint("n", 1, 4)}, **FEW).fit(X)
    assert search.transform(X).shape[1] == search.best_params_["n_components"]
    with pytest.raises(ValueError, match="y must be given"):
        SparkSearchCV(SVC(), C, **FEW).fit(X)


# --- folds


def test_all_configurations_have_the_same_folds() -> None:
    same = {"answer": 1}
    shuffled = searched(Threshold(), same | C_UNUSED, cv=ShuffleSplit(4), scoring="accuracy")
    for i in range(4):
        assert len(set(shuffled.cv_results_[f"split{i}_test_score"])) == 1

    generated = KFold(3, shuffle=True).split(X, Y)
    search = searched(Threshold(), same | C_UNUSED, cv=generated, scoring="accuracy")
    assert search.n_splits_ == 3
    for i in range(3):
        assert len(set(search.cv_results_[f"split{i}_test_score"])) == 1


# A parameter that changes nothing.
C_UNUSED = {"fails": [False]}


def test_a_splitter_that_miscounts_is_refused() -> None:
    class Miscounts(BaseCrossValidator):
        def split(self, rows: Any, targets: Any = None, groups: Any = None) -> Any:
            yield np.arange(100), np.arange(100, 150)

        def get_n_splits(self, rows: Any = None, targets: Any = None, groups: Any = None) -> int:
            return 2

    with pytest.raises(ValueError, match="cv must give as many folds .* says 2 and gives 1"):
        searched(SVC(), C, cv=Miscounts())


# --- estimators in parts


def test_steps_of_a_pipeline_are_tuned_and_exchanged(place: dict[str, Any]) -> None:
    svc = SVC()
    piped = Pipeline([("select", SelectKBest(k=2)), ("model", svc)])
    space = {
        "select__k": hp.randint("k", 1, 5),
        "which": hp.choice(
            "which",
            [
                {"model": svc, "model__C": hp.loguniform("C", -3, 3)},
                {
                    "model": DecisionTreeClassifier(random_state=0),
                    "model__max_depth": hp.randint("depth", 1, 5),
                },
            ],
        ),
    }
    search = searched(piped, space, n_iter=10, algo=rand.suggest, **place)
    kinds = {type(model).__name__ for model in search.cv_results_["param_model"]}
    assert kinds == {"SVC", "DecisionTreeClassifier"}
    masks = search.cv_results_["param_model__C"].mask ^ (
        search.cv_results_["param_model__max_depth"].mask
    )
    assert masks.all()
    assert search.best_score_ > 0.8
    # What the user handed over was cloned, never fitted.
    with pytest.raises(NotFittedError):
        svc.predict(X)
    assert not hasattr(search.best_params_["model"], "n_features_in_")


def test_a_search_is_of_scikit_learns_kind_and_of_its_estimators() -> None:
    search = SparkSearchCV(SVC(), C)
    assert isinstance(search, BaseSearchCV)
    assert is_classifier(search)
    assert not is_classifier(SparkSearchCV(Ridge(), {"alpha": [1.0]}))
    assert hasattr(search, "decision_function")
    assert not hasattr(search, "transform")
    assert search.get_params()["estimator__C"] == 1.0
    assert search.set_params(estimator__C=2.0).estimator.C == 2.0
    with pytest.raises(NotFittedError):
        search.predict(X)
    assert "SparkSearchCV" in repr(search)
    assert "SVC" in search._repr_html_()


def test_a_search_is_a_part_of_others() -> None:
    rows, targets = make_classification(80, random_state=0)
    inner = SparkSearchCV(LogisticRegression(), C, **{**FEW, "n_iter": 2, "cv": 2})
    assert cross_val_score(inner, rows, targets, cv=2).shape == (2,)
    outer = Pipeline([("select", SelectKBest()), ("search", inner)]).fit(rows, targets)
    assert outer.score(rows, targets) > 0.5


@pytest.mark.parametrize("kind", [SparkSearchCV, HyperoptSearchCV])
def test_a_search_can_be_cloned_and_pickled_before_and_after_it_is_fitted(
    kind: Callable[..., Any],
) -> None:
    search = kind(SVC(), C, **({"n_iter": 3} if kind is SparkSearchCV else {"max_evals": 3}))
    search.set_params(random_state=0, **({"runner": "serial"} if kind is SparkSearchCV else {}))
    for copied in (clone(search), pickle.loads(pickle.dumps(search))):
        copied.fit(X, Y)
        again = pickle.loads(pickle.dumps(copied))
        assert list(again.predict(X)) == list(copied.predict(X))
        assert again.best_params_ == copied.best_params_
        assert len(again.trials_) == 3
        assert not hasattr(clone(copied), "cv_results_")
    assert not hasattr(search, "cv_results_")


# --- failures


def test_a_fit_that_fails_has_the_error_score(place: dict[str, Any]) -> None:
    space = {"answer": [0, 1], "fails": [False, True]}
    options = {"n_iter": 12, "algo": rand.suggest, "scoring": "accuracy", **place}
    with pytest.warns(FitFailedWarning, match="this one cannot be fitted"):
        search = searched(Threshold(), space, error_score=-1.0, **options)
    failed = search.cv_results_["param_fails"].astype(bool)
    assert 0 < failed.sum() < 12
    assert set(search.cv_results_["mean_test_score"][failed]) == {-1.0}
    assert not search.best_params_["fails"]

    with pytest.warns(UserWarning, match="not finite"):
        search = searched(Threshold(), space, **options)
    assert np.isnan(search.cv_results_["mean_test_score"][failed]).all()
    worst = search.cv_results_["rank_test_score"].max()
    assert set(search.cv_results_["rank_test_score"][failed]) == {worst}
    assert not search.best_params_["fails"]


def test_where_all_fits_fail_the_search_does_too(place: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="All the 12 fits failed"):
        searched(Threshold(), {"fails": [True]}, **place)


def test_an_error_may_end_the_search_as_it_was_raised(place: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="cannot be fitted") as caught:
        searched(Threshold(), {"fails": [True]}, error_score="raise", n_iter=500, **place)
    assert "in fit" in str(caught.value.__cause__)


def test_a_parameter_that_the_estimator_does_not_have_ends_the_search() -> None:
    with pytest.raises(ValueError, match="Invalid parameter 'gama'"):
        searched(SVC(), {"gama": [1.0]})


def test_several_metrics_of_a_failed_fit_have_the_error_score() -> None:
    def both(estimator: Any, rows: Any, targets: Any) -> dict[str, float]:
        return {"a": 1.0, "b": 2.0}

    with pytest.warns(FitFailedWarning):
        search = searched(
            Threshold(),
            {"fails": [False, True]},
            n_iter=10,
            algo=rand.suggest,
            scoring=both,
            refit="b",
            error_score=0.0,
        )
    failed = search.cv_results_["param_fails"].astype(bool)
    assert set(search.cv_results_["mean_test_a"][failed]) == {0.0}
    assert set(search.cv_results_["mean_test_b"][~failed]) == {2.0}


# --- the search itself


def test_the_same_seed_gives_the_same_search() -> None:
    first, second = searched(SVC(), C), searched(SVC(), C)
    other = searched(SVC(), C, random_state=1)
    assert first.cv_results_["params"] == second.cv_results_["params"]
    assert first.cv_results_["params"] != other.cv_results_["params"]


def test_a_second_fit_begins_anew_and_a_store_goes_on() -> None:
    search = searched(SVC(), C)
    assert len(search.fit(X, Y).trials_) == 4
    store = MemoryStore()
    assert len(searched(SVC(), C, store=store).trials_) == 4
    gone_on = searched(SVC(), C, store=store, n_iter=6)
    assert len(gone_on.cv_results_["params"]) == 6


def test_trials_of_other_folds_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    searched(SVC(), C, store=store)
    search = searched(SVC(), C, store=store, n_iter=6, cv=2)
    assert len(search.cv_results_["params"]) == 2
    assert "4 of the trials do not have the scores of 2 folds" in caplog.text


def test_options_of_fmin_are_passed_on() -> None:
    def three(trials: Any, n: int = 0) -> tuple[bool, list[int]]:
        return n + 1 >= 3, [n + 1]

    search = searched(SVC(), C, n_iter=50, fmin_options={"early_stop_fn": three})
    assert len(search.cv_results_["params"]) == 3
    points = [{"C": 1.5}, {"C": 2.5}]
    search = searched(SVC(), C, fmin_options={"points_to_evaluate": points})
    assert search.cv_results_["params"][:2] == points


def test_hyperopts_search_goes_on_where_it_is_told_to() -> None:
    search = HyperoptSearchCV(SVC(), C, 3, warm_start=True, cv=3, random_state=0).fit(X, Y)
    before = search.cv_results_["params"]
    after = search.set_params(max_evals=5).fit(X, Y).cv_results_["params"]
    assert (len(before), len(after)) == (3, 5)
    assert after[:3] == before
    assert len(search.set_params(warm_start=False).fit(X, Y).cv_results_["params"]) == 5


WRONG = {
    "n_iter": (0, "2"),
    "runner": ("yarn", 3),
    "parallelism": (0, "2"),
    "fan_out": ("fold", None),
    "fmin_options": ({"max_evals": 3}, [1]),
    "error_score": ("rise", None),
    "algo": (rand, 3),
    "timeout": (-1, "1"),
    "return_train_score": ("yes",),
    "store": (3,),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_argument_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises((ValueError, TypeError), match=name):
        searched(SVC(), C, **{name: value})


@pytest.mark.parametrize("space", [3, None, [], "annotated", {3: [1]}, {"C": []}])
def test_what_is_no_space_is_refused(space: object) -> None:
    with pytest.raises(BadSearchSpace, match="space"):
        searched(SVC(), space)


def test_no_jvm_is_started_that_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def kind_of(parallelism: int | None) -> str:
        return type(runner_for(None, parallelism)).__name__

    monkeypatch.setattr(_places, "has_session", lambda: False)
    assert [kind_of(n) for n in (None, 1, 4)] == ["SerialRunner", "SerialRunner", "ThreadRunner"]
    monkeypatch.setattr(_places, "has_session", lambda: True)
    assert [kind_of(n) for n in (None, 1, 4)] == ["SparkRunner"] * 3
    with pytest.raises(ValueError, match="parallelism must be 1 or None where runner is 'serial'"):
        runner_for("serial", 2)
    with pytest.raises(ValueError, match="parallelism must be None where runner is an object"):
        runner_for(SerialRunner(), 2)


class Dies(Threshold):
    """Ends what runs it, as a crash does, where it ``fails``; takes its time."""

    def fit(self, rows: Any, targets: Any, sample_weight: Any = None) -> Threshold:
        if self.fails:
            sys.exit(3)
        time.sleep(0.02)
        return super().fit(rows, targets)


def test_a_trial_whose_worker_died_is_a_row_of_failed_fits() -> None:
    space = {"answer": [0, 1], "fails": [False, True]}
    threads = {"runner": "threads", "parallelism": 1, "algo": rand.suggest, "n_iter": 8}
    with pytest.warns(FitFailedWarning, match="SystemExit"):
        search = searched(Dies(), space, error_score=-1.0, return_train_score=True, **threads)
    died = search.cv_results_["param_fails"].astype(bool)
    assert 0 < died.sum() < 8
    assert set(search.cv_results_["mean_test_score"][died]) == {-1.0}
    assert np.isnan(search.cv_results_["mean_fit_time"][died]).all()
    assert np.isfinite(search.cv_results_["mean_fit_time"][~died]).all()
    with pytest.raises(ObjectiveFailed, match="SystemExit"):
        searched(Dies(), space, error_score="raise", **threads)


def test_when_the_time_is_over_what_was_tried_counts() -> None:
    space = {"answer": hp.randint("answer", 0, 1000)}
    search = searched(Dies(), space, n_iter=10_000, timeout=1.0, algo=rand.suggest)
    assert 1 <= len(search.cv_results_["params"]) < 10_000
    assert len(search.trials_) >= len(search.cv_results_["params"])


@pytest.mark.skipif(not hasattr(BaseSearchCV, "set_callbacks"), reason="scikit-learn before 1.9")
def test_callbacks_of_scikit_learn_are_refused_not_forgotten() -> None:
    from sklearn.callback import ScoringMonitor

    search = SparkSearchCV(SVC(), C, **FEW).set_callbacks(ScoringMonitor(scoring="accuracy"))
    with pytest.raises(ValueError, match=r"set_callbacks .*fmin_options"):
        search.fit(X, Y)
