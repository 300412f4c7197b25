"""Grid search: ``algo=grid.suggest`` or ``partial(grid.suggest, resolution=4)``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from sparktuner.checks import check_whole
from sparktuner.domain import Domain
from sparktuner.records import TrialDocument
from sparktuner.suggest import SearchedTrials, propose_grid, suggest_with, with_options

__all__ = ["suggest"]


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)


@with_options()
def suggest(
    new_ids: Sequence[int],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    resolution: int = 5,
) -> list[TrialDocument]:
    """Suggests points of a grid that were not tried yet, for ``fmin``'s ``algo``.

    Args:
        new_ids: Ids of the trials to make.
        domain: The objective and its space.
        trials: The search so far; no point that is in it is suggested again.
        seed: Shuffles the order of the points.
        resolution: How many values a parameter takes that is continuous, or has more steps than
            this: quantiles of its prior. Choices and integers keep all their values.

    Returns:
        A trial document for each id; fewer once the grid is exhausted, which ends the search.

    Raises:
        BadSearchSpace: The grid has more than a million points.
        ValueError: ``resolution`` is below 1, or above a million.
        TypeError: ``resolution`` is no integer.

    >>> from functools import partial
    >>> from sparktuner import Trials, fmin, grid, hp
    >>> space = {"x": hp.uniform("x", 0, 8), "kind": hp.choice("kind", ["a", "b"])}
    >>> trials = Trials()
    >>> best = fmin(lambda p: (p["x"] - 3) ** 2, space, algo=partial(grid.suggest, resolution=4),
    ...             max_evals=100, trials=trials, rstate=0, verbose=False)
    >>> len(trials), best["x"]
    (8, 3.0)
    """
    check_whole("resolution", resolution, least=1, most=1_000_000)
    propose = partial(propose_grid, resolution=int(resolution))
    return suggest_with(propose, new_ids, domain, trials, seed)
