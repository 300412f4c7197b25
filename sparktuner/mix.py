"""A mixture of algorithms: ``partial(mix.suggest, p_suggest=[(0.2, rand.suggest), ...])``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document
from sparktuner.suggest import SearchedTrials

__all__ = ["suggest"]


def suggest(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    p_suggest: Sequence[tuple[float, Callable[..., list[Document]]]],
) -> list[Document]:
    """Let one algorithm, drawn with its probability, suggest for all of ``new_ids``.

    Args:
        new_ids: ids of the trials to make.
        domain: the objective and its space.
        trials: the search so far.
        seed: decides which algorithm is drawn, and is the source of its own seed.
        p_suggest: pairs of (probability, suggest).

    Raises:
        ValueError: the probabilities are negative or do not sum to 1.
    """
    p = [float(share) for share, _ in p_suggest]
    if any(share < 0 for share in p) or not math.isclose(math.fsum(p), 1.0, abs_tol=1e-6):
        raise ValueError(f"the probabilities of p_suggest must sum to 1, got {p}")
    rng = np.random.default_rng(seed)
    index = int(np.searchsorted(np.cumsum(p) / math.fsum(p), rng.random(), side="right"))
    chosen = p_suggest[min(index, len(p) - 1)][1]
    return chosen(new_ids, domain, trials, int(rng.integers(2**31 - 1)))
