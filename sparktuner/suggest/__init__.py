"""Algorithms: pure functions from a space, a history and a generator to configurations.

In reading order: the seam, random search, the tree-structured Parzen
estimator, and its adaptive hybrid with a Gaussian process.
"""

from sparktuner.suggest._adaptive import AtpeOptions, propose_adaptive
from sparktuner.suggest._batch import idxs_vals
from sparktuner.suggest._protocol import Propose, SearchedTrials, suggest_with
from sparktuner.suggest._random import propose_random
from sparktuner.suggest._tpe import TpeOptions, propose_tpe

__all__ = [
    "Propose",
    "SearchedTrials",
    "suggest_with",
    "idxs_vals",
    "propose_random",
    "TpeOptions",
    "propose_tpe",
    "AtpeOptions",
    "propose_adaptive",
]
