"""Which algorithms learn: their suggestions get better by the results that are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar, cast

F = TypeVar("F", bound=Callable[..., object])


class _Learner(Protocol):
    learns: bool


def learns(suggest: F) -> F:
    """Declares that an algorithm's suggestions get better by the results that are known.

    A search in parallel gives such an algorithm less to go by, of which ``fmin`` warns where
    it matters. An algorithm of your own may declare it too.

    Args:
        suggest: a function in Hyperopt's calling convention.

    Returns:
        The same function, whose attribute ``learns`` is True.

    >>> @learns
    ... def suggest(new_ids, domain, trials, seed):
    ...     return []
    >>> is_learning(suggest)
    True
    """
    cast(_Learner, suggest).learns = True
    return suggest


def is_learning(algo: object) -> bool:
    """Tells whether an algorithm was declared to learn, see :func:`learns`.

    Args:
        algo: what ``fmin`` takes as its ``algo``, also in ``functools.partial``. One that holds
            ``p_suggest``, the parts of ``mix.suggest``, learns if one of them does.

    >>> from sparktuner import mix, rand, tpe
    >>> is_learning(partial(tpe.suggest, gamma=0.25))
    True
    >>> is_learning(partial(mix.suggest, p_suggest=[(1.0, rand.suggest)]))
    False
    """
    if not isinstance(algo, partial):
        return getattr(algo, "learns", False) is True
    parts = algo.keywords.get("p_suggest")
    if parts is None:
        return is_learning(algo.func)
    return any(is_learning(part) for _, part in parts)
