"""Annealed local search around good trials: ``algo=anneal.suggest``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document, miscs_to_idxs_vals
from sparktuner.suggest import (
    AnnealOptions,
    SearchedTrials,
    learns,
    propose_anneal,
    suggest_with,
)

__all__ = ["suggest", "suggest_batch"]


@learns
def suggest(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    avg_best_idx: float = 2.0,
    shrink_coef: float = 0.1,
) -> list[Document]:
    """For each id a move away from a good trial; moves shrink as trials accumulate.

    Args:
        new_ids: ids of the trials to make, any number of them.
        domain: the objective and its space.
        trials: the search so far.
        seed: equal seeds and trials give equal suggestions, in any process.
        avg_best_idx: mean rank, from 1, of the trial that a move starts from.
        shrink_coef: how fast moves shrink with the number of trials.
    """
    options = AnnealOptions(avg_best_idx, shrink_coef)
    propose = partial(propose_anneal, options=options)
    return suggest_with(propose, new_ids, domain, trials, seed)


def suggest_batch(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    avg_best_idx: float = 2.0,
    shrink_coef: float = 0.1,
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """The same by label: ids where it is active, and its values there."""
    documents = suggest(new_ids, domain, trials, seed, avg_best_idx, shrink_coef)
    return miscs_to_idxs_vals([document["misc"] for document in documents])
