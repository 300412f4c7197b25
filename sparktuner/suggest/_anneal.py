"""Annealed local search: moves around good trials that get smaller as trials accumulate.

Kirkpatrick, Gelatt, Vecchi (1983), "Optimization by simulated annealing", for the schedule
(little by little fewer parameters and smaller steps), and Solis and Wets (1981) for random
local steps around an incumbent. The choice of the incumbent and the keywords are Hyperopt's;
the moves are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._distinct import Tried, draw_each, first_new
from sparktuner.suggest._layout import IndexArray
from sparktuner.suggest._moves import perturb
from sparktuner.suggest._ranked import Ranked

_TRIES = 16


@dataclass(frozen=True)
class AnnealOptions:
    """What can be set on annealing.

    Attributes:
        avg_best_idx: mean rank, from 1, of the trial that a move starts from; the rank is
            geometric.
        shrink_coef: a parameter that was active in t trials moves by 1 / (1 + shrink_coef * t)
            of its width, and an option changes with that probability.
        floor: smallest step, as a share of the width.
    """

    avg_best_idx: float = 2.0
    shrink_coef: float = 0.1
    floor: float = 0.003

    def __post_init__(self) -> None:
        if not self.avg_best_idx >= 1:
            raise ValueError(f"avg_best_idx must be at least 1, got {self.avg_best_idx}")
        for name in ("shrink_coef", "floor"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")


def propose_anneal(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    options: AnnealOptions | None = None,
) -> list[dict[str, Any]]:
    """``n`` different configurations, each a move away from a good trial."""
    options = AnnealOptions() if options is None else options
    best = Ranked.of(history).best
    observed = (~np.isnan(history.values)).sum(axis=0)

    def suggest(pending: FloatArray, tried: Tried) -> FloatArray | None:
        return first_new(_moves(space, history, best, observed, rng, options), tried)

    return draw_each(space, history, n, rng, suggest if len(best) else None)


def _moves(
    space: FlatSpace,
    history: History,
    best: IndexArray,
    observed: np.ndarray,
    rng: np.random.Generator,
    options: AnnealOptions,
) -> FloatArray:
    """Several moves, the first one being the suggestion unless it was tried."""
    p = len(space.columns)
    rank = np.minimum(rng.geometric(1 / options.avg_best_idx, _TRIES), len(best)) - 1
    base = history.values[best[rank]]
    temperature = 1 / (1 + options.shrink_coef * observed)
    # At high temperature all parameters move, at low temperature a few of them.
    share = np.maximum(np.sqrt(temperature), min(1.0, 2 / p))
    change = rng.random((_TRIES, p)) < share
    active = ~np.isnan(base)
    pick = (rng.random((_TRIES, p)) * active).argmax(axis=1)
    change[np.arange(_TRIES), pick] = True
    spread = np.exp(rng.normal(0, 1, (_TRIES, 1)))
    sigma = np.maximum(0.5 * temperature * spread, options.floor)
    return perturb(space, base, change, sigma, rng)
