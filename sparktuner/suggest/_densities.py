"""From trials to TPE's densities: l(x) of the good ones, g(x) of the others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._groups import Group, IndexArray, groups_of
from sparktuner.suggest._parzen import Mixture, log_prior
from sparktuner.suggest._ranked import Ranked, evenly

_MOST_BAD = 256
_MOST_GOOD = 25


@dataclass(frozen=True)
class TpeOptions:
    """What can be set on TPE.

    Attributes:
        prior_weight: weight of the prior in both densities; an observation's is at most 1.
        n_startup_jobs: random search until so many trials have *finished*.
        n_EI_candidates: draws from l(x) that are compared.
        gamma: ceil(gamma * sqrt(n)) trials are good, at most 25 (Hyperopt's split, its gamma
            is 0.25); None: a tenth of them, at most 25 (Watanabe, 2023, section 3.1).
        joint: share of the joint densities in the score and in the candidates; the
            rest is the marginals'.
        linear_forgetting: so many of the latest bad trials have weight 1, that of the others
            falls linearly with their age (Hyperopt's 25); 0: all have weight 1.
        rank_weights: the i-th best of m good trials has weight (m - i + 1) / m; otherwise 1.
        good_bandwidth: least width of the kernels of m good trials, in units of a column's
            width / min(100, m + 2) (Watanabe, 2023, section 3.3.4).
        bad_bandwidth: the same of the bad trials' kernels.
        pending_weight: weight of a pending trial among the bad ones.
    """

    prior_weight: float = 1.0
    n_startup_jobs: int = 10
    n_EI_candidates: int = 24
    gamma: float | None = None
    joint: float = 0.5
    linear_forgetting: int = 25
    rank_weights: bool = True
    good_bandwidth: float = 1.0
    bad_bandwidth: float = 2.0
    pending_weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.prior_weight > 0:
            raise ValueError(f"prior_weight must be above 0, got {self.prior_weight}")
        if self.n_startup_jobs < 0:
            raise ValueError(f"n_startup_jobs must be at least 0, got {self.n_startup_jobs}")
        if self.n_EI_candidates < 1:
            raise ValueError(f"n_EI_candidates must be at least 1, got {self.n_EI_candidates}")
        if self.gamma is not None and not self.gamma > 0:
            raise ValueError(f"gamma must be above 0, got {self.gamma}")
        if not self.pending_weight >= 0:
            raise ValueError(f"pending_weight must be at least 0, got {self.pending_weight}")
        if not (self.good_bandwidth > 0 and self.bad_bandwidth > 0):
            raise ValueError("good_bandwidth and bad_bandwidth must be above 0")
        if not 0 <= self.joint <= 1:
            raise ValueError(f"joint must be from 0 to 1, got {self.joint}")
        if self.linear_forgetting < 0:
            raise ValueError(f"linear_forgetting must be at least 0, got {self.linear_forgetting}")

    def good_of(self, n: int) -> int:
        """How many of ``n`` trials are good."""
        few = n / 10 if self.gamma is None else self.gamma * math.sqrt(n)
        return min(math.ceil(few), _MOST_GOOD)


@dataclass(frozen=True, eq=False)
class Good:
    """l(x) of one group.

    Attributes:
        group: the columns.
        density: l(x).
        trials: positions of the good trials.
    """

    group: Group
    density: Mixture
    trials: IndexArray


@dataclass(frozen=True, eq=False)
class Estimator:
    """What finished trials tell; it does not depend on pending ones.

    Attributes:
        space: the columns.
        history: the trials.
        options: what can be set.
        seen: the trials that are looked at.
        good: l(x) of each group, parents before children.
    """

    space: FlatSpace
    history: History
    options: TpeOptions
    seen: Ranked
    good: list[Good]

    @classmethod
    def of(cls, space: FlatSpace, history: History, options: TpeOptions) -> Estimator:
        """From the finished trials of ``history``."""
        seen = Ranked.of(history)
        good = [_good(group, history.values, seen, options) for group in groups_of(space)]
        return cls(space, history, options, seen, good)

    def draw(self, rng: np.random.Generator, k: int) -> FloatArray:
        """``k`` rows (k, p), some from l(x), the others from the product of its marginals."""
        rows = np.full((k, len(self.space.columns)), np.nan)
        crossed = np.arange(k) >= self.options.joint * k
        for good in self.good:
            on = np.flatnonzero(good.group.is_active(rows))
            if len(on):
                draws = good.density.sample(rng, len(on), crossed[on])
                rows[on[:, None], good.group.index] = draws
        return rows

    def bad(self, pending: FloatArray) -> list[Mixture]:
        """g(x) of each group, of bad and pending trials (m, p)."""
        values, latest = self.history.values, self.options.linear_forgetting
        densities = []
        for good in self.good:
            group = good.group
            is_bad = np.ones(len(values), dtype=np.bool_)
            is_bad[good.trials] = False
            bad = _active(group, values, self.seen.even)
            bad = bad[is_bad[bad]]
            bad = bad[evenly(len(bad), _MOST_BAD)]
            waiting = pending[_active(group, pending, np.arange(len(pending)))]
            observed = np.concatenate([values[bad], waiting])[:, group.index]
            late = np.full(len(waiting), self.options.pending_weight)
            weights = np.append(forgetting(len(bad), latest), late)
            least = self.options.bad_bandwidth
            densities.append(parzen(group, observed, weights, least, self.options))
        return densities

    def log_ratio(self, bad: list[Mixture], rows: FloatArray) -> FloatArray:
        """log l(x) - log g(x) of rows (k, p); (k,)."""
        joint = self.options.joint
        score = np.zeros(len(rows))
        for good, other in zip(self.good, bad, strict=True):
            on = np.flatnonzero(good.group.is_active(rows))
            if not len(on):
                continue
            x = rows[on[:, None], good.group.index]
            prior = log_prior(good.group, x)
            l_joint, l_alone = good.density.log_densities(x, prior)
            g_joint, g_alone = other.log_densities(x, prior)
            score[on] += joint * (l_joint - g_joint) + (1 - joint) * (l_alone - g_alone)
        return score


def _good(group: Group, values: FloatArray, seen: Ranked, options: TpeOptions) -> Good:
    # As many as there would be if the share of the even choice is that of all trials.
    share = len(_active(group, values, seen.even)) / max(len(seen.even), 1)
    n_good = options.good_of(round(share * len(values)))
    trials = _active(group, values, seen.best)[:n_good]
    m = len(trials)
    weights = 1 - np.arange(m) / m if options.rank_weights else np.ones(m)
    observed = values[trials[:, None], group.index]
    return Good(group, parzen(group, observed, weights, options.good_bandwidth, options), trials)


def _active(group: Group, values: FloatArray, trials: IndexArray) -> IndexArray:
    """Those of ``trials`` in which the group was active."""
    active: IndexArray = trials[~np.isnan(values[trials, group.index[0]])]
    return active


def forgetting(n: int, latest: int) -> FloatArray:
    """Weights (n,) of trials from old to new; the ``latest`` ones have 1."""
    if latest == 0 or n <= latest:
        return np.ones(n)
    return np.append(np.linspace(1 / n, 1, n - latest), np.ones(latest))


def parzen(
    group: Group,
    observed: FloatArray,
    weights: FloatArray,
    bandwidth: float,
    options: TpeOptions,
) -> Mixture:
    """The mixture of kernels at ``observed`` (m, d), of weights (m,), and the prior."""
    m, n = len(observed), group.n_numeric
    weights = np.append(weights, options.prior_weight)
    sizes = np.array([len(p) for p in group.p])
    with np.errstate(divide="ignore"):  # a weight of 0 takes a component out
        log_weights = np.log(weights / weights.sum())
    return Mixture(
        group,
        log_weights,
        observed[:, :n],
        bandwidths(group, observed[:, :n], bandwidth),
        observed[:, n:],
        sizes * options.prior_weight / (max(m, 1) + sizes * options.prior_weight),
    )


def bandwidths(group: Group, mu: FloatArray, least: float) -> FloatArray:
    """The larger gap of each centre (m, d_n) to its neighbours, the prior's being one of them.

    At least ``least`` widths / min(100, m + 2) and half a step, at most the width.
    """
    m, n = mu.shape
    # A single centre has a neighbour on one side alone; on the other it has the bound.
    edges = group.centre + group.scale / 2 * np.array([[-1.0], [1.0]])
    centres = np.concatenate([mu, group.centre[None, :], edges[: 2 * (m == 1)]])
    order = np.argsort(centres, axis=0, kind="stable")
    gaps = np.diff(np.take_along_axis(centres, order, axis=0), axis=0)
    none = np.zeros((1, n))
    sorted_sigma = np.maximum(np.concatenate([none, gaps]), np.concatenate([gaps, none]))
    sigma = np.empty_like(sorted_sigma)
    np.put_along_axis(sigma, order, sorted_sigma, axis=0)
    least_sigma = np.maximum(least * group.scale / min(100, m + 2), 0.5 * group.step)
    clipped: FloatArray = np.clip(sigma[:m], least_sigma, np.maximum(group.scale, least_sigma))
    return clipped
