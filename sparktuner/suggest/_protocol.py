"""The seam of all algorithms: a pure function of the space, the history and a generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document, History, new_document
from sparktuner.space import FlatSpace

# (space, history, n, rng) -> up to n configurations, active labels only. Fewer than n: the
# space is exhausted. No store, clock, thread or log inside; equal arguments, equal answer.
Propose: TypeAlias = Callable[[FlatSpace, History, int, np.random.Generator], list[dict[str, Any]]]


class SearchedTrials(Protocol):
    """What an algorithm may ask of a trials object."""

    @property
    def exp_key(self) -> str | None:
        """The experiment's key."""

    def history(self, space: FlatSpace) -> History:
        """The trials so far, brought up to date."""


def suggest_with(
    propose: Propose,
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
) -> list[Document]:
    """Documents for ``new_ids``, in Hyperopt's calling convention, from a pure algorithm.

    Returns:
        One document in state NEW for each id; fewer when the algorithm has no more to give.
    """
    space = domain.space
    rng = np.random.default_rng(seed)
    configurations = propose(space, trials.history(space), len(new_ids), rng)
    return [
        new_document(tid, configuration, space.labels, trials.exp_key)
        for tid, configuration in zip(new_ids, configurations, strict=False)
    ]
