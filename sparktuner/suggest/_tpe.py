"""Tree-structured Parzen estimator.

Bergstra, Bardenet, Bengio, Kégl (2011), "Algorithms for hyper-parameter optimization": the
next configuration is the draw from l(x), the density of good trials, with the highest
l(x) / g(x), where g(x) is the density of the others. Kernels are as wide as the larger gap to
a neighbour (their section 4). Older bad trials weigh less (the linear forgetting of Bergstra,
Yamins, Cox, 2013).

What is different here:

- Densities are joint over each group of parameters that are active together (Falkner, Klein,
  Hutter, 2018, section 3.2). A joint density of a few trials knows interactions, the product
  of its marginals (which the papers of Bergstra use) generalises better: half the candidates
  come from either, and the score is the mean of the two log ratios.
- Each group splits the trials in which *it* was active, so that a branch is judged against
  itself.
- Good trials are weighted by rank, the kernels of bad ones have twice the least width.
- The prior's component is the prior itself; pending trials count as bad ones.
- At most ``_MOST_BAD`` bad trials enter g, evenly chosen. The standard error of g(x) from
  that choice is below sqrt(E_g[k^2] / E_g[k]^2 / _MOST_BAD) of g(x), k the kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._distinct import Tried, draw_new, first_new
from sparktuner.suggest._groups import Group, IndexArray, groups_of
from sparktuner.suggest._parzen import Mixture, log_prior

_MOST_BAD = 256
_MOST_GOOD = 25
# Trials looked at to find the bad ones of a group, evenly chosen; the good ones are sought
# among the best _MOST_RANKED of all.
_MOST_SEEN = 4096
_MOST_RANKED = 512


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


def propose_tpe(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    options: TpeOptions | None = None,
) -> list[dict[str, Any]]:
    """``n`` different configurations; see the module's docstring."""
    options = TpeOptions() if options is None else options
    tried = Tried(history)
    rows = np.empty((n, len(space.columns)))
    for i in range(n):
        if history.n < max(options.n_startup_jobs, 1):
            rows[i] = draw_new(space, tried, rng)
        else:
            pending = np.concatenate([history.pending, rows[:i]])
            rows[i] = _next(space, history, pending, tried, rng, options)
        tried.add(rows[i])
    return space.decode(rows)


def _next(
    space: FlatSpace,
    history: History,
    pending: FloatArray,
    tried: Tried,
    rng: np.random.Generator,
    options: TpeOptions,
) -> FloatArray:
    models = densities(space, history, pending, options)
    candidates = draw_candidates(space, models, rng, options.n_EI_candidates)
    score = log_ratio(models, candidates)
    # Rounded, so that the last bits of a sum, which depend on the machine, decide nothing.
    best_first = candidates[np.argsort(-np.round(score, 9), kind="stable")]
    new = first_new(best_first, tried)
    return draw_new(space, tried, rng) if new is None else new


@dataclass(frozen=True, eq=False)
class Densities:
    """l(x) and g(x) of one group, and the share of the joint densities."""

    group: Group
    good: Mixture
    bad: Mixture
    joint: float

    def log_ratio(self, x: FloatArray) -> FloatArray:
        """log l(x) - log g(x) at latents (k, d); (k,)."""
        prior = log_prior(self.group, x)
        good, good_alone = self.good.log_densities(x, prior)
        bad, bad_alone = self.bad.log_densities(x, prior)
        return self.joint * (good - bad) + (1 - self.joint) * (good_alone - bad_alone)


def densities(
    space: FlatSpace, history: History, pending: FloatArray, options: TpeOptions
) -> list[Densities]:
    """The densities that the next suggestion is drawn from, for each group."""
    seen = Ranked.of(history)
    models = []
    for group in groups_of(space):
        good, bad = _good_and_bad(group, history.values, seen, pending, options)
        models.append(Densities(group, good, bad, options.joint))
    return models


def draw_candidates(
    space: FlatSpace, models: list[Densities], rng: np.random.Generator, k: int
) -> FloatArray:
    """``k`` draws from l(x), (k, p)."""
    rows = np.full((k, len(space.columns)), np.nan)
    for model in models:
        on = np.flatnonzero(model.group.is_active(rows))
        if len(on):
            crossed = on >= model.joint * k
            rows[on[:, None], model.group.index] = model.good.sample(rng, len(on), crossed)
    return rows


def log_ratio(models: list[Densities], rows: FloatArray) -> FloatArray:
    """log l(x) - log g(x) of rows (k, p); (k,)."""
    score = np.zeros(len(rows))
    for model in models:
        on = np.flatnonzero(model.group.is_active(rows))
        if len(on):
            score[on] += model.log_ratio(rows[on[:, None], model.group.index])
    return score


@dataclass(frozen=True, eq=False)
class Ranked:
    """The trials that a model looks at: by loss the best ones, by id an even choice.

    Both are in an order that does not depend on the order in which the results came in.
    """

    best: IndexArray
    even: IndexArray

    @classmethod
    def of(cls, history: History) -> Ranked:
        n = history.n
        best = np.arange(n)
        if n > _MOST_RANKED:
            best = np.argpartition(history.losses, _MOST_RANKED)[:_MOST_RANKED]
        best = best[np.lexsort((history.tids[best], history.losses[best]))]
        even = np.argsort(history.tids, kind="stable")[evenly(n, _MOST_SEEN)]
        return cls(best, even)


def evenly(n: int, most: int) -> IndexArray:
    """At most ``most`` of the positions 0 .. n - 1, at equal distances."""
    if n <= most:
        return np.arange(n, dtype=np.intp)
    return np.arange(most, dtype=np.intp) * n // most


def _good_and_bad(
    group: Group, values: FloatArray, seen: Ranked, pending: FloatArray, options: TpeOptions
) -> Iterator[Mixture]:
    first = group.index[0]
    best = seen.best[~np.isnan(values[seen.best, first])]
    even = seen.even[~np.isnan(values[seen.even, first])]
    # As many as there would be if the share of the even choice is that of all trials.
    share = len(even) / max(len(seen.even), 1)
    n = round(share * len(values))
    good = best[: options.good_of(n)]
    is_good = np.zeros(len(values), dtype=np.bool_)
    is_good[good] = True
    bad = even[~is_good[even]]
    bad = bad[evenly(len(bad), _MOST_BAD)]
    waiting = pending[~np.isnan(pending[:, first])][:, group.index]
    m = len(good)
    weights = 1 - np.arange(m) / m if options.rank_weights else np.ones(m)
    yield parzen(
        group, values[good[:, None], group.index], weights, options.good_bandwidth, options
    )
    yield parzen(
        group,
        np.concatenate([values[bad[:, None], group.index], waiting]),
        np.append(
            forgetting(len(bad), options.linear_forgetting),
            np.full(len(waiting), options.pending_weight),
        ),
        options.bad_bandwidth,
        options,
    )


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
