"""What a search was asked to do, for those who follow it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from sparktuner.space import FlatSpace


@dataclass(frozen=True)
class SearchSettings:
    """What a search was asked to do.

    Attributes:
        space: the search space in columns.
        objective: the objective's name.
        algorithm: the module of the algorithm, such as ``sparktuner.tpe``.
        max_evals: as given.
        timeout: seconds, the search's own or its trials'; None is no limit.
        max_queue_len: how many suggestions the algorithm is asked for at a time.
        seed: what the search was seeded with, where that is a number.
        parallelism: how many trials may run at a time, as given; None where nobody said.
        window: how many trials run at a time.

    Example:
        >>> from sparktuner import Callback, fmin, hp
        >>> class Told(Callback):
        ...     def on_search_settings(self, settings):
        ...         print(settings.algorithm, settings.max_evals, settings.space.labels)
        >>> best = fmin(
        ...     abs, hp.uniform("x", -1, 1), max_evals=3, callbacks=[Told()], verbose=False
        ... )
        sparktuner.atpe 3 ('x',)
    """

    space: FlatSpace
    objective: str
    algorithm: str
    max_evals: float | None
    timeout: float | None
    max_queue_len: int
    seed: int | None
    parallelism: int | None
    window: int


def module_of(algorithm: object) -> str:
    """Returns the module of an algorithm, also of one whose options were set by ``partial``."""
    while isinstance(algorithm, functools.partial):
        algorithm = algorithm.func
    return str(getattr(algorithm, "__module__", None) or type(algorithm).__module__)


def name_of(function: Any) -> str:
    """Returns a function's name for people; of an object that is called, its class's."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))
