"""Which configurations will fail, learnt from those that did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktuner.space import FloatArray, normal_cdf
from sparktuner.suggest._gaussian_process import GaussianProcess, HyperPrior, fit
from sparktuner.suggest._layout import IndexArray
from sparktuner.suggest._linear_algebra import MAX_ROWS
from sparktuner.suggest._ranked import systematic_sample

_MOST = MAX_ROWS // 2  # of either kind
_BETTER = 0.9
_NOISE = 0.1  # a trial may fail for no reason of its own


@dataclass(frozen=True, eq=False)
class Feasibility:
    """A classifier by least squares, Rasmussen and Williams (2006), section 6.5.

    Attributes:
        process: of the labels less their mean: 1 for a trial with a loss, -1 for a failed one.
        mean: of the labels.
        failed: (m, f) features of the failed trials in it, which are the last of its points.
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
        """From the features (n, f) of trials with a loss and (m, f) of those that failed.

        Args:
            column_of: (f,) the parameter of each feature.
            length_scale: median of the prior of the length scales.
            fit_evaluations: evaluations of the likelihood.
        """
        x, failed = (
            x[systematic_sample(len(x), _MOST)],
            failed[systematic_sample(len(failed), _MOST)],
        )
        labels = np.repeat([1.0, -1.0], [len(x), len(failed)])
        learn = systematic_sample(len(labels), _MOST)
        prior = HyperPrior(length_scale, noise=_NOISE, fit_evaluations=fit_evaluations)
        process = fit(np.concatenate([x, failed]), column_of, labels - labels.mean(), prior, learn)
        return cls(process, float(labels.mean()), failed)

    @property
    def is_predictive(self) -> bool:
        """Whether left-out labels are told better than by their mean: failures are not chance."""
        return self.process.is_predictive(_BETTER)

    def log_probability(self, x: FloatArray) -> FloatArray:
        """Logarithm of the probability that trials with features (k, f) have a loss."""
        mean, sd = self.process.predict(x)
        spread = np.sqrt(sd**2 + self.process.noise * self.process.amplitude)
        probability = normal_cdf((mean + self.mean) / spread)
        log_probability: FloatArray = np.log(np.maximum(probability, 1e-300))
        return log_probability

    def predictable_failures(self) -> FloatArray:
        """Features (l, f) of the failed trials whose failure the others would have told.

        The rest may have failed by chance.
        """
        left_out = self.process.leave_one_out()[len(self.process.y) - len(self.failed) :]
        predictable: FloatArray = self.failed[np.round(left_out + self.mean, 7) < 0]
        return predictable
