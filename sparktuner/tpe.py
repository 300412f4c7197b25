"""The tree-structured Parzen estimator: ``algo=tpe.suggest``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document
from sparktuner.suggest import (
    Explanation,
    SearchedTrials,
    TpeOptions,
    explain_tpe,
    learns,
    propose_tpe,
    suggest_with,
)

__all__ = ["suggest", "explain", "Explanation"]


@learns
def suggest(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    prior_weight: float = 1.0,
    n_startup_jobs: int = 10,
    n_EI_candidates: int = 24,
    gamma: float | None = None,
    verbose: bool = True,
    **options: Any,
) -> list[Document]:
    """Different configurations for all ids, conditioned on finished and pending trials.

    Args:
        new_ids: ids of the trials to make.
        domain: the objective and its space.
        trials: the search so far.
        seed: equal seeds and trials give equal suggestions, in any process.
        prior_weight: weight of the prior in both densities; an observation's is at most 1.
        n_startup_jobs: random search until so many trials have ended, one of them with a loss.
        n_EI_candidates: draws from the density of good trials that are compared.
        gamma: gamma * sqrt(n) trials count as good, at most 25, as in Hyperopt, whose default
            is 0.25. None takes a tenth of the trials, at most 25.
        verbose: accepted for Hyperopt's sake; nothing is printed.
        **options: the other fields of :class:`sparktuner.suggest.TpeOptions`.
    """
    settings = TpeOptions(prior_weight, n_startup_jobs, n_EI_candidates, gamma, **options)
    propose = partial(propose_tpe, options=settings)
    return suggest_with(propose, new_ids, domain, trials, seed)


def explain(trials: SearchedTrials, domain: Domain, **options: Any) -> list[Explanation]:
    """For each parameter l(x) and g(x), which the next suggestion is drawn from, as arrays.

    Args:
        trials: the search so far; without any trial both densities are the prior.
        domain: the objective and its space.
        **options: fields of :class:`sparktuner.suggest.TpeOptions`.
    """
    return explain_tpe(domain.space, trials.history(domain.space), TpeOptions(**options))
