"""A search over an estimator's parameters, in scikit-learn's terms, that ``fmin`` drives."""

from __future__ import annotations

import copy
import time
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from sklearn import get_config

from sparktuner.errors import AllTrialsFailed, ObjectiveFailed
from sparktuner.execute import modules_by_value
from sparktuner.fmin import fmin
from sparktuner.sklearn import _folds
from sparktuner.sklearn._folds import Estimator, Folds, Rows, Scorer
from sparktuner.sklearn._results import Candidate, CvResults, cv_results, is_multimetric
from sparktuner.sklearn._scikit_learn import (
    BaseSearchCV,
    check_cv,
    check_method_params,
    check_random_state,
    clone,
    get_tags,
    indexable,
    is_classifier,
    tell_failed_fits,
)
from sparktuner.sklearn._trials_read import FirstError, candidates_of
from sparktuner.trials import Trials

Self = TypeVar("Self", bound="FminSearchCV")


@dataclass(frozen=True)
class _Data:
    """What one call of ``fit`` is about, once it has been checked."""

    X: Rows
    y: Rows
    fit_params: Mapping[str, Any]
    objective: Folds

    def fit(self, estimator: Estimator) -> None:
        targets = () if self.y is None else (self.y,)
        estimator.fit(self.X, *targets, **self.fit_params)


class FminSearchCV(BaseSearchCV):  # type: ignore[misc]
    """A search whose configurations come from ``fmin``, not from a list.

    scikit-learn's base class would have it evaluate lists of configurations and wait for each
    list; a search that learns while trials run has no such lists, so ``fit`` is our own.
    """

    # As scikit-learn reads them; subclasses set them in __init__.
    estimator: Estimator
    space: object
    refit: object
    cv: object
    error_score: float | str
    return_train_score: bool
    random_state: object
    verbose: int
    n_jobs: int | None = None
    pre_dispatch: int | str = "2*n_jobs"

    @abstractmethod
    def _fmin_arguments(self, objective: Folds) -> dict[str, Any]:
        """Returns what distinguishes this search's ``fmin``: space, trials, how many."""

    def fit(self: Self, X: Rows, y: Rows = None, **params: object) -> Self:
        """Searches, and fits the best configuration on all rows where ``refit`` says so.

        Args:
            X: the rows: an array, a sparse matrix, a DataFrame or a list.
            y: their targets; None for estimators that need none.
            **params: for the estimator's ``fit``, the scorer and the splitter
                (``sample_weight``, ``groups``, ...). What has an entry for each row is split
                with the rows.

        Raises:
            ValueError: an argument is out of its range, all fits failed, or the estimator
                raised it and ``error_score`` is ``"raise"``.
            TypeError: an argument is of the wrong type.
        """
        data, scorers = self._prepared(X, y, params)
        candidates = self._searched(data.objective)
        self.multimetric_ = is_multimetric(candidates)
        self.cv_results_ = cv_results(candidates, self.return_train_score)
        self.n_splits_ = len(data.objective.splits)
        # Of several scorers scikit-learn shows the dictionary, not the object around it.
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        self._choose(self.cv_results_)
        if self.refit:
            self._refit(data)
        return self

    def __sklearn_tags__(self) -> Any:
        # scikit-learn's own searches pass on some of these only, so that a regressor of several
        # targets is said to have one.
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.target_tags = copy.deepcopy(inner.target_tags)
        tags.input_tags = copy.deepcopy(inner.input_tags)
        return tags

    # --- before the search

    def _prepared(self, X: Rows, y: Rows, params: Mapping[str, object]) -> tuple[_Data, Scorer]:
        self._check_error_score()
        self._check_callbacks()
        self._check_targets(y)
        scorers, _ = self._get_scorers()
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(check_method_params(X, params=params))
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        given = routed.splitter.split
        expected = splitter.get_n_splits(X, y, **given)
        # Once for all trials: a splitter that shuffles would give each other folds.
        splits = list(splitter.split(X, y, **given))
        if len(splits) != expected or not splits:
            raise ValueError(
                f"cv must give as many folds as its get_n_splits says, and at least one: it says "
                f"{expected} and gives {len(splits)}"
            )
        objective = Folds(
            estimator=clone(self.estimator),
            names=tuple(self.estimator.get_params()),
            X=X,
            y=y,
            splits=splits,
            scorer=scorers,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            refit=self.refit,
            verbose=int(self.verbose),
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            config=get_config(),
        )
        return _Data(X, y, routed.estimator.fit, objective), scorers

    def _check_error_score(self) -> None:
        score = self.error_score
        if score != "raise" and not isinstance(score, int | float | np.number):
            raise ValueError(f"error_score must be 'raise' or a number, got {score!r}")

    def _check_callbacks(self) -> None:
        # From scikit-learn 1.9 on the base class takes them, and its own fit would call them.
        if getattr(self, "_skl_callbacks", None):
            raise ValueError(
                "set_callbacks must not be called on this search, whose fit calls none of "
                "scikit-learn's callbacks; give a sparktuner.Callback to fmin: "
                "fmin_options={'callbacks': [...]}"
            )

    def _check_targets(self, y: Rows) -> None:
        if y is None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"y must be given: {type(self.estimator).__name__} requires y to be passed, but "
                "the target y is None"
            )

    # --- the search

    def _searched(self, objective: Folds) -> list[Candidate]:
        arguments = self._fmin_arguments(objective)
        # Nodes keep what they have computed, and fit must leave the arguments as they were.
        arguments["space"] = copy.deepcopy(arguments["space"])
        first_error = FirstError(arguments.pop("early_stop_fn", None))
        callbacks = [first_error, *arguments.pop("callbacks", ())]
        trials: Trials = arguments["trials"]
        # The objective by value, so that workers need no sparktuner. Whether a trial is any good
        # is said below, in scikit-learn's words.
        with modules_by_value(_folds), suppress(AllTrialsFailed):
            fmin(
                objective,
                **arguments,
                rstate=self._seed(),
                verbose=bool(self.verbose),
                callbacks=callbacks,
                early_stop_fn=first_error.stops,
            )
        first_error.reraise()
        self.trials_ = trials
        return self._candidates(trials, arguments["space"], objective)

    def _seed(self) -> int:
        # As everywhere in scikit-learn: None draws from numpy's global state.
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _candidates(self, trials: Trials, space: object, objective: Folds) -> list[Candidate]:
        score = objective.error_score
        candidates, errors = candidates_of(
            trials.all_trials,
            space,
            objective.names,
            len(objective.splits),
            float("nan") if score == "raise" else float(score),
        )
        failed = next((each["fit_error"] for each in errors if each["fit_error"]), None)
        if score == "raise" and failed:
            raise ObjectiveFailed(failed)
        if not candidates:
            raise ValueError(
                "no configuration was tried to its end; give the search more time, or more than "
                "0 configurations to try"
            )
        tell_failed_fits(errors, score)
        return candidates

    # --- after the search

    def _choose(self, results: CvResults) -> None:
        """Sets the best configuration, where it is said what makes it so."""
        if self.multimetric_ and not self.refit:
            return
        metric = self.refit if self.multimetric_ else "score"
        self.best_index_ = self._select_best_index(self.refit, metric, results)
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]
        self.best_params_ = results["params"][self.best_index_]

    def _refit(self, data: _Data) -> None:
        # The parameters are cloned as well: some may be estimators, which are not to be fitted.
        estimator = clone(data.objective.estimator).set_params(
            **clone(self.best_params_, safe=False)
        )
        began = time.monotonic()
        data.fit(estimator)
        self.refit_time_ = time.monotonic() - began
        self.best_estimator_ = estimator
        if hasattr(estimator, "feature_names_in_"):
            self.feature_names_in_ = estimator.feature_names_in_
