"""Random search: independent draws from the prior."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace


def propose_random(
    space: FlatSpace, history: History, n: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Returns ``n`` independent draws from the prior, as configurations; repeats may occur.

    Args:
        space: The space to search.
        history: Not used: what was tried before does not matter.
        n: How many configurations to suggest.
        rng: The source of randomness.
    """
    return space.decode(space.sample(rng, n))
