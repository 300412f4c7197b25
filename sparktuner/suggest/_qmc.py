"""Low-discrepancy search: Sobol and Halton points through the priors' quantiles.

Owen (1998), "Scrambling Sobol' and Niederreiter-Xing points"; Owen (2017), "A randomized
Halton algorithm in R". Both as scipy.stats.qmc makes them.
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
    """The next ``n`` points of one sequence.

    The position in the sequence is the number of trials so far, so that a resumed search
    goes on where it was; ``rng`` is not used, because it differs from call to call.

    Args:
        sequence: which one. Sobol's is the better one when their number is a power of two.
        scramble: seed of the scrambling; another one is another search.
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
