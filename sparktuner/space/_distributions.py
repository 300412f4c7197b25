"""The three distributions that all twelve ``hp.*`` functions are made of.

Each distribution speaks of *values*, as the objective sees them (before they are made
native Python numbers), and of *latents*, the coordinate in which a model works: the value
itself, or its natural logarithm where ``log`` is set; the index for a category. All methods
but ``native`` and ``code`` are vectorised over arrays of shape (n,).

Random numbers enter as quantiles only (inverse transform sampling: Devroye, 1986, Non-Uniform
Random Variate Generation, ch. II.2), so that one point of the unit cube, random or from a
low-discrepancy sequence, is one configuration.
"""

from __future__ import annotations

from typing import TypeAlias

from sparktuner.space._discrete import Categorical, RandInt
from sparktuner.space._numeric import Numeric

Distribution: TypeAlias = Numeric | RandInt | Categorical

__all__ = ["Numeric", "RandInt", "Categorical", "Distribution"]
