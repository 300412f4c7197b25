"""Adaptive TPE: a Gaussian process ranks what TPE, local moves and the prior propose.

Expected improvement (Jones, Schonlau, Welch, 1998) of a Gaussian process on losses that are
half ranks and half values, pending trials believed to end as predicted, plus a share of
TPE's log l(x) / g(x). Where the process predicts left-out losses badly, TPE decides alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace, FloatArray, normal_cdf, normal_quantile
from sparktuner.suggest._distinct import Tried, draw_new, first_new
from sparktuner.suggest._features import features_of
from sparktuner.suggest._gaussian_process import GaussianProcess, Prior, fit
from sparktuner.suggest._groups import IndexArray
from sparktuner.suggest._linear_algebra import MOST_ROWS
from sparktuner.suggest._moves import perturb, settle, widths
from sparktuner.suggest._tpe import (
    Densities,
    Ranked,
    TpeOptions,
    densities,
    draw_candidates,
    evenly,
    log_ratio,
)


@dataclass(frozen=True)
class AtpeOptions:
    """What can be set on adaptive TPE.

    Attributes:
        n_startup_jobs: random search until so many trials have finished.
        n_candidates: configurations that the Gaussian process ranks at first.
        refine: rounds of local moves around the best ranked ones.
        n_parents: best trials that local moves start from.
        most_points: trials that the process is conditioned on: the best half, and an even
            choice of the others. The cost of a suggestion stays the same beyond it.
        most_learning: how many of them its hyperparameters are learnt from.
        tpe_share: weight of log l(x) / g(x) beside the log of expected improvement.
        rank_share: how far losses are replaced by normal scores of their ranks.
        alone: share of the suggestions that TPE makes alone, against a process that is sure
            of the wrong branch.
        length: median of the length scales in one dimension, before any trial.
        length_sd: standard deviation of their logarithms.
        noise: median share of noise in the variance.
        steps: evaluations of the likelihood.
        tpe: of the estimator that proposes.
    """

    n_startup_jobs: int = 10
    n_candidates: int = 160
    refine: int = 2
    n_parents: int = 5
    most_points: int = MOST_ROWS
    most_learning: int = 48
    tpe_share: float = 0.3
    rank_share: float = 0.5
    alone: float = 0.2
    length: float = 0.6
    length_sd: float = 1.0
    noise: float = 0.01
    steps: int = 10
    tpe: TpeOptions = field(default_factory=TpeOptions)

    def __post_init__(self) -> None:
        for name in ("n_candidates", "n_parents", "most_learning", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 2 <= self.most_points <= MOST_ROWS:
            raise ValueError(f"most_points must be 2 to {MOST_ROWS}, got {self.most_points}")

    @property
    def prior(self) -> Prior:
        """Of the process's hyperparameters."""
        return Prior(self.length, self.length_sd, self.noise, steps=self.steps)


def propose_adaptive(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    options: AtpeOptions | None = None,
) -> list[dict[str, Any]]:
    """``n`` different configurations; see the module's docstring."""
    options = AtpeOptions() if options is None else options
    tried = Tried(history)
    rows = np.empty((n, len(space.columns)))
    model = None
    if n and history.n >= max(options.n_startup_jobs, 2):
        model = _Model.of(space, history, options)
    for i in range(n):
        if model is None:
            rows[i] = draw_new(space, tried, rng)
        else:
            pending = np.concatenate([history.pending, rows[:i]])
            rows[i] = _next(space, history, model, pending, tried, rng, options)
        tried.add(rows[i])
    return space.decode(rows)


@dataclass(frozen=True, eq=False)
class _Model:
    """What is the same for all suggestions of one call."""

    process: GaussianProcess
    parents: FloatArray
    trusted: bool

    @classmethod
    def of(cls, space: FlatSpace, history: History, options: AtpeOptions) -> _Model:
        points = subset(history, options.most_points)
        y = targets(history.losses[points], options.rank_share)
        features = features_of(space)
        x = features.of(history.values[points])
        learn = evenly(len(points), options.most_learning)
        process = fit(x, features.owner, y, options.prior, learn)
        best = points[np.argsort(y, kind="stable")[: options.n_parents]]
        return cls(process, history.values[best], _predicts(process))


def subset(history: History, most: int) -> IndexArray:
    """Positions of at most ``most`` trials: the best half, and an even choice of the rest."""
    seen = Ranked.of(history)
    if history.n <= most:
        return seen.best
    best = seen.best[: most // 2]
    rest = seen.even[~np.isin(seen.even, best)]
    return np.concatenate([best, rest[evenly(len(rest), most - len(best))]])


def targets(losses: FloatArray, rank_share: float) -> FloatArray:
    """Standardised losses, partly replaced by normal scores of their ranks.

    Losses far above the median are pulled in to it first: a model of good trials need not
    know how bad the bad ones are.
    """
    n = len(losses)
    # Halved, the difference of two finite losses is finite.
    y = losses / 2
    middle, low = np.median(y), y.min()
    y = np.minimum(y, middle + 2 * (middle - low)) if middle > low else y
    spread = float(y.max() - low)
    if not spread > 0:
        return np.zeros(n)
    raw = (y - low) / spread
    raw = (raw - raw.mean()) / raw.std()
    order = np.lexsort((np.arange(n), losses))
    rank = np.empty(n)
    rank[order] = np.arange(n)
    # Equal losses get equal scores: the mean of their ranks.
    _, group = np.unique(losses, return_inverse=True)
    rank = (np.bincount(group, rank) / np.bincount(group))[group]
    scores = normal_quantile((rank + 0.5) / n)
    mixed = rank_share * scores + (1 - rank_share) * raw
    centred: FloatArray = mixed - mixed.mean()
    return centred


def _predicts(process: GaussianProcess) -> bool:
    """Whether left-out targets are told better than by their mean."""
    error = process.y - process.leave_one_out()
    return float(error @ error) < float(process.y @ process.y)


def _next(
    space: FlatSpace,
    history: History,
    model: _Model,
    pending: FloatArray,
    tried: Tried,
    rng: np.random.Generator,
    options: AtpeOptions,
) -> FloatArray:
    models = densities(space, history, pending, options.tpe)
    if not model.trusted or rng.random() < options.alone:
        candidates = draw_candidates(space, models, rng, options.tpe.n_EI_candidates)
        score = log_ratio(models, candidates)
    else:
        candidates, score = _ranked(space, model, models, pending, rng, options)
    # Rounded, so that the last bits of a sum, which depend on the machine, decide nothing.
    best_first = candidates[np.argsort(-np.round(score, 7), kind="stable")]
    new = first_new(best_first, tried)
    return draw_new(space, tried, rng) if new is None else new


def _ranked(
    space: FlatSpace,
    model: _Model,
    models: list[Densities],
    pending: FloatArray,
    rng: np.random.Generator,
    options: AtpeOptions,
) -> tuple[FloatArray, FloatArray]:
    """Candidates (k, p) and their scores (k,)."""
    features = features_of(space)
    # A pending trial that is believed to be the best one is what has to be improved on.
    waiting = features.of(pending)
    believed = [model.process.at_points(), model.process.predict(waiting)[0]]
    incumbent = float(np.concatenate(believed).min())

    process = model.process.with_fantasies(waiting)

    def score(rows: FloatArray) -> FloatArray:
        return log_expected_improvement(process, features.of(rows), incumbent)

    k = options.n_candidates
    draws = draw_candidates(space, models, rng, k // 4)
    rows = np.concatenate(
        [draws, space.sample(rng, k // 4), local_moves(space, model.parents, rng, k - k // 4 * 2)]
    )
    ei = score(rows)
    for _ in range(options.refine):
        top = np.argsort(-np.round(ei, 7), kind="stable")[:6]
        near = local_moves(space, rows[top], rng, k // 4)
        rows, ei = np.concatenate([rows, near]), np.concatenate([ei, score(near)])
    top = np.argsort(-np.round(ei, 7), kind="stable")[:24]
    if not options.tpe_share:
        return rows[top], ei[top]
    return rows[top], ei[top] + options.tpe_share * log_ratio(models, rows[top])


def log_expected_improvement(
    process: GaussianProcess, x: FloatArray, incumbent: float
) -> FloatArray:
    """Log of sd * (z Phi(z) + phi(z)), z = (incumbent - mean) / sd (eq. 15 of Jones et al.)."""
    mean, sd = process.predict(x)
    z = (incumbent - mean) / sd
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
    """``k`` rows near good ones: a few columns moved, or along the difference of two parents."""
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
    shift[:, widths(space)[0] == 0] = 0.0
    along = np.where(np.isnan(shift), base, base + shift)
    some = rng.random(k) < 0.3
    rows[some] = settle(space, np.where(np.isnan(along), 0.0, along))[some]
    return rows
