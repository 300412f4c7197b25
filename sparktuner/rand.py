"""Random search in Hyperopt's calling convention: ``algo=rand.suggest``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document, miscs_to_idxs_vals
from sparktuner.suggest import (
    SearchedTrials,
    propose_random,
    suggest_with,
)

__all__ = ["suggest", "suggest_batch"]


def suggest(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
) -> list[Document]:
    """A draw from the prior for each id."""
    return suggest_with(propose_random, new_ids, domain, trials, seed)


def suggest_batch(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """The same draws by label: ids where it is active, and its values there."""
    documents = suggest(new_ids, domain, trials, seed)
    return miscs_to_idxs_vals([document["misc"] for document in documents])
