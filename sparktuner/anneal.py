"""Annealed local search around good trials: ``algo=anneal.suggest``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import TrialDocument, miscs_to_idxs_vals
from sparktuner.suggest import (
    AnnealOptions,
    SearchedTrials,
    learns,
    propose_anneal,
    suggest_with,
    with_options,
)

__all__ = ["suggest", "suggest_batch"]


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)


@learns
@with_options()
def suggest(
    new_ids: Sequence[int],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    avg_best_idx: float = 2.0,
    shrink_coef: float = 0.1,
) -> list[TrialDocument]:
    """Suggests moves from good trials that shrink as trials accumulate, for ``fmin``'s ``algo``.

    They lead to different and new configurations as long as the space has any that were not
    tried; after that, good trials are repeated, or changed a little.

    Args:
        new_ids: Ids of the trials to make, any number of them.
        domain: The objective and its space.
        trials: The search so far, running trials included.
        seed: Equal seeds and trials give equal suggestions, in any process.
        avg_best_idx: Mean rank, from 1, of the trial that a move starts from.
        shrink_coef: How fast moves shrink with the number of trials.

    Returns:
        A trial document for each id.

    Raises:
        ValueError: An option is out of its range; the message names it.

    >>> from functools import partial
    >>> from sparktuner import anneal, fmin, hp
    >>> algo = partial(anneal.suggest, shrink_coef=0.2)
    >>> best = fmin(lambda x: (x - 3) ** 2, hp.uniform("x", 0, 10), algo=algo, max_evals=30,
    ...             rstate=0, verbose=False)
    >>> abs(best["x"] - 3) < 1
    True
    """
    options = AnnealOptions(avg_best_idx, shrink_coef)
    propose = partial(propose_anneal, options=options)
    return suggest_with(propose, new_ids, domain, trials, seed)


@with_options()
def suggest_batch(
    new_ids: Sequence[int],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    avg_best_idx: float = 2.0,
    shrink_coef: float = 0.1,
) -> tuple[dict[str, list[int]], dict[str, list[Any]]]:
    """Returns what :func:`suggest` suggests, by label: the ids of its trials, and its values.

    The arguments are those of :func:`suggest`. A conditional parameter has ids and values of
    those trials only in which it is active.

    >>> from sparktuner import Domain, Trials, anneal, hp
    >>> domain = Domain(lambda x: x, hp.uniform("x", 0, 1))
    >>> idxs, vals = anneal.suggest_batch([4, 7], domain, Trials(), seed=0)
    >>> idxs, len(vals["x"])
    ({'x': [4, 7]}, 2)
    """
    documents = suggest(new_ids, domain, trials, seed, avg_best_idx, shrink_coef)
    return miscs_to_idxs_vals([document["misc"] for document in documents])
