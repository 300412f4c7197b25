"""Low-discrepancy search: Sobol and Halton points through the priors' quantiles.

Owen (1998), "Scrambling Sobol' and Niederreiter-Xing points"; Owen (2017), "A randomized
Halton algorithm in R". ``scipy.stats.qmc`` makes the points of both.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace


def propose_qmc(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    sequence: Literal["sobol", "halton"] = "sobol",
    scramble: int = 0,
) -> list[dict[str, Any]]:
    """Returns the next ``n`` points of a low-discrepancy sequence, as configurations.

    Args:
        space: The space to search.
        history: The trials so far. How many there are is the position in the sequence, so that
            a resumed search goes on where it was.
        n: How many configurations to suggest.
        rng: Not used, because it differs from call to call.
        sequence: Which sequence. Sobol's covers a space best when the number of trials is a
            power of two.
        scramble: Seed of the scrambling; another seed gives another search.

    Raises:
        ValueError: ``sequence`` is neither of the two.
    """
    from scipy.stats import qmc  # slow to import, needed only here

    if sequence not in ("sobol", "halton"):
        raise ValueError(f"sequence must be 'sobol' or 'halton', got {sequence!r}")
    if not space.columns or not n:
        return [{} for _ in range(n)]
    make = qmc.Sobol if sequence == "sobol" else qmc.Halton
    engine = make(len(space.columns), scramble=True, seed=scramble)
    start = history.n + len(history.pending) + len(history.failed)
    if start:
        engine.fast_forward(start)
    # Points one at a time: Sobol warns about numbers that are no power of two.
    points = np.concatenate([engine.random(1) for _ in range(n)])
    return space.decode(space.from_unit(points))
