"""``HyperoptSearchCV``: Hyperopt's own estimator, by its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktuner.checks import check_flag, check_has, check_whole
from sparktuner.sklearn._folds import Estimator, Folds
from sparktuner.sklearn._search import FminSearchCV
from sparktuner.suggest import Suggest
from sparktuner.trials import Trials


class HyperoptSearchCV(FminSearchCV):
    """A search with the arguments of Hyperopt's estimator; prefer :class:`SparkSearchCV`.

    Where configurations are tried is said by ``trials``: ``SparkTrials()`` tries them on Spark.

    Attributes:
        trials_: the trials of the search: ``trials`` itself, where it was given.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sparktuner import hp
        >>> from sparktuner.sklearn import HyperoptSearchCV
        >>> X, y = load_iris(return_X_y=True)
        >>> space = {"C": hp.loguniform("C", -5, 5)}
        >>> search = HyperoptSearchCV(LogisticRegression(), space, 5, random_state=0, cv=3)
        >>> search.fit(X[:, :2], y).best_params_["C"] > 0
        True
    """

    def __init__(
        self,
        estimator: Estimator,
        space: object,
        max_evals: int,
        trials: Trials | None = None,
        algo: Suggest | None = None,
        warm_start: bool = False,
        scoring: object = None,
        n_jobs: int | None = None,
        refit: object = True,
        cv: object = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: object = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
    ) -> None:
        """Keeps the arguments as they are; ``fit`` checks them.

        Args:
            estimator: what to tune; it is cloned, never fitted itself.
            space: nodes of ``hp`` that become a dictionary of the estimator's parameters. Lists
                in it are lists, as in Hyperopt.
            max_evals: how many configurations to try, with those that the trials hold already.
            trials: where they are tried and kept; None is new trials in this process.
            algo: as in :func:`sparktuner.fmin`; None is ``atpe.suggest``.
            warm_start: whether a further ``fit`` goes on with the trials of the one before.
            scoring: as in scikit-learn.
            n_jobs: how many folds of a configuration are fitted at a time, by joblib.
            refit: as in scikit-learn.
            cv: as in scikit-learn.
            verbose: 1 shows the progress; from 2 on each fit is printed where it runs.
            pre_dispatch: as in scikit-learn.
            random_state: an int, a ``RandomState``, or None for numpy's global state.
            error_score: as in scikit-learn.
            return_train_score: as in scikit-learn.
        """
        self.estimator = estimator
        self.space = space
        self.max_evals = max_evals
        self.trials = trials
        self.algo = algo
        self.warm_start = warm_start
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.pre_dispatch = pre_dispatch
        self.random_state = random_state
        self.error_score = error_score
        self.return_train_score = return_train_score

    def _fmin_arguments(self, objective: Folds) -> dict[str, Any]:
        check_whole("max_evals", self.max_evals, least=1)
        check_flag("warm_start", self.warm_start)
        trials = self.trials
        if trials is not None:
            check_has("trials", trials, ("fmin", "all_trials"), "a Trials object, or None")
        elif self.warm_start and hasattr(self, "trials_"):
            trials = self.trials_
        return {
            "space": self.space,
            "algo": self.algo,
            "max_evals": self.max_evals,
            "trials": Trials() if trials is None else trials,
        }
