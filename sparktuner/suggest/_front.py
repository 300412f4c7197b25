"""From a pure algorithm with options to a function in Hyperopt's calling convention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document, History
from sparktuner.space import FlatSpace
from sparktuner.suggest._protocol import SearchedTrials, suggest_with


def suggest_using(
    propose: Callable[..., list[dict[str, Any]]],
    options: Any,
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
) -> list[Document]:
    """Documents for ``new_ids`` from ``propose(space, history, n, rng, options)``."""

    def bound(
        space: FlatSpace, history: History, n: int, rng: np.random.Generator
    ) -> list[dict[str, Any]]:
        return propose(space, history, n, rng, options)

    return suggest_with(bound, new_ids, domain, trials, seed)
