"""What a search may still gain, as a Gaussian process of its losses sees it.

The bound of the regret is that of Makarova et al. (2022), "Automatic termination for
hyperparameter optimization": the lowest upper confidence bound among the points that were
tried, less the lowest lower one of the space. How large the regret is likely to be is its median
among functions drawn from the process, as Wilson (2024), "Stopping Bayesian optimization with
probabilistic regret bounds", estimates its distribution. The expected gain of the next trial is
the largest expected improvement of Jones, Schonlau, Welch (1998).

Deviations: the process looks at some 200 trials at most, and extreme losses are lowered; the
extremes over the space are sought among draws from the prior and local moves, and functions are
drawn at a few hundred points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sparktuner.records import History, IntArray, best_first
from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._adaptive import local_moves, log_expected_improvement
from sparktuner.suggest._feasibility import Feasibility
from sparktuner.suggest._features import Features, features_of
from sparktuner.suggest._gaussian_process import GaussianProcess, HyperPrior, fit
from sparktuner.suggest._layout import IndexArray
from sparktuner.suggest._ranked import systematic_sample

# Twice what a suggestion looks at: late in a search, the best half are neighbours, and say
# nothing of the rest of the space.
_MAX_POINTS = 192
# So many are enough to learn hyperparameters from, and so many of them are the first ones.
_FIT_POINTS = 64
_EARLY = 40
# Of fewer a process knows nothing but its prior.
_MIN_RESULTS = 4
# The first results, which are draws from the prior or nearly so, show how much there is to gain.
_FIRST = 20
# The probability to be wrong, and the share of the theoretical beta that suffices in practice
# (Srinivas et al., 2010).
_DELTA = 0.1
_BETA_SHARE = 0.2
# Candidates of each kind at first, and in each round of refinement.
_CANDIDATES = 192
_ROUNDS = 3
_TOP = 6
# Functions are drawn at so many of the best trials, and of each kind of candidates.
_BEST_DRAWN = 40
_KIND_DRAWN = 60
_DRAWS = 64


@dataclass(frozen=True)
class Outlook:
    """What a search may still gain, in units of its losses.

    Attributes:
        gained: How much lower the best loss is than the median of the first 20, or than their
            mean, where half of them are as good.
        regret: With high probability the best trial is not worse than the optimum by more.
        likely_regret: As probably as not it is not worse by more.
        gain: How much lower the next trial is expected to make the best loss.
    """

    gained: float
    regret: float
    likely_regret: float
    gain: float


def outlook_of(space: FlatSpace, history: History) -> Outlook | None:
    """Returns what a search may still gain, or None where too little is known.

    Equal arguments give equal answers. It takes some 10 to 30 ms, however many trials there are.

    Args:
        space: The space that is searched.
        history: The trials so far.
    """
    if history.n < _MIN_RESULTS:
        return None
    # In units of an eighth: of finite losses, sums and differences of a few stay finite.
    z = history.losses / 8
    by_id = np.argsort(history.tids, kind="stable")
    first, low = z[by_id[:_FIRST]], float(z.min())
    median, mean = float(np.median(first)), float(first.mean())
    gained = (median if median > low else mean) - low
    if not gained > 0:
        # All of the first losses are equal, and none was better.
        return Outlook(0.0, 0.0, 0.0, 0.0)
    points = _points(z, history.tids, by_id)
    y = (z[points] - low) / gained
    # How bad what is worse than the beginning is need not be known: from there on a logarithm,
    # which has the same slope there; a limit would be a kink, and kinks shorten length scales.
    y = np.where(y > 1, 1 + np.log(np.maximum(y, 1)), y)
    shares = _modelled(space, history.values[points], y, history)
    return Outlook(*(8 * gained * share for share in (1.0, *shares)))


def _points(z: FloatArray, tids: IntArray, by_id: IndexArray) -> IndexArray:
    """Trials to condition the process on: good ones, early ones, some of the rest; by id."""
    if len(z) <= _MAX_POINTS:
        return by_id
    third = _MAX_POINTS // 3
    kept = np.zeros(len(z), dtype=np.bool_)
    kept[best_first(z, tids, third)] = kept[by_id[:third]] = True
    rest = by_id[~kept[by_id]]
    kept[rest[systematic_sample(len(rest), _MAX_POINTS - int(kept.sum()))]] = True
    return by_id[kept[by_id]]


def _modelled(
    space: FlatSpace, values: FloatArray, y: FloatArray, history: History
) -> tuple[float, float, float]:
    """The bound of the regret, the likely regret and the gain, in units of ``y``."""
    features = features_of(space)
    parents = values[np.argsort(y, kind="stable")[:_TOP]]
    x, y = _with_failures(features, features.of(values), y, history.failed)
    unit = float(y.std())
    y = (y - y.mean()) / unit
    # The early ones are everywhere, the late ones near the best: length scales need both.
    late = _EARLY + systematic_sample(max(len(y) - _EARLY, 0), _FIT_POINTS - _EARLY)
    learn = np.append(np.arange(min(_EARLY, len(y))), late)
    process = fit(x, features.column_of, y, HyperPrior(), learn)
    root_beta = _root_beta(len(space.columns), history.n)
    mean, sd = process.predict(x)
    rng = np.random.default_rng(history.n)
    lowest, improvement, candidates = _extremes(space, parents, process, root_beta, rng)
    lowest = min(lowest, float((mean - root_beta * sd).min()))
    regret = float((mean + root_beta * sd).min()) - lowest
    best = np.argsort(y, kind="stable")[:_BEST_DRAWN]
    likely = _likely_regret(process, x[best], features.of(candidates), rng)
    return unit * regret, unit * likely, unit * improvement


def _with_failures(
    features: Features, x: FloatArray, y: FloatArray, failed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The points, and those where trials fail not by chance: nothing good is to be found there."""
    if not len(failed):
        return x, y
    prior = HyperPrior()
    feasibility = Feasibility.of(
        x, features.of(failed), features.column_of, prior.length_scale, prior.fit_evaluations
    )
    if not feasibility.is_predictive:
        return x, y
    failures = feasibility.predictable_failures()
    return np.concatenate([x, failures]), np.append(y, np.full(len(failures), y.max()))


def _extremes(
    space: FlatSpace,
    parents: FloatArray,
    process: GaussianProcess,
    root_beta: float,
    rng: np.random.Generator,
) -> tuple[float, float, FloatArray]:
    """The lowest lower confidence bound, the largest expected improvement, and candidates."""
    features = features_of(space)
    incumbent = float(process.fitted_values().min())
    near = local_moves(space, parents, rng, _CANDIDATES)
    anywhere = space.sample(rng, _CANDIDATES)
    rows, candidates = np.concatenate([anywhere, near]), [anywhere[:_KIND_DRAWN]]
    candidates.append(near[:_KIND_DRAWN])
    lowest, best = math.inf, -math.inf
    for _ in range(_ROUNDS):
        x = features.of(rows)
        mean, sd = process.predict(x)
        bounds = mean - root_beta * sd
        gains = log_expected_improvement(process, x, incumbent)
        lowest, best = min(lowest, float(bounds.min())), max(best, float(gains.max()))
        # What may be best by far, by more than what is known, and by a little in all likelihood.
        top = [np.argsort(each)[:_TOP] for each in (bounds, -gains, mean - sd)]
        candidates.append(rows[np.concatenate(top)])
        rows = local_moves(space, candidates[-1], rng, _CANDIDATES)
    return lowest, math.exp(best), np.concatenate([*candidates, rows[:_KIND_DRAWN]])


def _likely_regret(
    process: GaussianProcess, tried: FloatArray, others: FloatArray, rng: np.random.Generator
) -> float:
    """The median of the regret of the best trial, among functions drawn from the process.

    Args:
        process: The process.
        tried: (n, f) features of the best trials.
        others: (m, f) features where the optimum may be.
        rng: The source of randomness.
    """
    best = int(process.predict(tried)[0].argmin())
    values = process.draws(np.concatenate([tried, others]), rng, _DRAWS)
    return float(np.median(values[:, best] - values.min(axis=1)))


def _root_beta(d: int, n: int) -> float:
    """The factor of the standard deviation in the confidence bounds."""
    # Theorem 1 of Srinivas et al. (2010), with the dimension in place of the space's size.
    return math.sqrt(_BETA_SHARE * 2 * math.log(d * n * n * math.pi**2 / (6 * _DELTA)))
