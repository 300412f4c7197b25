"""``SparkSearchCV``: what scikit-learn's searches do, by sparktuner's algorithms, anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sparktuner import atpe
from sparktuner.checks import check_flag, check_mapping, check_number, check_whole, shown
from sparktuner.driver import SearchArguments
from sparktuner.sklearn._fold_executor import FoldRunner
from sparktuner.sklearn._folds import Estimator, Folds
from sparktuner.sklearn._places import Place, runner_for
from sparktuner.sklearn._search import FminSearchCV
from sparktuner.sklearn._spaces import space_of
from sparktuner.suggest import Suggest
from sparktuner.trials import Trials

# Arguments of fmin that are arguments of the search, or that it needs for itself.
_OWN = {
    *("fn", "space", "algo", "max_evals", "timeout", "rstate", "trials", "verbose"),
    *("pass_expr_memo_ctrl", "return_argmin", "catch_eval_exceptions"),
}


class SparkSearchCV(FminSearchCV):
    """A search over an estimator's parameters by cross-validation, on Spark or without it.

    To be used as scikit-learn's ``RandomizedSearchCV``, of whose kind it is: it has
    ``cv_results_``, ``best_estimator_``, ``best_params_``, ``best_score_``, ``best_index_``,
    ``scorer_``, ``n_splits_``, ``refit_time_``, ``multimetric_``, and predicts by the best
    estimator. Each configuration is one trial, the folds of which are scored one after another
    where it runs, or as tasks of their own; the next one is chosen by what is known of the
    others.

    Attributes:
        trials_: the :class:`sparktuner.Trials` of the search.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from sparktuner import hp
        >>> from sparktuner.sklearn import SparkSearchCV
        >>> X, y = load_iris(return_X_y=True)
        >>> space = {"C": hp.loguniform("C", -5, 5), "kernel": ["linear", "rbf"]}
        >>> search = SparkSearchCV(SVC(), space, n_iter=10, runner="serial", random_state=0)
        >>> float(search.fit(X, y).best_score_) > 0.95
        True
        >>> sorted(search.best_params_)
        ['C', 'kernel']
    """

    def __init__(
        self,
        estimator: Estimator,
        space: object,
        *,
        n_iter: int = 50,
        cv: object = 5,
        scoring: object = None,
        refit: object = True,
        parallelism: int | None = None,
        fan_out: str = "trials",
        drop_level: float | None = 0.05,
        algo: Suggest = atpe.suggest,
        store: object = None,
        exp_key: str | None = None,
        random_state: object = None,
        runner: Place = None,
        timeout: float | None = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        verbose: int = 0,
        fmin_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Keeps the arguments as they are; ``fit`` checks them.

        Args:
            estimator: what to tune; it is cloned, never fitted itself.
            space: a dictionary from parameters of the estimator (``"svc__C"`` of a step of a
                pipeline) to nodes of ``hp``; or scikit-learn's ``param_distributions``: lists
                and scipy's distributions, one dictionary or a list of them. What else is
                there is a constant.
            n_iter: how many configurations to try; those that ``store`` has already count.
            cv: as in scikit-learn. The folds are made once, so all configurations have the
                same ones.
            scoring: as in scikit-learn. Of several metrics the one that ``refit`` names is
                searched by, else the first.
            refit: as in scikit-learn.
            parallelism: how many configurations at a time; see ``runner``.
            fan_out: ``"trials"`` makes a task of each configuration, ``"folds"`` of each of its
                folds, and begins no further fold of a configuration that cannot win any more.
            drop_level: for ``fan_out="folds"``, how probable it may be that folds of the best
                configuration are left out; None leaves out none.
            algo: as in :func:`sparktuner.fmin`.
            store: as in :class:`sparktuner.Trials`; a URL, where the search is to be cloned.
            exp_key: as in :class:`sparktuner.Trials`.
            random_state: an int, a ``RandomState``, or None for numpy's global state.
            runner: ``"serial"``, ``"threads"`` (``parallelism`` of them, or one for each CPU),
                ``"spark"`` (the active session, or a new one), or a runner as
                :class:`sparktuner.Trials` takes it. None is Spark where there is a session
                already, else threads where ``parallelism`` is above 1, else serial.
            timeout: seconds after which no configuration is started.
            error_score: the score of a fit that fails; ``"raise"`` ends the search with what
                the estimator raised.
            return_train_score: whether to score on the rows of the fit too.
            verbose: 1 shows the progress; from 2 on each fit is printed where it runs.
            fmin_options: further arguments of :func:`sparktuner.fmin` by name, such as
                ``{"early_stop_fn": no_progress_loss(20), "reproducible": True}``.
        """
        self.estimator = estimator
        self.space = space
        self.n_iter = n_iter
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.parallelism = parallelism
        self.fan_out = fan_out
        self.drop_level = drop_level
        self.algo = algo
        self.store = store
        self.exp_key = exp_key
        self.random_state = random_state
        self.runner = runner
        self.timeout = timeout
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.verbose = verbose
        self.fmin_options = fmin_options

    def _fmin_arguments(self, objective: Folds) -> dict[str, Any]:
        check_whole("n_iter", self.n_iter, least=1)
        check_flag("return_train_score", self.return_train_score)
        runner = runner_for(self.runner, self.parallelism)
        if self._has_tasks_of_folds():
            runner = FoldRunner(runner, len(objective.splits), self._level())
        return {
            **self._further_options(),
            "space": space_of(self.space),
            "algo": self.algo,
            "max_evals": self.n_iter,
            "timeout": self.timeout,
            "trials": Trials(self.exp_key, store=self.store, runner=runner),  # type: ignore[arg-type]
        }

    def _has_tasks_of_folds(self) -> bool:
        if self.fan_out not in ("trials", "folds"):
            raise ValueError(f"fan_out must be 'trials' or 'folds', got {shown(self.fan_out)}")
        return self.fan_out == "folds"

    def _level(self) -> float | None:
        """The probability to drop the best one; None where it is not known which one wins."""
        if self.drop_level is not None:
            check_number("drop_level", self.drop_level, above=0.0, most=0.5)
        if callable(self.refit):
            return None
        # Without a refit there are several winners, of a metric each.
        several = isinstance(self.scoring, list | tuple | set | dict) or callable(self.scoring)
        return None if several and self.refit is False else self.drop_level

    def _further_options(self) -> dict[str, Any]:
        if self.fmin_options is None:
            return {}
        check_mapping("fmin_options", self.fmin_options, "{'reproducible': True}")
        known = {*SearchArguments.__dataclass_fields__} - _OWN
        for name in self.fmin_options:
            if name not in known:
                raise ValueError(
                    f"fmin_options must have names out of {sorted(known)}, got {shown(name)}; the "
                    "other arguments of fmin are arguments of the search itself"
                )
        return dict(self.fmin_options)
