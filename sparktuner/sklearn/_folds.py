"""The objective of a search over estimators: a configuration, scored fold by fold.

It travels to the workers by value, so nothing here may import the rest of sparktuner.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection._validation import _fit_and_score
from sklearn.utils.parallel import Parallel, delayed

# Of one fold: a number, or one for each metric.
Scores: TypeAlias = float | dict[str, float]
# Whatever of scikit-learn's estimators, of which nothing but its interface is known.
Estimator: TypeAlias = Any
Scorer: TypeAlias = Callable[..., Any]
# Indices of the rows to fit on and of those to score on.
Split: TypeAlias = tuple[Any, Any]
# Arrays, tables, sparse matrices or lists: what can be indexed by rows.
Rows: TypeAlias = Any


def parameters_of(configuration: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Returns the parameters of an estimator that a configuration sets.

    Args:
        configuration: what the space evaluates to. A dictionary in it under a name that is no
            parameter is a group, whose entries count as if they stood outside: the option of a
            choice, for instance.
        names: the estimator's own parameters.
    """
    found: dict[str, Any] = {}
    for name, value in configuration.items():
        if isinstance(value, dict) and name not in names and "__" not in name:
            found.update(parameters_of(value, names))
        else:
            found[name] = value
    return found


@dataclass(frozen=True, eq=False)
class Folds:
    """Scores an estimator with some parameters on every fold, by scikit-learn's own function.

    Attributes:
        estimator: not fitted; cloned for each fold.
        names: of its parameters.
        X: the rows.
        y: their targets, or None.
        splits: the folds, the same for all configurations.
        scorer: one of scikit-learn's, or the user's function.
        fit_params: further arguments of ``fit``, for all rows.
        score_params: further arguments of the scorer, for all rows.
        error_score: the score of a fit that fails, or ``"raise"``.
        return_train_score: whether to score on the rows of the fit too.
        refit: which metric decides, where there are several: its name.
        verbose: from 2 on each fit is printed where it runs.
        n_jobs: how many folds are fitted side by side, by joblib.
        pre_dispatch: how many of them joblib is handed at a time.
        config: scikit-learn's, which belongs to a thread.
    """

    estimator: Estimator
    names: Sequence[str]
    X: Rows
    y: Rows
    splits: Sequence[Split]
    scorer: Scorer
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    error_score: float | str
    return_train_score: bool
    refit: object
    verbose: int
    n_jobs: int | None
    pre_dispatch: int | str
    config: Mapping[str, Any]

    def __call__(self, task: Mapping[str, Any] | tuple[Mapping[str, Any], int]) -> dict[str, Any]:
        """Returns the result of a trial: its loss, and the scores and seconds of each fold.

        Args:
            task: a configuration, or one and the number of the only fold to score it on.
        """
        if isinstance(task, tuple):
            configuration, fold = task
            return self.result_of(configuration, [self.splits[fold]])
        return self.result_of(task, self.splits)

    def result_of(
        self, configuration: Mapping[str, Any], splits: Sequence[Split]
    ) -> dict[str, Any]:
        """Returns the result on some of the folds.

        What scikit-learn does not take for a score raises; the caller of ``fit`` gets that, so
        it is part of the result instead of ending the trial on a worker.
        """
        try:
            scored = self._scored(parameters_of(configuration, self.names), splits)
            tests = [each["test_scores"] for each in scored]
            decisive = [decisive_score(scores, self.refit) for scores in tests]
        except Exception as error:  # the user's estimator, scorer and parameters
            return _raised(error)
        result: dict[str, Any] = {
            "status": "ok",
            "loss": -float(np.mean(decisive)),
            "loss_variance": float(np.var(decisive)) / len(decisive),
            "test_scores": tests,
            "fit_times": [float(each["fit_time"]) for each in scored],
            "score_times": [float(each["score_time"]) for each in scored],
            "fit_errors": [each["fit_error"] for each in scored],
        }
        if self.return_train_score:
            result["train_scores"] = [each["train_scores"] for each in scored]
        return result

    def _scored(
        self, parameters: Mapping[str, Any], splits: Sequence[Split]
    ) -> list[dict[str, Any]]:
        with config_context(**self.config):
            parallel = Parallel(n_jobs=self.n_jobs, pre_dispatch=self.pre_dispatch)
            scored: list[dict[str, Any]] = parallel(
                delayed(_fit_and_score)(
                    clone(self.estimator),
                    self.X,
                    self.y,
                    scorer=self.scorer,
                    train=train,
                    test=test,
                    verbose=self.verbose,
                    parameters=parameters,
                    fit_params=self.fit_params,
                    score_params=self.score_params,
                    return_train_score=self.return_train_score,
                    return_times=True,
                    error_score=self.error_score,
                )
                for train, test in splits
            )
            return scored


def decisive_score(scores: Scores, refit: object) -> float:
    """Returns the one of a fold's scores that a search maximises.

    Args:
        scores: of one fold.
        refit: the metric's name. Where it names none, because another rule chooses the best
            configuration or none does, the first metric is searched by.

    Raises:
        ValueError: there are several metrics, and ``refit`` is the name of none.
    """
    if not isinstance(scores, dict):
        return float(scores)
    if refit is False or callable(refit):
        return float(next(iter(scores.values())))
    if not isinstance(refit, str) or refit not in scores:
        raise ValueError(
            f"refit must be the name of one of the metrics, {list(scores)}, a function, or "
            f"False, because scoring gives several scores; got {refit!r}"
        )
    return float(scores[refit])


def _raised(error: Exception) -> dict[str, Any]:
    try:
        packed = pickle.dumps(error)
    except Exception:  # whatever its __reduce__ raises; the text is kept anyway
        packed = b""
    return {
        "status": "fail",
        "failure": "".join(traceback.format_exception_only(error)).strip(),
        "traceback": "".join(traceback.format_exception(error)),
        "raised": packed,
    }
