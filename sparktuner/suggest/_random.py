"""Random search: independent draws from the prior."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace


def propose_random(
    space: FlatSpace, history: History, n: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """``n`` independent draws; what was tried before does not matter, repeats may occur."""
    return space.decode(space.sample(rng, n))
