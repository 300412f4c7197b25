"""Tree-structured Parzen estimator.

Bergstra, Bardenet, Bengio, Kégl (2011), "Algorithms for hyper-parameter optimization": the
next configuration is the draw from l(x), the density of good trials, with the highest
l(x) / g(x), where g(x) is the density of the others. Here both are multivariate over each
group of parameters that are active together (Falkner, Klein, Hutter, 2018, section 3.2).

Deviations: each group splits the trials in which *it* was active, so that a branch is
judged against itself; the prior's component is the prior itself; pending trials count as
bad ones; at most ``_MOST_BAD`` bad trials enter g, evenly chosen. The standard error of
g(x) from that choice is below sqrt(E_g[k^2] / E_g[k]^2 / _MOST_BAD) of g(x), k the kernel.
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
        prior_weight: weight of the prior in both densities; an observation's is 1.
        n_startup_jobs: random search until so many trials have *finished*.
        n_EI_candidates: draws from l(x) that are compared.
        gamma: ceil(gamma * sqrt(n)) trials are good, at most 25 (Hyperopt's split; its
            gamma is 0.25, which did worse at every number of workers).
        bandwidth: kernel width in units of a column's width, for one observation in one
            dimension; it shrinks as m ** (-1 / (d + 4)) (Scott, 1992, eq. 6.42).
        min_bandwidth: lower limit of the kernel width, same units.
        pending_weight: weight of a pending trial among the bad ones.
    """

    prior_weight: float = 1.0
    n_startup_jobs: int = 10
    n_EI_candidates: int = 24
    gamma: float = 1.0
    bandwidth: float = 0.2
    min_bandwidth: float = 0.01
    pending_weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.prior_weight > 0:
            raise ValueError(f"prior_weight must be above 0, got {self.prior_weight}")
        if self.n_startup_jobs < 0:
            raise ValueError(f"n_startup_jobs must be at least 0, got {self.n_startup_jobs}")
        if self.n_EI_candidates < 1:
            raise ValueError(f"n_EI_candidates must be at least 1, got {self.n_EI_candidates}")
        if not self.gamma > 0:
            raise ValueError(f"gamma must be above 0, got {self.gamma}")
        if not self.pending_weight >= 0:
            raise ValueError(f"pending_weight must be at least 0, got {self.pending_weight}")
        if not (self.bandwidth > 0 and self.min_bandwidth > 0):
            raise ValueError("bandwidth and min_bandwidth must be above 0")


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
    """l(x) and g(x) of one group."""

    group: Group
    good: Mixture
    bad: Mixture

    def log_ratio(self, x: FloatArray) -> FloatArray:
        """log l(x) - log g(x) at latents (k, d); (k,)."""
        prior = log_prior(self.group, x).sum(axis=1)
        return self.good.log_density(x, prior) - self.bad.log_density(x, prior)


def densities(
    space: FlatSpace, history: History, pending: FloatArray, options: TpeOptions
) -> list[Densities]:
    """The densities that the next suggestion is drawn from, for each group."""
    seen = Ranked.of(history)
    return [
        Densities(group, *_good_and_bad(group, history.values, seen, pending, options))
        for group in groups_of(space)
    ]


def draw_candidates(
    space: FlatSpace, models: list[Densities], rng: np.random.Generator, k: int
) -> FloatArray:
    """``k`` draws from l(x), (k, p)."""
    rows = np.full((k, len(space.columns)), np.nan)
    for model in models:
        on = np.flatnonzero(model.group.is_active(rows))
        if len(on):
            rows[on[:, None], model.group.index] = model.good.sample(rng, len(on))
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
    n_good = min(math.ceil(options.gamma * math.sqrt(n)), _MOST_GOOD)
    good = best[:n_good]
    is_good = np.zeros(len(values), dtype=np.bool_)
    is_good[good] = True
    bad = even[~is_good[even]]
    bad = bad[evenly(len(bad), _MOST_BAD)]
    waiting = pending[~np.isnan(pending[:, first])][:, group.index]
    yield parzen(
        group,
        values[good[:, None], group.index],
        np.ones(len(good)),
        options,
    )
    yield parzen(
        group,
        np.concatenate([values[bad[:, None], group.index], waiting]),
        np.append(np.ones(len(bad)), np.full(len(waiting), options.pending_weight)),
        options,
    )


def parzen(
    group: Group,
    observed: FloatArray,
    weights: FloatArray,
    options: TpeOptions,
) -> Mixture:
    """The mixture of kernels at ``observed`` (m, d), of weights (m,), and the prior."""
    m, n = len(observed), group.n_numeric
    weights = np.append(weights, options.prior_weight)
    shrink = max(m, 1) ** (-1 / (len(group.columns) + 4))
    sigma = np.maximum(options.bandwidth * shrink, options.min_bandwidth) * group.scale
    sigma = np.maximum(sigma, 0.5 * group.step)
    sizes = np.array([len(p) for p in group.p])
    with np.errstate(divide="ignore"):  # a weight of 0 takes a component out
        log_weights = np.log(weights / weights.sum())
    return Mixture(
        group,
        log_weights,
        observed[:, :n],
        sigma,
        observed[:, n:],
        sizes * options.prior_weight / (max(m, 1) + sizes * options.prior_weight),
    )
