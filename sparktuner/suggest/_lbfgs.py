"""A few steps of L-BFGS (Nocedal and Wright, 2006, algorithm 7.4), free of BLAS threads.

SciPy's solves triangular systems with OpenBLAS, which starts threads for them; on a busy
machine that takes longer than everything else in a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparktuner.space import FloatArray

_MEMORY = 8
_BOUND = 3.0
_LONGEST = 1.5


def lbfgs(
    loss: Callable[[FloatArray], tuple[float, FloatArray]], start: FloatArray, evaluations: int
) -> FloatArray:
    """The best point of a bounded number of evaluations, each coordinate within 3 of 0.

    Args:
        loss: value and gradient.
        start: where to begin.
        evaluations: how often ``loss`` may be called.
    """
    x, (value, gradient) = start, loss(start)
    pairs: list[tuple[FloatArray, FloatArray]] = []
    step = 1.0
    for _ in range(evaluations - 1):
        direction = _direction(gradient, pairs)
        slope = float(gradient @ direction)
        if slope > -1e-6:
            break
        longest = np.abs(direction).max()
        reach = step * min(1.0, _LONGEST / longest)
        candidate = np.clip(x + reach * direction, -_BOUND, _BOUND)
        new_value, new_gradient = loss(candidate)
        if new_value > value + 1e-4 * reach * slope:
            # Armijo's condition (eq. 3.4) fails: a shorter step in the same direction.
            step *= 0.35
            continue
        s, y = candidate - x, new_gradient - gradient
        if float(s @ y) > 1e-10:
            pairs = [*pairs, (s, y)][-_MEMORY:]
        x, value, gradient, step = candidate, new_value, new_gradient, 1.0
    return x


def _direction(gradient: FloatArray, pairs: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    if not pairs:
        return -gradient / max(1.0, float(np.abs(gradient).max()))
    q = -gradient
    shares = []
    for s, y in reversed(pairs):
        share = (s @ q) / (s @ y)
        q = q - share * y
        shares.append(share)
    s, y = pairs[-1]
    r = q * ((s @ y) / (y @ y))  # eq. (7.20)
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        r = r + s * (share - (y @ r) / (s @ y))
    direction: FloatArray = r
    return direction
