"""Random search in Hyperopt's calling convention: ``algo=rand.suggest``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import TrialDocument, miscs_to_idxs_vals
from sparktuner.suggest import (
    SearchedTrials,
    propose_random,
    suggest_with,
    with_options,
)

__all__ = ["suggest", "suggest_batch"]


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)


@with_options()
def suggest(
    new_ids: Sequence[int],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
) -> list[TrialDocument]:
    """Suggests independent draws from the prior, for ``fmin``'s ``algo``.

    Args:
        new_ids: Ids of the trials to make.
        domain: The objective and its space.
        trials: The search so far, of which nothing but its key is used.
        seed: Equal seeds give equal draws, in any process.

    Returns:
        A trial document for each id.

    >>> from sparktuner import fmin, hp, rand
    >>> best = fmin(lambda x: (x - 3) ** 2, hp.uniform("x", 0, 10), algo=rand.suggest,
    ...             max_evals=10, rstate=0, verbose=False)
    >>> 0 <= best["x"] <= 10
    True
    """
    return suggest_with(propose_random, new_ids, domain, trials, seed)


@with_options()
def suggest_batch(
    new_ids: Sequence[int],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
) -> tuple[dict[str, list[int]], dict[str, list[Any]]]:
    """Returns the draws of :func:`suggest` by label: the ids of its trials, and its values.

    The arguments are those of :func:`suggest`. A conditional parameter has ids and values of
    those trials only in which it is active.

    >>> from sparktuner import Domain, Trials, hp, rand
    >>> domain = Domain(lambda x: x, hp.uniform("x", 0, 1))
    >>> idxs, vals = rand.suggest_batch([4, 7], domain, Trials(), seed=0)
    >>> idxs, len(vals["x"])
    ({'x': [4, 7]}, 2)
    """
    documents = suggest(new_ids, domain, trials, seed)
    return miscs_to_idxs_vals([document["misc"] for document in documents])
