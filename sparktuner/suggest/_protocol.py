"""The seam of all algorithms: a pure function of the space, the history and a generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from sparktuner.checks import check_has, shown
from sparktuner.domain import Domain
from sparktuner.records import Configuration, History, Tid, TrialDocument, new_document
from sparktuner.space import FlatSpace, as_generator

# (space, history, n, rng) -> up to n configurations, active labels only. Fewer than n: the
# space is exhausted. No store, clock, thread or log inside; equal arguments, equal answer.
Propose: TypeAlias = Callable[
    [FlatSpace, History, int, np.random.Generator], Sequence[Configuration]
]


class SearchedTrials(Protocol):
    """What an algorithm may ask of the trials so far."""

    @property
    def exp_key(self) -> str | None:
        """The experiment's key."""

    def history(self, space: FlatSpace) -> History:
        """Returns the trials so far as arrays, brought up to date."""


class Suggest(Protocol):
    """An algorithm, as ``fmin`` takes it: ``algo=tpe.suggest``, or a function of your own.

    An algorithm of your own starts best from the documents that ``rand.suggest`` makes.
    """

    def __call__(
        self, new_ids: list[Tid], domain: Domain, trials: Any, seed: int, /
    ) -> list[TrialDocument]:
        """Returns a document in state NEW for each id; fewer of them end the search.

        Args:
            new_ids: the ids of the trials to make.
            domain: the objective and its space; ``domain.space`` has the columns.
            trials: the :class:`sparktuner.Trials` of the search.
            seed: below 2**31; the same for the same ids and the same ``rstate``.
        """


def check_searched(domain: object, trials: object) -> None:
    """Refuses what algorithms cannot be called with.

    Raises:
        TypeError: ``domain`` is no domain, or ``trials`` no trials.
    """
    check_has("domain", domain, ("expr", "space"), "a Domain, such as Domain(fn, space)")
    check_has("trials", trials, ("history",), "a Trials object, such as Trials()")


def suggest_with(
    propose: Propose,
    new_ids: Sequence[Tid],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
) -> list[TrialDocument]:
    """Returns documents for ``new_ids`` from a pure algorithm, as Hyperopt's are called.

    Returns:
        One document in state NEW for each id; fewer when the algorithm has no more to give.
        Where the domain has no objective, values are NumPy scalars: a library runs the
        trials, and those that build on Hyperopt (nni) call ``value.item()``.

    Raises:
        TypeError: an argument is of the wrong type.
    """
    check_searched(domain, trials)
    listed = isinstance(new_ids, list | tuple | range | np.ndarray)
    if not listed or getattr(new_ids, "ndim", 1) == 0:
        raise TypeError(f"new_ids must be a list of trials' ids, got {shown(new_ids)}")
    space = domain.space
    rng = as_generator("seed", seed)
    configurations = propose(space, trials.history(space), len(new_ids), rng)
    if not domain.has_objective:
        configurations = [{k: _scalar(v) for k, v in c.items()} for c in configurations]
    return [
        new_document(tid, configuration, space.labels, trials.exp_key)
        for tid, configuration in zip(new_ids, configurations, strict=False)
    ]


def _scalar(value: object) -> object:
    scalar = np.asarray(value)
    # Integers beyond 64 bits have none.
    return value if scalar.dtype == object else scalar[()]
