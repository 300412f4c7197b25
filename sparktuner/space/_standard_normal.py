"""The standard normal distribution; SciPy is imported when the first value is asked for.

Importing ``scipy.special`` takes longer than all the rest of sparktuner, and a program that
only defines a space, or reads trials, never needs it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]


def normal_cdf(x: npt.ArrayLike) -> FloatArray:
    """Probability of a value of at most ``x``."""
    from scipy import special

    return np.asarray(special.ndtr(np.asarray(x, dtype=np.float64)))


def log_normal_cdf(x: npt.ArrayLike) -> FloatArray:
    """Its logarithm, exact far into the lower tail."""
    from scipy import special

    return np.asarray(special.log_ndtr(np.asarray(x, dtype=np.float64)))


def normal_quantile(u: npt.ArrayLike) -> FloatArray:
    """The value that is not exceeded with probability ``u``; infinite at 0 and 1."""
    from scipy import special

    return np.asarray(special.ndtri(np.asarray(u, dtype=np.float64)))
