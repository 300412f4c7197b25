"""From trials to the densities of TPE: l(x) of the good trials, g(x) of the others.

Bergstra, Bardenet, Bengio, Kégl (2011), section 4, whose letters these are; the deviations are
listed in ``_tpe.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from sparktuner.checks import check_number, check_whole
from sparktuner.records import History
from sparktuner.space import BoolArray, FlatSpace, FloatArray
from sparktuner.suggest._layout import IndexArray, Layout, layout_of
from sparktuner.suggest._options import as_native
from sparktuner.suggest._parzen import Mixture, Points
from sparktuner.suggest._ranked import RankedTrials, systematic_sample

# Bad trials of a group, and failed ones, whose kernels make up g(x); see ``_tpe.py`` for what
# leaving out the others costs in accuracy.
_MAX_BAD = 128
# Good trials, as in Hyperopt: beyond it, more trials make the good ones better, not more.
_MAX_GOOD = 25
# Values of the pending trials that enter g(x): where 500 trials have 200 parameters each, all
# of them would cost 100 ms a suggestion.
_MAX_PENDING_VALUES = 40_000
# No search has more trials, and a suggestion of more candidates would take all memory.
MOST_TRIALS = 2**31 - 1
MOST_CANDIDATES = 1_000_000


@dataclass(frozen=True)
class TpeOptions:
    """The options of TPE, which ``tpe.suggest`` takes as keywords.

    Attributes:
        prior_weight: Weight of the prior in both densities; an observation's is at most 1.
        n_startup_jobs: Suggestions are draws from the prior until so many trials have ended,
            at least one of them with a loss.
        n_EI_candidates: Number of draws from l(x) that are compared.
        gamma: Of n trials, gamma * sqrt(n) are good ones, at most 25, as in Hyperopt, where
            gamma is 0.25. None takes a tenth of them, at most 25 (Watanabe, 2023).
        softness: How soft the split is; 0 is a hard one. Of the m best trials, which are
            1 + softness times as many as the good ones, the i-th has the weight
            ((m - i + 1) / m) ** softness in l(x), and the rest of 1 in g(x). In l(x) their
            weights add up to about the number of good ones.
        joint: Share of the joint densities in the score, and of the draws from them among the
            candidates, from 0 to 1; the rest is that of the products of marginal densities.
        linear_forgetting: So many of the latest bad trials have weight 1, and that of the
            others falls linearly with their age (25 in Hyperopt); 0 gives all weight 1.
        good_bandwidth: Least bandwidth of the kernels of m good trials, in units of the
            column's width / min(100, m + 2) (Watanabe, 2023).
        bad_bandwidth: Least bandwidth of the kernels of bad trials, in the same units.
        pending_weight: Weight of a pending trial among the bad ones.

    Raises:
        ValueError: An option is out of its range; the message names it.
        TypeError: An option is no number.

    >>> from sparktuner.suggest import TpeOptions
    >>> TpeOptions(gamma=0.25).softness
    1.0
    """

    prior_weight: float = 1.0
    n_startup_jobs: int = 10
    n_EI_candidates: int = 24
    gamma: float | None = None
    softness: float = 1.0
    joint: float = 0.5
    linear_forgetting: int = 25
    good_bandwidth: float = 1.0
    bad_bandwidth: float = 2.0
    pending_weight: float = 1.0

    def __post_init__(self) -> None:
        for name in ("n_startup_jobs", "linear_forgetting"):
            check_whole(name, getattr(self, name), least=0, most=MOST_TRIALS)
        check_whole("n_EI_candidates", self.n_EI_candidates, least=1, most=MOST_CANDIDATES)
        for name in ("prior_weight", "good_bandwidth", "bad_bandwidth"):
            check_number(name, getattr(self, name), above=0)
        if self.gamma is not None:
            check_number("gamma", self.gamma, above=0)
        for name in ("softness", "pending_weight"):
            check_number(name, getattr(self, name), least=0)
        check_number("joint", self.joint, least=0, most=1)
        as_native(self)

    def good_weights(self, n: int) -> FloatArray:
        """Returns the weights (m,) in l(x) of the m best of ``n`` trials, best first."""
        few = n / 10 if self.gamma is None else self.gamma * math.sqrt(n)
        # The mean of (j / m) ** softness for j = 1 .. m is about 1 / (1 + softness).
        m = min(math.ceil((1 + self.softness) * min(few, _MAX_GOOD)), n)
        weights: FloatArray = (1 - np.arange(m) / m) ** self.softness
        return weights


@dataclass(frozen=True, eq=False)
class ParzenEstimator:
    """The densities of finished trials, from which candidates are drawn and by which they score.

    Pending trials change from one suggestion of a batch to the next and enter g(x) only, so
    they are arguments.

    Attributes:
        space: The space of the p columns.
        layout: Its columns in the order of the densities, in G groups.
        history: The trials so far, at least one of them with a loss.
        options: What can be set.
        ranked: The trials that are looked at.
        is_active: (e, G) whether a group was active in each trial of ``ranked.subsample``.
        good_trials: For each group the positions of its good trials, best first.
        good_weights: For each group the weights of those in l(x).
        good_density: The density l(x).
    """

    space: FlatSpace
    layout: Layout
    history: History
    options: TpeOptions
    ranked: RankedTrials
    is_active: BoolArray
    good_trials: list[IndexArray]
    good_weights: list[FloatArray]
    good_density: Mixture

    @classmethod
    def of(cls, space: FlatSpace, history: History, options: TpeOptions) -> ParzenEstimator:
        """Estimates l(x) from the finished trials of ``history``."""
        layout, values, ranked = layout_of(space), history.values, RankedTrials.of(history)
        # Each group splits the trials in which it was active: a branch that is rarely taken has
        # good trials of its own, whatever the other branches reach.
        is_active = ~np.isnan(values[ranked.subsample[:, None], layout.group_heads])
        among_best = ~np.isnan(values[ranked.best[:, None], layout.group_heads])
        # As many as there would be if the share of the even choice is that of all trials.
        numbers = is_active.sum(axis=0) / max(len(ranked.subsample), 1) * history.n
        trials, weights = [], []
        for active, n in zip(among_best.T, numbers.tolist(), strict=True):
            best = ranked.best[active]
            weight = options.good_weights(round(n))[: len(best)]
            trials.append(best[: len(weight)])
            weights.append(weight)
        centres, padded = _gather(layout, values, trials, weights)
        good = parzen_mixture(
            layout, centres, padded, options.good_bandwidth, options.prior_weight
        )
        return cls(space, layout, history, options, ranked, is_active, trials, weights, good)

    @property
    def incumbent(self) -> FloatArray:
        """The latents (p,) of the trial with the lowest loss."""
        row: FloatArray = self.history.values[self.ranked.best[0]]
        return row

    def draw(self, rng: np.random.Generator, k: int) -> FloatArray:
        """Returns ``k`` candidates, latents (k, p).

        Some are drawn from l(x), the others, which come last, from the product of its marginal
        densities.
        """
        rows = np.empty((k, len(self.space.columns)))
        from_marginals = np.arange(k) >= self.options.joint * k
        rows[:, self.layout.index] = self.good_density.sample(rng, k, from_marginals)
        return np.where(self.space.active(rows), rows, np.nan)

    def bad_density(self, pending: FloatArray) -> Mixture:
        """Returns the density g(x) of bad, failed and pending trials.

        Args:
            pending: (m, p) latents of the pending trials.
        """
        centres, weights = self._bad_trials
        most = max(_MAX_BAD, _MAX_PENDING_VALUES // max(pending.shape[1], 1))
        pending = pending[systematic_sample(len(pending), most)]
        waits = ~np.isnan(pending[:, self.layout.group_heads])
        return parzen_mixture(
            self.layout,
            np.concatenate([centres, pending[:, self.layout.index].T], axis=1),
            np.concatenate([weights, self.options.pending_weight * waits.T], axis=1),
            self.options.bad_bandwidth,
            self.options.prior_weight,
        )

    @cached_property
    def _bad_trials(self) -> tuple[FloatArray, FloatArray]:
        """Values (d, m) and weights (G, m) of bad and failed trials, the same for a batch."""
        values, even = self.history.values, self.ranked.subsample
        trials, weights = [], []
        for active, good, weight in zip(
            self.is_active.T, self.good_trials, self.good_weights, strict=True
        ):
            rest = np.ones(len(values))
            rest[good] -= weight
            # By id, so by age: the weights of forgetting go from old to new.
            bad = even[active]
            bad = bad[rest[bad] > 0]
            bad = bad[systematic_sample(len(bad), _MAX_BAD)]
            trials.append(bad)
            weights.append(
                rest[bad] * forgetting_weights(len(bad), self.options.linear_forgetting)
            )
        centres, padded = _gather(self.layout, values, trials, weights)
        # A failed trial is as bad as any, however old.
        failed = self.history.failed[systematic_sample(len(self.history.failed), _MAX_BAD)]
        if not len(failed):
            return centres, padded
        took_part = ~np.isnan(failed[:, self.layout.group_heads])
        return (
            np.concatenate([centres, failed[:, self.layout.index].T], axis=1),
            np.concatenate([padded, took_part.T.astype(np.float64)], axis=1),
        )

    def log_ratio(self, bad: Mixture, rows: FloatArray) -> FloatArray:
        """Returns log l(x) - log g(x), (k,), of rows of latents (k, p).

        Expected improvement is a monotone function of it (Bergstra et al., 2011, section 4).

        Args:
            bad: The density g(x).
            rows: (k, p) latents, NaN where a column is inactive.
        """
        x = rows[:, self.layout.index]
        points = Points.of(self.layout, x, ~np.isnan(x))
        l_joint, l_marginal = self.good_density.log_densities(points)
        g_joint, g_marginal = bad.log_densities(points)
        # The geometric mean of two models: joint densities know interactions, and products of
        # marginal ones, as in the papers of Bergstra, generalise from fewer trials.
        joint = self.options.joint
        return joint * (l_joint - g_joint) + (1 - joint) * (l_marginal - g_marginal)


def _gather(
    layout: Layout, values: FloatArray, trials: list[IndexArray], weights: list[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Values (d, m) of each column in the trials of its group, NaN where there are no more.

    Also their weights, (G, m), 0 where there are no more.
    """
    m = max(map(len, trials), default=0)
    place = np.zeros((len(trials), m), dtype=np.intp)
    padded = np.zeros((len(trials), m))
    missing = np.ones((len(trials), m), dtype=np.bool_)
    for i, (chosen, weight) in enumerate(zip(trials, weights, strict=True)):
        place[i, : len(chosen)], padded[i, : len(chosen)] = chosen, weight
        missing[i, : len(chosen)] = False
    found = values[place[layout.group], layout.index[:, None]]
    return np.where(missing[layout.group], np.nan, found), padded


@lru_cache(maxsize=_MAX_BAD)
def forgetting_weights(n: int, latest: int) -> FloatArray:
    """Returns the weights (n,) of trials from old to new: rising linearly to 1.

    Args:
        n: The number of trials.
        latest: So many of the latest trials have weight 1; 0 gives all of them weight 1.
    """
    if latest == 0 or n <= latest:
        return np.ones(n)
    return np.append(np.linspace(1 / n, 1, n - latest), np.ones(latest))


def parzen_mixture(
    layout: Layout, centres: FloatArray, weights: FloatArray, least: float, prior_weight: float
) -> Mixture:
    """Returns the mixtures of kernels at observations, and of the prior.

    Args:
        layout: The d columns, in G groups.
        centres: (d, m) latents of the observations; NaN where a group has fewer than others.
        weights: (G, m) weights of the observations, 0 where there is none.
        least: Least bandwidth, see :func:`bandwidths`.
        prior_weight: Weight of the prior, which is one more component.
    """
    n, missing = layout.n_numeric, np.isnan(centres)
    count = centres.shape[1] - missing.sum(axis=1)
    weights = np.append(weights, np.full((len(weights), 1), prior_weight), axis=1)
    with np.errstate(divide="ignore"):  # a weight of 0 takes a component out
        log_weights = np.log(weights / weights.sum(axis=1, keepdims=True))
    # c = C / (m + C): of m observations' kernels, the share that is spread as the prior falls
    # with m; C, the prior's strength, is one observation for each option.
    sizes = prior_weight * layout.n_options
    return Mixture(
        layout,
        log_weights,
        np.where(missing[:n], layout.centre[:, None], centres[:n]),
        bandwidths(layout, centres[:n], count[:n], least),
        centres[n:],
        sizes / (np.maximum(count[n:], 1) + sizes),
    )


def bandwidths(layout: Layout, mu: FloatArray, count: IndexArray, least: float) -> FloatArray:
    """Returns the bandwidths (d_n, m) of kernels in numeric columns.

    A bandwidth is the larger one of the gaps between a centre and its neighbours, the prior's
    centre being one of them (Bergstra et al., 2011, section 4).

    Args:
        layout: The columns.
        mu: (d_n, m) centres of the kernels, NaN where there is none.
        count: (d_n,) how many of the centres are not NaN.
        least: A bandwidth is at least ``least`` times the column's width / min(100, count + 2),
            which is Hyperopt's limit if it is 1 (Watanabe, 2023), and at least half a step; it
            is at most ``layout.max_bandwidth``.
    """
    rows = np.arange(len(mu))[:, None]
    centres = np.concatenate([mu, layout.centre[:, None]], axis=1)
    order = np.argsort(centres, axis=1, kind="stable")  # NaN last
    gaps = np.diff(centres[rows, order], axis=1)
    gaps[np.isnan(gaps)] = 0.0  # beyond the last centre
    none = np.zeros((len(mu), 1))
    sigma = np.empty_like(centres)
    sigma[rows, order] = np.maximum(np.append(none, gaps, axis=1), np.append(gaps, none, axis=1))
    sigma = sigma[:, :-1]
    # A single centre has a neighbour on one side alone; on the other it has the bound.
    alone = np.flatnonzero(count == 1)
    if len(alone):
        off = np.abs(np.nansum(mu[alone], axis=1) - layout.centre[alone])
        sigma[alone] = np.maximum(off, layout.scale[alone] / 2 - off)[:, None]
    # A kernel narrower than a cell would put all its mass on one value.
    floor = np.maximum(least * layout.scale / np.minimum(100, count + 2), 0.5 * layout.step)
    ceiling = np.maximum(layout.max_bandwidth, floor)
    clipped: FloatArray = np.clip(sigma, floor[:, None], ceiling[:, None])
    return clipped
