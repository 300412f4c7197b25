"""Where random numbers come from, as users say it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from sparktuner.checks import check_rng

RngOrSeed: TypeAlias = np.random.Generator | np.random.RandomState | int | None


def as_generator(name: str, rng: RngOrSeed) -> np.random.Generator:
    """Returns the generator that is meant by an argument.

    Args:
        name: of the argument, for messages.
        rng: a generator, which is returned itself; a seed; a ``RandomState``, which moves on, so
            that the next generator is another; or None for one that cannot be repeated.

    Raises:
        TypeError: it is something else.

    Example:
        >>> int(as_generator("rng", 0).integers(100))
        85
    """
    # NumPy's own check recurses without end where a list holds itself.
    check_rng(name, rng)
    if isinstance(rng, np.random.RandomState):
        return np.random.default_rng(rng.randint(2**32, size=4, dtype=np.uint32))
    return np.random.default_rng(rng)
