"""Low-discrepancy search: Sobol and Halton points through the priors' quantiles.

Owen (1998), "Scrambling Sobol' and Niederreiter-Xing points"; Owen (2017), "A randomized
Halton algorithm in R". ``scipy.stats.qmc`` makes the points of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np

from sparktuner.checks import check_whole, shown
from sparktuner.records import History
from sparktuner.space import FlatSpace

# scipy's Sobol sequence ends after so many points.
_PERIOD = 2**30


def propose_qmc(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    sequence: Literal["sobol", "halton"] = "sobol",
    scramble: int = 0,
    positions: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """Returns the next ``n`` points of a low-discrepancy sequence, as configurations.

    Args:
        space: The space to search.
        history: The trials so far. Without ``positions``, how many there are is the position in
            the sequence.
        n: How many configurations to suggest.
        rng: Not used, because it differs from call to call.
        sequence: Which sequence. Sobol's covers a space best when the number of trials is a
            power of two.
        scramble: Seed of the scrambling; another seed gives another search.
        positions: The positions in the sequence, n of them, from 0. The trials' ids are such:
            unlike their number, they repeat no point after a trial was cancelled.

    Raises:
        ValueError: ``sequence`` is neither of the two, or ``scramble`` is below 0.
        TypeError: ``scramble`` or a position is no integer.
    """
    from scipy.stats import qmc  # slow to import, needed only here

    if not isinstance(sequence, str) or sequence not in ("sobol", "halton"):
        raise ValueError(f"sequence must be 'sobol' or 'halton', got {shown(sequence)}")
    check_whole("scramble", scramble, least=0)
    if not space.columns or not n:
        return [{} for _ in range(n)]
    make = qmc.Sobol if sequence == "sobol" else qmc.Halton
    engine = make(len(space.columns), scramble=True, seed=int(scramble))
    if positions is None:
        start = history.n + len(history.pending) + len(history.failed)
        positions = range(start, start + n)
    if not all(isinstance(position, Integral) for position in positions):
        raise TypeError(f"new_ids must be integers for qmc, got {shown(positions)}")
    points = np.empty((n, len(space.columns)))
    for i in sorted(range(n), key=lambda i: positions[i] % _PERIOD):
        ahead = positions[i] % _PERIOD - engine.num_generated
        if ahead > 0:
            engine.fast_forward(ahead)
        # Points one at a time: Sobol warns about numbers that are no power of two.
        points[i] = engine.random(1)[0]
    return space.decode(space.from_unit(points))
