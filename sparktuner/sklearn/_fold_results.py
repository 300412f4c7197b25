"""The result of a configuration, put together from those of its folds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from sparktuner.execute import Execution
from sparktuner.sklearn._folds import Scores
from sparktuner.sklearn._race import FoldRace

# As the objective returns it, for one fold or for all of them.
FoldResult: TypeAlias = Mapping[str, Any]

# Lists with an entry for each fold.
_BY_FOLD = ("test_scores", "train_scores", "fit_times", "score_times")


class FoldJudge:
    """Makes the result of a configuration, as soon as it is known or not worth knowing.

    Args:
        n_folds: of each configuration.
        race: says which configurations cannot win; None is none.
    """

    def __init__(self, n_folds: int, race: FoldRace | None) -> None:
        self._n_folds = n_folds
        self._race = race
        self._best: FoldResult | None = None

    def __call__(self, folds: Mapping[int, Any]) -> tuple[FoldResult] | None:
        """Returns the result in a tuple; None while it takes more folds.

        Args:
            folds: the results of one fold each, by fold.
        """
        # That ends the search; see Folds.result_of.
        raised = next((each for each in folds.values() if "raised" in each), None)
        if raised is not None:
            return (raised,)
        if len(folds) == self._n_folds:
            return (self._complete(folds),)
        scores = {fold: -each["loss"] for fold, each in folds.items()}
        if self._race is None or not self._race.is_beaten(scores):
            return None
        has_mean = not any(math.isnan(score) for score in scores.values())
        return (given_up(folds, self._n_folds, self._best if has_mean else None),)

    def _complete(self, folds: Mapping[int, FoldResult]) -> FoldResult:
        result = merged(folds, self._n_folds)
        losses = [folds[fold]["loss"] for fold in range(self._n_folds)]
        if self._race is not None and self._race.add([-loss for loss in losses]):
            self._best = {**result, "fold_losses": losses}
        return result


def merged(folds: Mapping[int, FoldResult], n_folds: int) -> dict[str, Any]:
    """Returns the result on all folds that are known, with NaN in the place of the others.

    Args:
        folds: the results of one fold each, by fold.
        n_folds: how many there are.
    """
    losses = [each["loss"] for _, each in sorted(folds.items())]
    result: dict[str, Any] = {
        "status": "ok",
        "loss": math.fsum(losses) / len(losses),
        "loss_variance": statistics.pvariance(losses) / len(losses),
        "fit_errors": [error for _, each in sorted(folds.items()) for error in each["fit_errors"]],
    }
    some = next(iter(folds.values()))
    for name in _BY_FOLD:
        if name in some:
            missing = _missing(some[name][0])
            result[name] = [folds[i][name][0] if i in folds else missing for i in range(n_folds)]
    return result


def given_up(
    folds: Mapping[int, FoldResult], n_folds: int, best: FoldResult | None
) -> dict[str, Any]:
    """Returns the result of a configuration of which some folds were left out.

    Its loss is an estimate: that of the best configuration, and what this one lacks on the
    folds that both have. The mean of the known folds alone would be better than that of the
    best one where those folds are easy.

    Args:
        folds: the results of one fold each, by fold.
        n_folds: how many there are.
        best: the result of the best configuration, on all folds; None where this one was given
            up because it has no mean.
    """
    result = merged(folds, n_folds)
    known = sorted(folds)
    result["skipped"] = [i for i in range(n_folds) if i not in folds]
    if best is not None:
        # In place of the other entries, as only of the decisive metric it is known to be lower.
        on_known = math.fsum(best["fold_losses"][i] for i in known) / len(known)
        result["loss"] += best["loss"] - on_known
        result["estimates"] = {
            name: _mean(result["test_scores"], known, name)
            + _mean(best["test_scores"], range(n_folds), name)
            - _mean(best["test_scores"], known, name)
            for name in _metrics(best["test_scores"][0])
        }
    return result


def merged_execution(executions: Sequence[Execution]) -> Execution:
    """Returns where and when a configuration ran: its seconds are those of all its folds."""
    first = min(executions, key=lambda each: each.started)
    return replace(
        first,
        duration=math.fsum(each.duration for each in executions),
        attempt=max(each.attempt for each in executions),
        earlier=[attempt for each in executions for attempt in each.earlier],
    )


def _missing(like: Scores) -> Scores:
    return dict.fromkeys(like, math.nan) if isinstance(like, dict) else math.nan


def _metrics(scores: Scores) -> Sequence[str]:
    return list(scores) if isinstance(scores, dict) else ["score"]


def _mean(scores: Sequence[Scores], folds: Sequence[int] | range, name: str) -> float:
    some = [scores[i] for i in folds]
    # A failed fit has one number for all metrics.
    return math.fsum(s[name] if isinstance(s, dict) else s for s in some) / len(some)
