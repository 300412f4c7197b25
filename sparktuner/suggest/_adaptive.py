"""Adaptive TPE: a Gaussian process ranks what TPE, local moves and the prior propose.

The acquisition function is the logarithm of expected improvement (Jones, Schonlau, Welch, 1998)
under a Gaussian process; pending trials are believed to end as it predicts. TPE makes some
suggestions without the process, and all of them where the process predicts left-out losses
badly.

Where trials have failed, the improvement is multiplied by the probability of feasibility (Gelbart,
Snoek, Adams, 2014), and failures that do not look like chance enter the process as the worst
loss; without that it would go on where there is nothing but failures. What lies far out in
a normal prior is penalised (:func:`prior_penalty`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from sparktuner.checks import check_number, check_whole, shown
from sparktuner.records import History
from sparktuner.space import FlatSpace, FloatArray, normal_cdf
from sparktuner.suggest._densities import (
    MOST_CANDIDATES,
    MOST_TRIALS,
    ParzenEstimator,
    TpeOptions,
)
from sparktuner.suggest._distinct import suggest_each
from sparktuner.suggest._feasibility import Feasibility
from sparktuner.suggest._features import features_of
from sparktuner.suggest._gaussian_process import GaussianProcess, HyperPrior, fit
from sparktuner.suggest._layout import IndexArray
from sparktuner.suggest._linear_algebra import MAX_ROWS
from sparktuner.suggest._moves import column_widths, perturb, prior_penalty, repair
from sparktuner.suggest._options import as_native
from sparktuner.suggest._ranked import RankedTrials, systematic_sample
from sparktuner.suggest._tpe import best_first, rank_tpe

# A Gaussian process, which knows how wrong it may be, can do with so few results.
_MIN_RESULTS = 4
# Each option that is a count, with its limits. More rounds take seconds for each suggestion.
_COUNTS = (
    ("n_startup_jobs", 0, MOST_TRIALS),
    ("n_candidates", 1, MOST_CANDIDATES),
    ("n_refinements", 0, 1_000),
    ("n_parents", 1, MOST_CANDIDATES),
    ("max_points", 2, MAX_ROWS),
    ("max_fit_points", 1, MOST_CANDIDATES),
    ("fit_evaluations", 1, 1_000),
)


@dataclass(frozen=True)
class AtpeOptions:
    """The options of adaptive TPE, which ``atpe.suggest`` takes as keywords.

    Attributes:
        n_startup_jobs: Suggestions are draws from the prior until so many trials have ended or
            are pending, and four of them (or so many, if that is fewer) have a loss. Pending
            ones count, because trials in parallel are random enough.
        n_candidates: Number of configurations that the Gaussian process ranks at first.
        n_refinements: Rounds of local moves around those that rank best.
        n_parents: Number of best trials that local moves start from.
        max_points: Number of trials that the process is conditioned on, 2 to 96: the best half,
            and a systematic sample of the others. With more trials than that, a suggestion
            costs no more.
        max_fit_points: Number of these trials that its hyperparameters are learnt from.
        tpe_share: Share of the suggestions that TPE makes without the process, from 0 to 1,
            against a process that is sure of the wrong branch.
        length_scale: Median of the length scales' prior in one dimension, as a share of a
            parameter's range.
        length_scale_sd: Standard deviation of the logarithms of the length scales.
        noise: Median of the prior of the ratio of the noise variance to the signal variance.
        fit_evaluations: How often the likelihood is evaluated to fit the hyperparameters.
        tpe: The options of the estimator that proposes candidates. Its split is a hard one,
            because the process knows the losses.

    Raises:
        ValueError: An option is out of its range; the message names it.
        TypeError: An option is no number.

    >>> from sparktuner.suggest import AtpeOptions
    >>> AtpeOptions(tpe_share=0.5).n_startup_jobs
    10
    """

    n_startup_jobs: int = 10
    n_candidates: int = 160
    n_refinements: int = 2
    n_parents: int = 5
    max_points: int = MAX_ROWS
    max_fit_points: int = 48
    tpe_share: float = 0.2
    length_scale: float = 0.35
    length_scale_sd: float = 1.0
    noise: float = 0.001
    fit_evaluations: int = 10
    tpe: TpeOptions = field(default_factory=partial(TpeOptions, softness=0.0))

    def __post_init__(self) -> None:
        for name, least, most in _COUNTS:
            check_whole(name, getattr(self, name), least, most)
        for name in ("length_scale", "length_scale_sd", "noise"):
            check_number(name, getattr(self, name), above=0)
        check_number("tpe_share", self.tpe_share, least=0, most=1)
        if not isinstance(self.tpe, TpeOptions):
            raise TypeError(f"tpe must be a TpeOptions(...), got {shown(self.tpe)}")
        as_native(self)

    def is_startup(self, history: History) -> bool:
        """Tells whether there is too little to learn from yet."""
        # Two at least: the targets of one result have no variance.
        few = history.n < max(min(self.n_startup_jobs, _MIN_RESULTS), 2)
        known = history.n + len(history.failed) + len(history.pending)
        return few or known < self.n_startup_jobs

    @property
    def prior(self) -> HyperPrior:
        """The prior of the Gaussian process's hyperparameters."""
        return HyperPrior(
            self.length_scale,
            self.length_scale_sd,
            self.noise,
            fit_evaluations=self.fit_evaluations,
        )


def propose_adaptive(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    options: AtpeOptions | None = None,
) -> list[dict[str, Any]]:
    """Returns ``n`` configurations by adaptive TPE.

    They are different and new as long as the space has any that were not tried. While there are
    too few results (:class:`AtpeOptions`), they are draws from the prior.

    Args:
        space: The space to search.
        history: The trials so far.
        n: How many configurations to suggest.
        rng: The source of randomness.
        options: What can be set; None takes the defaults.
    """
    options = AtpeOptions() if options is None else options
    rank = None
    if n and not options.is_startup(history):
        rank = _Model(ParzenEstimator.of(space, history, options.tpe), options, rng).rank
    return suggest_each(space, history, n, rng, rank)


class _Model:
    """What all suggestions of one call share; the process is fitted when it is first needed."""

    def __init__(
        self, estimator: ParzenEstimator, options: AtpeOptions, rng: np.random.Generator
    ) -> None:
        self._estimator, self._options, self._rng = estimator, options, rng

    def rank(self, pending: FloatArray) -> FloatArray:
        """Returns candidates, latents (k, p), best first by TPE or by the process."""
        if self._rng.random() < self._options.tpe_share or not self._is_predictive:
            return rank_tpe(self._estimator, self._rng, pending)
        candidates, score = self._scored(pending)
        return best_first(candidates, np.round(score, 7))

    @cached_property
    def _points(self) -> IndexArray:
        return conditioning_trials(self._estimator.ranked, self._options.max_points)

    @cached_property
    def _process(self) -> GaussianProcess:
        features = features_of(self._estimator.space)
        y = targets(self._estimator.history.losses[self._points])
        x = self._x
        if self._feasibility is not None:
            # The worst loss, not the likelihood alone: it keeps the process from predicting good
            # losses next to where all trials fail.
            x, y = with_failures(x, y, self._feasibility.predictable_failures())
        # Half the points cost an eighth of the time, and hyperparameters need be roughly right.
        learn = systematic_sample(len(y), self._options.max_fit_points)
        return fit(x, features.column_of, y, self._options.prior, learn)

    @cached_property
    def _x(self) -> FloatArray:
        values = self._estimator.history.values[self._points]
        return features_of(self._estimator.space).of(values)

    @cached_property
    def _feasibility(self) -> Feasibility | None:
        """The model of failures, where there were any and they are not by chance."""
        features, failed = features_of(self._estimator.space), self._estimator.history.failed
        if not len(failed):
            return None
        length_scale, fit_evaluations = self._options.length_scale, self._options.fit_evaluations
        feasibility = Feasibility.of(
            self._x, features.of(failed), features.column_of, length_scale, fit_evaluations
        )
        return feasibility if feasibility.is_predictive else None

    @cached_property
    def _is_predictive(self) -> bool:
        """Whether the process predicts left-out targets better than their mean does."""
        return self._process.is_predictive()

    def _scored(self, pending: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Candidates (k, p) of latents and their scores (k,)."""
        space, k, rng = self._estimator.space, self._options.n_candidates, self._rng
        features = features_of(space)
        # A pending trial that is believed to be the best one is what has to be improved on.
        waiting = features.of(pending)
        believed = [self._process.fitted_values(), self._process.predict(waiting)[0]]
        incumbent = float(np.concatenate(believed).min())
        process, feasibility = self._process.with_fantasies(waiting), self._feasibility

        def score(rows: FloatArray) -> FloatArray:
            x = features.of(rows)
            # Gelbart et al. multiply expected improvement by the probability of feasibility.
            value = log_expected_improvement(process, x, incumbent)
            value -= prior_penalty(space, rows, self._estimator.incumbent)
            return value if feasibility is None else value + feasibility.log_probability(x)

        # The optimum of the acquisition function is sought among draws from l(x) and the prior,
        # which reach every branch, and near the best trials; then near the best candidates.
        best = self._points[: self._options.n_parents]
        moves = local_moves(space, self._estimator.history.values[best], rng, k - k // 4 * 2)
        draws = self._estimator.draw(rng, k // 4)
        rows = np.concatenate([draws, space.sample(rng, k // 4), moves])
        ei = score(rows)
        for _ in range(self._options.n_refinements):
            top = np.argsort(-np.round(ei, 7), kind="stable")[:6]
            near = local_moves(space, rows[top], rng, k // 4)
            rows, ei = np.concatenate([rows, near]), np.concatenate([ei, score(near)])
        return rows, ei


def conditioning_trials(ranked: RankedTrials, most: int) -> IndexArray:
    """Returns the positions of at most ``most`` trials that the process is conditioned on.

    The best half comes first, in the order of their losses, then a systematic sample of the
    rest, which shows where losses are high.
    """
    if len(ranked.best) <= most:
        return ranked.best
    best = ranked.best[: most // 2]
    rest = ranked.subsample[~np.isin(ranked.subsample, best)]
    return np.concatenate([best, rest[systematic_sample(len(rest), most - len(best))]])


def targets(losses: FloatArray) -> FloatArray:
    """Returns losses (n,) as targets (n,) of mean 0 and variance 1, all 0 if they are equal.

    Losses above the median by more than twice its distance from the best loss are lowered to
    that limit: a model of good trials need not know how bad the bad ones are.
    """
    # Of an eighth of them, twice the difference of any two finite losses is finite.
    y = losses / 8
    middle, low = np.median(y), y.min()
    y = np.minimum(y, middle + 2 * (middle - low)) if middle > low else y
    spread = float(y.max() - low)
    if not spread > 0:
        return np.zeros(len(losses))
    y = (y - low) / spread
    return _standardised(y)


def with_failures(
    x: FloatArray, y: FloatArray, failed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns points and targets to which failed trials were added, as bad as the worst.

    The targets are standardised again. Where there are more than ``MAX_ROWS`` points, the best
    half of those with a loss stays, and a systematic sample of the rest of them.

    Args:
        x: (n, f) features of trials with a loss, best first.
        y: (n,) targets of these trials.
        failed: (m, f) features of failed trials.
    """
    # What is known of failures counts in full; the process can do with fewer mediocre results.
    half = len(y) // 2
    room = max(MAX_ROWS - len(failed) - half, 0)
    kept = np.append(np.arange(half), half + systematic_sample(len(y) - half, room))
    worse = np.append(y[kept], np.full(len(failed), y.max()))
    return np.concatenate([x[kept], failed]), _standardised(worse)


def _standardised(y: FloatArray) -> FloatArray:
    spread = y.std()
    standardised: FloatArray = (y - y.mean()) / (spread if spread > 0 else 1.0)
    return standardised


def log_expected_improvement(
    process: GaussianProcess, x: FloatArray, incumbent: float
) -> FloatArray:
    """Returns the log expected improvement (k,) at features (k, f).

    It is the logarithm of sd (z Phi(z) + phi(z)), z = (incumbent - mean) / sd, eq. (15) of
    Jones, Schonlau, Welch (1998). Where the improvement itself would be 0 in floating point, its
    logarithm still tells candidates apart.

    Args:
        process: The Gaussian process of the targets.
        x: (k, f) features.
        incumbent: The target to improve on.
    """
    mean, sd = process.predict(x)
    z = (incumbent - mean) / sd
    # eq. (15) divided by sd.
    h = z * normal_cdf(z) + np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    # Far below, z Phi(z) + phi(z) cancels; it tends to phi(z) / z^2.
    far = z < -5
    tail = -0.5 * z * z - 0.5 * math.log(2 * math.pi) - 2 * np.log(np.where(far, -z, 1.0))
    log_h = np.where(far, tail, np.log(np.where(far, 1.0, np.maximum(h, 1e-300))))
    result: FloatArray = np.log(sd) + log_h
    return result


def local_moves(
    space: FlatSpace, parents: FloatArray, rng: np.random.Generator, k: int
) -> FloatArray:
    """Returns ``k`` rows of latents (k, p) near good ones.

    Each differs from a parent in a few columns, or by a multiple of the difference of two
    parents.

    Args:
        space: The space of the columns.
        parents: (n, p) latents of good configurations.
        rng: The source of randomness.
        k: The number of rows.
    """
    # Half of the moves change one or two columns, the others half of all; steps are between a
    # third of a percent and a third of a column's width, on a logarithmic scale.
    p = parents.shape[1]
    base = parents[rng.integers(len(parents), size=k)]
    share = np.where(rng.random((k, 1)) < 0.5, min(1.0, 1.5 / p), 0.5)
    change = rng.random((k, p)) < share
    change[np.arange(k), rng.integers(p, size=k)] = True
    sigma = np.exp(rng.uniform(math.log(0.003), math.log(0.3), size=(k, 1)))
    rows = perturb(space, base, change, sigma, rng)
    if len(parents) < 2:
        return rows
    # Differential moves (Storn and Price, 1997) follow a valley in any direction.
    a, b = (parents[rng.integers(len(parents), size=k)] for _ in range(2))
    shift = rng.normal(0, 0.7, size=(k, 1)) * (a - b)
    shift[:, column_widths(space)[0] == 0] = 0.0
    along = np.where(np.isnan(shift), base, base + shift)
    # Where one of the three lacks a column, NaN: the base's value stays, or 0 until repaired.
    some = rng.random(k) < 0.3
    rows[some] = repair(space, np.where(np.isnan(along), 0.0, along))[some]
    return rows
