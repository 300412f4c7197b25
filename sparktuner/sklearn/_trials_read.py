"""The trials of a search as the configurations that were tried."""

from __future__ import annotations

import logging
import math
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparktuner.driver import Callback, EarlyStop
from sparktuner.errors import ObjectiveFailed
from sparktuner.records import TrialDocument, configuration_of
from sparktuner.sklearn._folds import parameters_of
from sparktuner.sklearn._results import Candidate
from sparktuner.space import evaluate
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR

_log = logging.getLogger("sparktuner")


@dataclass
class FirstError(Callback):
    """Ends a search at the first trial that raised what its caller must get.

    Attributes:
        early_stop: the user's own rule, asked first.
        result: of that trial; empty while there is none.
    """

    early_stop: EarlyStop | None = None
    result: Mapping[str, Any] = field(default_factory=dict)

    def on_trial_end(self, document: TrialDocument) -> None:
        if not self.result and "raised" in document["result"]:
            self.result = document["result"]

    def stops(self, trials: object, *args: Any) -> tuple[bool, Sequence[Any]]:
        """Returns whether to end the search, as fmin's ``early_stop_fn``."""
        stop: bool = bool(self.result)
        if self.early_stop is None:
            return stop, args
        theirs, args_then = self.early_stop(trials, *args)
        return stop or theirs, args_then

    def reraise(self) -> None:
        """Raises the error that was raised where the trial ran, if there was one."""
        if not self.result:
            return
        remote = ObjectiveFailed(self.result["traceback"])
        # Of this search's own trial, not of a store: whoever ran it has run our code.
        packed = self.result["raised"]
        try:
            error = pickle.loads(packed)
        except Exception:  # whatever its class does when it is made anew, or no pickle at all
            raise remote from None
        raise error from remote


def failed_fit(document: TrialDocument) -> str | None:
    """Returns why a trial ended without any scores; None where it did not end so."""
    if document["state"] != JOB_STATE_ERROR:
        return None
    return ": ".join(document["misc"].get("error", ("unknown", "")))


def candidates_of(
    documents: Sequence[TrialDocument],
    space: object,
    names: Sequence[str],
    n_splits: int,
    error_score: float,
) -> tuple[list[Candidate], list[dict[str, str | None]]]:
    """Returns the configurations that were tried, and the error of each fit.

    Args:
        documents: the trials.
        space: what they were drawn from.
        names: of the estimator's parameters.
        n_splits: of a trial of another number of folds, such as one of an earlier search in
            the same store, nothing can be said here: it is left out, with a warning.
        error_score: the score of a trial whose worker died.
    """
    found: list[Candidate] = []
    errors: list[dict[str, str | None]] = []
    left_out = 0
    for document in sorted(documents, key=lambda each: each["tid"]):
        if document["state"] not in (JOB_STATE_DONE, JOB_STATE_ERROR):
            continue
        seed = document["misc"].get("execution", {}).get("seed")
        params = parameters_of(evaluate(space, configuration_of(document), seed), names)
        crash = failed_fit(document)
        if crash is not None:
            found.append(_crashed(params, n_splits, error_score))
            errors += [{"fit_error": crash}] * n_splits
        elif len(document["result"].get("test_scores", ())) == n_splits:
            found.append(_scored(params, document["result"]))
            errors += [{"fit_error": each} for each in document["result"]["fit_errors"]]
        else:
            left_out += 1
    if left_out:
        _log.warning(
            "%d of the trials do not have the scores of %d folds, as those of another search; "
            "they are left out of cv_results_",
            left_out,
            n_splits,
        )
    return found, errors


def _scored(params: Mapping[str, Any], result: Mapping[str, Any]) -> Candidate:
    return Candidate(
        params,
        result["test_scores"],
        result["fit_times"],
        result["score_times"],
        result.get("train_scores", ()),
        result.get("skipped", ()),
        result.get("estimates", {}),
    )


def _crashed(params: Mapping[str, Any], n_splits: int, error_score: float) -> Candidate:
    scores, unknown = [error_score] * n_splits, [math.nan] * n_splits
    return Candidate(params, scores, unknown, unknown, scores)
