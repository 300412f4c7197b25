"""What is worked out once for a space, and forgotten with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from sparktuner.space import FlatSpace

T = TypeVar("T")


def remembered(function: Callable[[FlatSpace], T]) -> Callable[[FlatSpace], T]:
    """Returns a function of a space that works each space out once.

    A space is frozen, so remembering changes nothing but the time that it takes. The space may
    be large, for instance where its options are arrays, so it is not kept alive: the answer
    must not refer to it either.
    """
    known: WeakKeyDictionary[FlatSpace, T] = WeakKeyDictionary()

    @wraps(function)
    def remember(space: FlatSpace) -> T:
        # An answer may be falsy, or an array, which is neither.
        try:
            return known[space]
        except KeyError:
            answer = known[space] = function(space)
            return answer

    return remember
