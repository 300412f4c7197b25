"""Annealed local search: moves from good trials that get smaller as trials accumulate.

Kirkpatrick, Gelatt, Vecchi (1983), "Optimization by simulated annealing", for the schedule
(little by little fewer parameters and smaller steps), and Solis and Wets (1981) for random
local steps around an incumbent. The choice of the incumbent and the keywords are Hyperopt's;
the moves are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktuner.checks import check_number
from sparktuner.records import History
from sparktuner.space import BoolArray, FlatSpace, FloatArray
from sparktuner.suggest._distinct import suggest_each
from sparktuner.suggest._moves import perturb
from sparktuner.suggest._options import as_native
from sparktuner.suggest._ranked import RankedTrials

# Moves of which the first one that is new is suggested.
_TRIES = 16


@dataclass(frozen=True)
class AnnealOptions:
    """The options of annealing.

    Attributes:
        avg_best_idx: Mean rank, from 1, of the trial that a move starts from; the rank has a
            geometric distribution.
        shrink_coef: The temperature of a parameter that was active in t finished trials is
            1 / (1 + shrink_coef * t). Steps have that share of half a parameter's range, and
            the probability that it moves at all falls with it.
        floor: Smallest step, as a share of the parameter's range.

    Raises:
        ValueError: An option is out of its range; the message names it.
        TypeError: An option is no number.

    >>> from sparktuner.suggest import AnnealOptions
    >>> AnnealOptions(avg_best_idx=1.0).shrink_coef
    0.1
    """

    avg_best_idx: float = 2.0
    shrink_coef: float = 0.1
    floor: float = 0.003

    def __post_init__(self) -> None:
        check_number("avg_best_idx", self.avg_best_idx, least=1)
        for name in ("shrink_coef", "floor"):
            check_number(name, getattr(self, name), least=0)
        as_native(self)


def propose_anneal(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    options: AnnealOptions | None = None,
) -> list[dict[str, Any]]:
    """Returns ``n`` configurations, each by a move from a good trial.

    They are different and new as long as the space has any that were not tried. Before the
    first result they are draws from the prior.

    Args:
        space: The space to search.
        history: The trials so far; pending ones are not moved from, and not repeated.
        n: How many configurations to suggest.
        rng: The source of randomness.
        options: What can be set; None takes the defaults.
    """
    options = AnnealOptions() if options is None else options
    if not history.n:
        return suggest_each(space, history, n, rng, None)
    moves = _Moves(space, history, rng, options)
    return suggest_each(space, history, n, rng, moves.away, moves.nearby)


class _Moves:
    """Moves from good trials, with what all suggestions of one call share."""

    def __init__(
        self, space: FlatSpace, history: History, rng: np.random.Generator, options: AnnealOptions
    ) -> None:
        self._space, self._values, self._rng, self._options = space, history.values, rng, options
        self._best = RankedTrials.of(history).best
        observed = (~np.isnan(history.values)).sum(axis=0)
        self._temperature = 1 / (1 + options.shrink_coef * observed)  # (p,)

    def away(self, pending: FloatArray) -> FloatArray:
        """Returns rows of latents (k, p) that differ from good trials in a parameter at least."""
        p, rng = len(self._space.columns), self._rng
        base = self._bases(_TRIES)
        # At high temperature all parameters move, at low temperature a few of them.
        share = np.maximum(np.sqrt(self._temperature), min(1.0, 2 / p))
        change = rng.random((_TRIES, p)) < share
        active = ~np.isnan(base)
        pick = (rng.random((_TRIES, p)) * active).argmax(axis=1)
        change[np.arange(_TRIES), pick] = True
        return self._moved(base, change)

    def nearby(self, pending: FloatArray) -> FloatArray:
        """Returns one row of latents (1, p), a move that may come to nothing.

        At high temperature a parameter nearly always moves, at low temperature the row is
        mostly the good trial itself.
        """
        base = self._bases(1)
        return self._moved(base, self._rng.random(base.shape) < self._temperature)

    def _bases(self, k: int) -> FloatArray:
        """Good trials (k, p), the best one most often."""
        rank = self._rng.geometric(1 / self._options.avg_best_idx, k)
        bases: FloatArray = self._values[self._best[np.minimum(rank, len(self._best)) - 1]]
        return bases

    def _moved(self, base: FloatArray, change: BoolArray) -> FloatArray:
        spread = np.exp(self._rng.normal(0, 1, (len(base), 1)))
        sigma = np.maximum(0.5 * self._temperature * spread, self._options.floor)
        return perturb(self._space, base, change, sigma, self._rng)
