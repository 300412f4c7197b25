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
    """Returns the probability Phi(x) that a standard normal value is at most ``x``.

    Example:
        >>> normal_cdf([0.0]).tolist()
        [0.5]
    """
    from scipy import special

    return np.asarray(special.ndtr(np.asarray(x, dtype=np.float64)))


def log_normal_cdf(x: npt.ArrayLike) -> FloatArray:
    """Returns the logarithm of :func:`normal_cdf`, exact far into the lower tail.

    Example:
        >>> log_normal_cdf([-40.0]).round(2).tolist()
        [-804.61]
    """
    # log(ndtr(x)) would be minus infinity from about -38 on.
    from scipy import special

    return np.asarray(special.log_ndtr(np.asarray(x, dtype=np.float64)))


def normal_quantile(u: npt.ArrayLike) -> FloatArray:
    """Returns the value that a standard normal one does not exceed with probability ``u``.

    It is infinite where ``u`` is 0 or 1.

    Example:
        >>> normal_quantile([0.5, 1.0]).tolist()
        [0.0, inf]
    """
    from scipy import special

    return np.asarray(special.ndtri(np.asarray(u, dtype=np.float64)))
