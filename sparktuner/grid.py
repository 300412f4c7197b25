"""Grid search: ``algo=grid.suggest`` or ``partial(grid.suggest, resolution=4)``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document
from sparktuner.suggest import SearchedTrials, propose_grid, suggest_with

__all__ = ["suggest"]


def suggest(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    resolution: int = 5,
) -> list[Document]:
    """Points of the grid that were not tried yet, in an order that ``seed`` shuffles.

    Returns:
        Fewer documents than ids when the grid is exhausted, which ends the search.

    Args:
        new_ids: ids of the trials to make.
        domain: the objective and its space.
        trials: the search so far; what is in it is not suggested again.
        seed: shuffles the order.
        resolution: values of each parameter that has more than so many steps, or is
            continuous: quantiles of its prior. Choices and integers keep all of theirs.

    Raises:
        BadSearchSpace: the grid has more than a million points.
        ValueError: ``resolution`` is below 1.
    """
    if resolution < 1:
        raise ValueError(f"resolution must be at least 1, got {resolution}")
    propose = partial(propose_grid, resolution=resolution)
    return suggest_with(propose, new_ids, domain, trials, seed)
