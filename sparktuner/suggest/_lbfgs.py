"""A few steps of L-BFGS, without BLAS threads.

Nocedal and Wright (2006), "Numerical optimization", algorithm 7.4. SciPy's L-BFGS-B solves
triangular systems with OpenBLAS, which starts threads for them; on a busy machine that takes
longer than everything else in a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparktuner.space import FloatArray

# Pairs (s, y) that the approximation of the inverse Hessian is made of.
_MEMORY = 8
# Coordinates are in standard deviations of their normal priors: what lies beyond three of them
# is a flat likelihood, not knowledge, and no step needs to be longer than half of that.
_BOUND = 3.0
_MAX_STEP = 1.5


def lbfgs(
    loss: Callable[[FloatArray], tuple[float, FloatArray]], start: FloatArray, evaluations: int
) -> FloatArray:
    """Returns the best point (d,) that a few evaluations of a function find.

    Args:
        loss: Gives the value and the gradient (d,) at a point (d,).
        start: (d,) the point to begin at.
        evaluations: How often ``loss`` may be called.

    Returns:
        A point whose coordinates are all from -3 to 3.
    """
    x, (value, gradient) = start, loss(start)
    pairs: list[tuple[FloatArray, FloatArray]] = []
    step = 1.0
    for _ in range(evaluations - 1):
        direction = _direction(gradient, pairs)
        slope = float(gradient @ direction)
        # Nothing to gain any more that would change which candidate is best.
        if slope > -1e-6:
            break
        longest = np.abs(direction).max()
        reach = step * min(1.0, _MAX_STEP / longest)
        candidate = np.clip(x + reach * direction, -_BOUND, _BOUND)
        new_value, new_gradient = loss(candidate)
        if new_value > value + 1e-4 * reach * slope:
            # eq. (3.4), Armijo's condition, fails: a shorter step in the same direction.
            step *= 0.35
            continue
        s, y = candidate - x, new_gradient - gradient
        # Without positive curvature the approximation would not stay positive definite.
        if float(s @ y) > 1e-10:
            pairs = [*pairs, (s, y)][-_MEMORY:]
        x, value, gradient, step = candidate, new_value, new_gradient, 1.0
    return x


def _direction(gradient: FloatArray, pairs: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    # Nothing is known of the curvature yet: steepest descent, at most one unit far.
    if not pairs:
        return -gradient / max(1.0, float(np.abs(gradient).max()))
    # Algorithm 7.4, the two loops. It is linear, so it may begin with -gradient.
    q = -gradient
    shares = []
    for s, y in reversed(pairs):
        share = (s @ q) / (s @ y)
        q = q - share * y
        shares.append(share)
    s, y = pairs[-1]
    r = q * ((s @ y) / (y @ y))  # eq. (7.20), the first guess of the inverse Hessian
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        r = r + s * (share - (y @ r) / (s @ y))
    direction: FloatArray = r
    return direction
