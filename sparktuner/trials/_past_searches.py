"""Past searches, of other tools too, as trials that a search goes on from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sparktuner.checks import check_text, shown
from sparktuner.history import (
    PastTrial,
    SpaceFit,
    attachments_of_hyperopt,
    documents_of,
    documents_of_hyperopt,
    trials_of_frame,
    trials_of_study,
)
from sparktuner.mlflow import trials_of_experiment
from sparktuner.records import SPACE_PREFIX, TrialDocument
from sparktuner.trials._trials import Trials

if TYPE_CHECKING:
    from optuna import Study
    from pandas import DataFrame


def from_pandas(
    df: DataFrame, space: object, loss: str = "loss", into: Trials | None = None
) -> Trials:
    """Returns trials that are the rows of a table, for a search to go on from.

    ``fmin(fn, space, trials=from_pandas(df, space), max_evals=len(df) + 100)`` learns from the
    rows and runs 100 more: ``max_evals`` counts these trials as it does any others.

    A parameter is the column ``params.<label>``, else ``<label>``; of a choice, the value of
    its option, not the index. An option that is a dictionary or a list is named by a constant
    in it that no other option has: ``"svm"`` means ``{"kind": "svm", "C": ...}``. Numbers may
    be text. Other columns become fields of the results, and those of
    :meth:`Trials.to_pandas` what they are there.

    A row without a loss, or with one of NaN or infinity, is a failed trial. Rows that the
    space cannot make are left out; one warning says how many, and why.

    Args:
        df: one row for each trial.
        space: the search space.
        loss: the column of what is to be minimised.
        into: the trials to add them to, such as ``SparkTrials()``; None makes new ones.

    Raises:
        ValueError: the loss, or a parameter that is always active, has no column.
        BadSearchSpace: the space is ill-formed.
        MissingExtra: pandas is not installed.

    Example:
        >>> import pandas as pd
        >>> from sparktuner import fmin, from_pandas, hp
        >>> df = pd.DataFrame({"x": [0.5, -0.25, 0.75], "loss": [0.5, 0.25, 0.75]})
        >>> space = {"x": hp.uniform("x", -1, 1)}
        >>> trials = from_pandas(df, space)
        >>> trials
        <Trials: 3 done, best loss 0.25 of trial 1>
        >>> best = fmin(
        ...     lambda p: abs(p["x"]), space, max_evals=len(df) + 5, trials=trials, verbose=False
        ... )
        >>> len(trials)
        8
    """
    fit = SpaceFit(space)
    return _filled(trials_of_frame(df, fit, loss), fit, into)


def from_optuna(study: Study, space: object = None, into: Trials | None = None) -> Trials:
    """Returns trials that are those of a study of Optuna, for a search to go on from.

    With a space, values are matched as in :func:`from_pandas`. Without one all trials are
    taken as they are, and the value of a categorical parameter is its index in Optuna's
    choices, so that the options of ``hp.choice`` must stand in that order.

    The loss of a study that maximises is its value negated. Trials that failed have failed
    here, and pruned ones were cancelled, from which nothing is learned. Those that are not
    finished, or do not fit, are left out; one warning says how many, and why. Attributes of
    the user become fields of the results.

    Args:
        study: a study of one objective.
        space: the search space.
        into: the trials to add them to, such as ``SparkTrials()``; None makes new ones.

    Raises:
        TypeError: ``study`` is no study.
        ValueError: it has several objectives.
        BadSearchSpace: the space is ill-formed.

    Example:
        >>> import optuna
        >>> from sparktuner import from_optuna, hp
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study(direction="maximize")
        >>> study.optimize(lambda trial: -abs(trial.suggest_float("x", -1, 1)), n_trials=5)
        >>> trials = from_optuna(study, {"x": hp.uniform("x", -1, 1)})
        >>> len(trials), trials.argmin == study.best_params
        (5, True)
    """
    fit = None if space is None else SpaceFit(space)
    return _filled(trials_of_study(study, fit), fit, into)


def from_hyperopt(trials: Any, space: object = None, into: Trials | None = None) -> Trials:
    """Returns trials that are those of Hyperopt, for a search to go on from.

    Ids, states, results, errors and attachments stay what they are. Trials that were waiting
    or running when Hyperopt's search ended are run by the next search.

    Args:
        trials: Hyperopt's ``Trials``, or a list of its documents.
        space: the search space. With it, trials that it cannot make are left out, of which one
            warning says how many, and why. None takes all as they are, and a choice is then
            known by its index only.
        into: the trials to add them to, such as ``SparkTrials()``; None makes new ones.

    Raises:
        TypeError: ``trials`` are neither.
        InvalidTrial: a document is ill-formed, or ``into`` has a trial of that id already.
        BadSearchSpace: the space is ill-formed.

    Example:
        >>> from sparktuner import from_hyperopt
        >>> misc = {"tid": 0, "cmd": None, "idxs": {"x": [0]}, "vals": {"x": [0.5]}}
        >>> document = {"state": 2, "tid": 0, "spec": None, "misc": misc, "exp_key": None}
        >>> document |= {"owner": None, "version": 0, "book_time": None, "refresh_time": None}
        >>> document["result"] = {"status": "ok", "loss": 0.25}
        >>> from_hyperopt([document]).argmin
        {'x': 0.5}
    """
    fit = None if space is None else SpaceFit(space)
    documents = documents_of_hyperopt(trials, fit)
    into = _target(into, documents)
    for document in documents:
        document["exp_key"] = document["exp_key"] if into.exp_key is None else into.exp_key
    return _inserted(documents, fit, into, attachments_of_hyperopt(trials))


def from_mlflow(
    experiment: str,
    space: object = None,
    into: Trials | None = None,
    tracking_uri: str | None = None,
) -> Trials:
    """Returns trials that are those of searches in MLflow, for a search to go on from.

    Searches that were written by :class:`sparktuner.mlflow.MLflowCallback`, or on Databricks
    by its logging of Hyperopt. Choices that have their value there are found by it, also where
    the options of the space are in another order now; of those that Databricks has logged, only
    the index is known. What else an objective has logged as a parameter is left out, and further
    metrics become fields of the results.

    Args:
        experiment: the name of an experiment, or the id of the run of one search.
        space: the search space. With it, trials that it cannot make are left out, of which one
            warning says how many, and why. None takes all as they are, and a choice is then
            known by its index only.
        into: the trials to add them to, such as ``SparkTrials()``; None makes new ones.
        tracking_uri: the server, or another store of MLflow's; None is the one that is set in
            MLflow.

    Raises:
        ValueError: there is no such experiment, nor run, or there are no trials in it.
        TypeError: an argument is of the wrong type.
        BadSearchSpace: the space is ill-formed.
        MissingExtra: mlflow is not installed.

    Example:
        >>> import mlflow, tempfile
        >>> from sparktuner import fmin, from_mlflow, hp
        >>> from sparktuner.mlflow import MLflowCallback
        >>> store, x = f"sqlite:///{tempfile.mkdtemp()}/mlflow.db", hp.uniform("x", -1, 1)
        >>> tracking = MLflowCallback("quadratic", tracking_uri=store)
        >>> best = fmin(lambda x: x**2, x, max_evals=3, callbacks=[tracking], verbose=False)
        >>> trials = from_mlflow("quadratic", x, tracking_uri=store)
        >>> len(trials), trials.argmin == best
        (3, True)
    """
    if experiment is None:
        raise TypeError("experiment must be text, got None; name it, or the run of one search")
    check_text("experiment", experiment)
    check_text("tracking_uri", tracking_uri)
    fit = None if space is None else SpaceFit(space)
    into = _target(into)
    return _filled(trials_of_experiment(experiment, fit, tracking_uri), fit, into)


def _target(into: Trials | None, documents: Iterable[TrialDocument] = ()) -> Trials:
    if into is None:
        keys = {document["exp_key"] for document in documents}
        return Trials(exp_key=keys.pop() if len(keys) == 1 else None)
    if not isinstance(into, Trials):
        raise TypeError(f"into must be Trials or None, got {shown(into)}")
    return into


def _filled(past: Sequence[PastTrial], fit: SpaceFit | None, into: Trials | None) -> Trials:
    into = _target(into)
    documents = documents_of(past, fit, into.new_trial_ids, into.exp_key)
    return _inserted(documents, fit, into, {})


def _inserted(
    documents: Sequence[TrialDocument],
    fit: SpaceFit | None,
    into: Trials,
    attachments: dict[str, Any],
) -> Trials:
    into.insert_trial_docs(documents)
    into.attachments.update(attachments)
    if fit is not None:
        # So that a search knows that they are of its space, and a table what they mean.
        into.store.attachments[f"{SPACE_PREFIX}{fit.record.digest}"] = fit.record.dumps()
        into._space = fit.space.root if into._space is None else into._space
    into.refresh()
    return into
