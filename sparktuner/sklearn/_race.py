"""When the remaining folds of a configuration are not worth their time.

Configurations are scored on the same folds, so two of them are compared by the differences of
their scores fold by fold, in which what makes a fold hard cancels out. After ``k`` of ``K``
folds the mean difference to the best configuration so far is ``d`` with a standard deviation
``s``. The mean over all ``K`` folds is then, but for a quantile of Student's t, at most

    d + t[k - 1] * s * sqrt((K - k) / (k * K)),

the prediction bound for a mean of a finite number of values of which some are known (with the
correction for a finite population; W. G. Cochran, Sampling Techniques, 1977, section 2.6). A
configuration is beaten where that is below zero.

The level is shared out among the looks, after 2 to ``K - 1`` folds, as Bonferroni has it. Fewer
folds than two have no deviation. By chance the differences of two folds may be nearly the same,
and scores of few rows are coarse; so ``s`` is never taken for less than what is usual: the
pooled deviation of the configurations that were scored on all folds, of which there must be
some first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from scipy.stats import t as student

# Scored on all folds before any is dropped, so that the pooled deviation is known.
_COMPLETE_FIRST = 5


class FoldRace:
    """Knows the best configuration so far, and which others cannot be better any more.

    Args:
        n_folds: of each configuration.
        level: the probability that the configuration that would have been best is dropped.
    """

    def __init__(self, n_folds: int, level: float) -> None:
        self._n_folds = n_folds
        self._widths = _widths(n_folds, level)
        self._best: Sequence[float] | None = None
        self._best_mean = -math.inf
        self._variances: list[float] = []
        self._complete = 0

    @property
    def best(self) -> Sequence[float] | None:
        """The scores of the best configuration so far, fold by fold; None while there is none."""
        return self._best

    def add(self, scores: Sequence[float]) -> bool:
        """Takes in a configuration that was scored on all folds.

        Returns:
            Whether it is the best one now.
        """
        mean = math.fsum(scores) / len(scores)
        if not math.isfinite(mean):
            return False
        self._complete += 1
        if self._best is not None:
            self._variances.append(_moments(self._differences(dict(enumerate(scores))))[1])
        is_best = mean > self._best_mean
        if is_best:
            self._best, self._best_mean = list(scores), mean
        return is_best

    def is_beaten(self, scores: Mapping[int, float]) -> bool:
        """Returns whether a configuration is not going to have the best mean.

        Args:
            scores: those that are known, by fold.
        """
        # What has no mean cannot win, whatever the other folds say.
        if any(math.isnan(score) for score in scores.values()):
            return True
        width = self._widths.get(len(scores))
        if width is None or self._best is None or self._complete < _COMPLETE_FIRST:
            return False
        mean, variance = _moments(self._differences(scores))
        deviation = math.sqrt(max(variance, math.fsum(self._variances) / len(self._variances)))
        # Where all are alike there is nothing to tell how far apart two of them can be.
        return deviation > 0 and mean + width * deviation < 0

    def _differences(self, scores: Mapping[int, float]) -> list[float]:
        assert self._best is not None
        return [score - self._best[fold] for fold, score in scores.items()]


def _widths(n_folds: int, level: float) -> dict[int, float]:
    """By number of known folds, what the deviation is multiplied by."""
    looks = range(2, n_folds)
    return {
        k: float(student.ppf(1 - level / len(looks), k - 1))
        * math.sqrt((n_folds - k) / (k * n_folds))
        for k in looks
    }


def _moments(values: Sequence[float]) -> tuple[float, float]:
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, math.nan
    return mean, math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
