"""Adaptive TPE, ranked by a Gaussian process: ``algo=atpe.suggest``, the default algorithm.

TPE, local moves around the best trials and the prior propose, a Gaussian process ranks; its
length scales are learnt from the trials themselves. The guide has figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document
from sparktuner.suggest import (
    AtpeOptions,
    SearchedTrials,
    learns,
    propose_adaptive,
    suggest_with,
)

__all__ = ["suggest"]


@learns
def suggest(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    **options: Any,
) -> list[Document]:
    """Different configurations for all ids, conditioned on finished and pending trials.

    Args:
        new_ids: ids of the trials to make.
        domain: the objective and its space.
        trials: the search so far.
        seed: equal seeds and trials give equal suggestions, in any process.
        **options: fields of :class:`sparktuner.suggest.AtpeOptions`.
    """
    settings = AtpeOptions(**options)
    propose = partial(propose_adaptive, options=settings)
    return suggest_with(propose, new_ids, domain, trials, seed)
