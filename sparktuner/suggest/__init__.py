"""Algorithms: pure functions from a space, a history and a generator to configurations.

In reading order: the seam and its ways in, which algorithms learn, their options, searches
without a model (random, low-discrepancy, grid, annealing), the tree-structured Parzen estimator,
its adaptive hybrid with a Gaussian process, and
what a search may still gain.

Which one to take:

- ``atpe`` unless you know better: 0.57 times the regret of ``tpe`` after 100 trials (the guide
  has the figures), at 5 to 15 ms a suggestion, whatever the number of trials.
- ``tpe`` where the driver has to suggest hundreds of times a second, or for spaces of more than
  100 parameters: 2 to 8 ms a suggestion, nearly the same at 50,000 trials as at 1,000.
- ``anneal`` for a quick descent near what is known to be good; half a millisecond.
- ``qmc`` to cover a space evenly, for instance to see what matters; ``rand`` for the same with
  independent draws; ``grid`` when every combination is wanted.
- ``mix`` to take several of them in turn.
"""

from sparktuner.suggest._adaptive import AtpeOptions, propose_adaptive
from sparktuner.suggest._anneal import AnnealOptions, propose_anneal
from sparktuner.suggest._densities import TpeOptions
from sparktuner.suggest._explain import Explanation, explain_tpe
from sparktuner.suggest._grid import propose_grid
from sparktuner.suggest._learns import is_learning, learns
from sparktuner.suggest._options import check_options, with_options
from sparktuner.suggest._outlook import Outlook, outlook_of
from sparktuner.suggest._protocol import (
    Propose,
    SearchedTrials,
    Suggest,
    check_searched,
    suggest_with,
)
from sparktuner.suggest._qmc import propose_qmc
from sparktuner.suggest._random import propose_random
from sparktuner.suggest._tpe import propose_tpe

__all__ = [
    "Propose",
    "Suggest",
    "SearchedTrials",
    "suggest_with",
    "check_searched",
    "learns",
    "is_learning",
    "with_options",
    "check_options",
    "propose_random",
    "propose_qmc",
    "propose_grid",
    "AnnealOptions",
    "propose_anneal",
    "TpeOptions",
    "propose_tpe",
    "Explanation",
    "explain_tpe",
    "AtpeOptions",
    "propose_adaptive",
    "Outlook",
    "outlook_of",
]
