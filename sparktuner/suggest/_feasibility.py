"""A model of feasibility: which configurations will fail, learnt from those that did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktuner.space import FloatArray, normal_cdf
from sparktuner.suggest._gaussian_process import GaussianProcess, HyperPrior, fit
from sparktuner.suggest._layout import IndexArray
from sparktuner.suggest._linear_algebra import MAX_ROWS
from sparktuner.suggest._ranked import systematic_sample

# Points of either kind, so that many successes do not crowd out few failures.
_MAX_POINTS = MAX_ROWS // 2
# Failures by chance are predicted a little better than by their mean once in a while; by a
# tenth they hardly are.
_MAX_ERROR = 0.9
# A trial may fail for no reason of its own.
_NOISE = 0.1


@dataclass(frozen=True, eq=False)
class Feasibility:
    """A classifier of configurations into feasible ones, which have a loss, and failing ones.

    It is a Gaussian process that is fitted to labels by least squares (Rasmussen and Williams,
    2006, section 6.5).

    Attributes:
        process: The process of the labels less their mean; the label is 1 for a trial with a
            loss and -1 for a failed one.
        mean: The mean of the labels.
        failed: (m, f) features of the failed trials, which are the last of the process's points.
    """

    process: GaussianProcess
    mean: float
    failed: FloatArray

    @classmethod
    def of(
        cls,
        x: FloatArray,
        failed: FloatArray,
        column_of: IndexArray,
        length_scale: float,
        fit_evaluations: int,
    ) -> Feasibility:
        """Fits the classifier to trials.

        Args:
            x: (n, f) features of trials with a loss, best first.
            failed: (m, f) features of trials that failed.
            column_of: (f,) the column that each feature belongs to.
            length_scale: Median of the prior of the length scales.
            fit_evaluations: How often the likelihood is evaluated.
        """
        x, failed = (
            x[systematic_sample(len(x), _MAX_POINTS)],
            failed[systematic_sample(len(failed), _MAX_POINTS)],
        )
        labels = np.repeat([1.0, -1.0], [len(x), len(failed)])
        learn = systematic_sample(len(labels), _MAX_POINTS)
        prior = HyperPrior(length_scale, noise=_NOISE, fit_evaluations=fit_evaluations)
        process = fit(np.concatenate([x, failed]), column_of, labels - labels.mean(), prior, learn)
        return cls(process, float(labels.mean()), failed)

    @property
    def is_predictive(self) -> bool:
        """Whether left-out labels are predicted better than by their mean, so not by chance."""
        return self.process.is_predictive(_MAX_ERROR)

    def log_probability(self, x: FloatArray) -> FloatArray:
        """Returns the log probability of feasibility (k,) at features (k, f)."""
        mean, sd = self.process.predict(x)
        # The probability that a label, noise included, is above 0.
        spread = np.sqrt(sd**2 + self.process.noise * self.process.amplitude)
        probability = normal_cdf((mean + self.mean) / spread)
        log_probability: FloatArray = np.log(np.maximum(probability, 1e-300))
        return log_probability

    def predictable_failures(self) -> FloatArray:
        """Returns the features (l, f) of the failed trials that the other trials show to fail.

        The rest may have failed by chance.
        """
        left_out = self.process.leave_one_out()[len(self.process.y) - len(self.failed) :]
        predictable: FloatArray = self.failed[np.round(left_out + self.mean, 7) < 0]
        return predictable
