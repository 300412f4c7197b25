"""``cv_results_``: what scikit-learn's users read of a search."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.ma import MaskedArray
from scipy.stats import rankdata

from sparktuner.sklearn._folds import Scores

# By column: arrays with an entry for each configuration, and the configurations themselves.
CvResults: TypeAlias = dict[str, Any]
Matrix: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]
# Of the same shape: whether the configuration was scored on the fold.
Known: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Candidate:
    """A configuration that was tried, and how it did on each fold.

    Attributes:
        params: the estimator's parameters.
        test_scores: of each fold; a number where several metrics are due: that of a failed fit.
        train_scores: the same on the rows of the fit; empty where nobody asked.
        skipped: folds that it was not scored on; what stands in their place counts for nothing.
        estimates: where some were skipped, the means that it would have had, by metric.
        fit_times: seconds.
        score_times: seconds.
    """

    params: Mapping[str, Any]
    test_scores: Sequence[Scores]
    fit_times: Sequence[float]
    score_times: Sequence[float]
    train_scores: Sequence[Scores] = field(default=())
    skipped: Sequence[int] = field(default=())
    estimates: Mapping[str, float] = field(default_factory=dict)


def is_multimetric(candidates: Sequence[Candidate]) -> bool:
    """Returns whether there are several metrics; a failed fit alone does not tell."""
    return any(isinstance(scores, dict) for each in candidates for scores in each.test_scores)


def cv_results(candidates: Sequence[Candidate], with_train_scores: bool) -> CvResults:
    """Returns the columns that scikit-learn's searches have, in the order of the trials."""
    results: CvResults = {}
    known = np.array([_is_scored(each) for each in candidates])
    for name in ("fit_time", "score_time"):
        seconds = np.array([getattr(each, f"{name}s") for each in candidates], float)
        _add_moments(results, name, seconds, known)
    params = [dict(each.params) for each in candidates]
    results.update(_parameter_columns(params))
    results["params"] = params
    for name, scores in _by_metric([each.test_scores for each in candidates]):
        _add_scores(results, f"test_{name}", scores, known)
        for i, each in enumerate(candidates):
            if name in each.estimates:
                results[f"mean_test_{name}"][i] = each.estimates[name]
        results[f"rank_test_{name}"] = _ranks(results[f"mean_test_{name}"])
    if with_train_scores:
        for name, scores in _by_metric([each.train_scores for each in candidates]):
            _add_scores(results, f"train_{name}", scores, known)
    return results


def _is_scored(candidate: Candidate) -> list[bool]:
    return [i not in candidate.skipped for i in range(len(candidate.test_scores))]


def _by_metric(rows: Sequence[Sequence[Scores]]) -> Iterator[tuple[str, Matrix]]:
    """(metric, scores by configuration and fold); the only metric is called "score"."""
    found = next((each for row in rows for each in row if isinstance(each, dict)), None)
    if found is None:
        yield "score", np.array(rows, float)
        return
    for name in found:
        yield (
            name,
            np.array(
                [[s[name] if isinstance(s, dict) else s for s in row] for row in rows], float
            ),
        )


def _add_scores(results: CvResults, name: str, scores: Matrix, known: Known) -> None:
    for i in range(scores.shape[1]):
        results[f"split{i}_{name}"] = scores[:, i]
    _add_moments(results, name, scores, known)
    if not np.isfinite(results[f"mean_{name}"]).all():
        warnings.warn(
            f"some of the {name.partition('_')[0]} scores are not finite, because a fit or a "
            f"scorer failed or returned such a number: {results[f'mean_{name}']}",
            UserWarning,
            stacklevel=2,
        )


def _add_moments(results: CvResults, name: str, values: Matrix, known: Known) -> None:
    # Infinite scores have a mean, and no deviation; numpy would warn of that.
    with np.errstate(invalid="ignore"):
        results[f"mean_{name}"] = values.mean(axis=1, where=known)
        results[f"std_{name}"] = values.std(axis=1, where=known)


def _ranks(means: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.int32]]:
    """1 for the highest mean; equals share the better rank, and what has none is last."""
    known = ~np.isnan(means)
    if not known.any():
        return np.ones(len(means), np.int32)
    last = np.where(known, means, np.min(means[known]) - 1)
    return np.asarray(rankdata(-last, method="min"), np.int32)


def _parameter_columns(params: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, MaskedArray]]:
    """A column for each parameter, masked where the configuration does not have it."""
    for name in dict.fromkeys(name for each in params for name in each):
        values = {i: each[name] for i, each in enumerate(params) if name in each}
        column: MaskedArray = MaskedArray(
            np.empty(len(params), dtype=_dtype_of(list(values.values()))), mask=True
        )
        for i, value in values.items():
            column[i] = value
        yield f"param_{name}", column


def _dtype_of(values: Sequence[object]) -> np.dtype[Any]:
    """That of numbers and booleans; text, sequences and objects stay as they are."""
    try:
        array = np.array(values)
    except ValueError:  # sequences of several lengths
        return np.dtype(object)
    return array.dtype if array.ndim == 1 and array.dtype.kind in "biufc" else np.dtype(object)
