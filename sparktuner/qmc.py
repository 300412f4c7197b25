"""Low-discrepancy search: ``algo=qmc.suggest`` or ``partial(qmc.suggest, sequence="halton")``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import TrialDocument
from sparktuner.suggest import SearchedTrials, propose_qmc, suggest_with, with_options

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
    sequence: Literal["sobol", "halton"] = "sobol",
    scramble: int = 0,
) -> list[TrialDocument]:
    """Suggests the next points of a sequence that covers the space evenly.

    It is to be given to ``fmin`` as its ``algo``.

    Args:
        new_ids: Ids of the trials to make, which are the positions in the sequence: no point is
            taken twice, whatever happens to its trial, and a resumed search goes on where it was.
        domain: The objective and its space.
        trials: The search so far, of which nothing but its key is used.
        seed: Not used, because a sequence must not change from one call to the next.
        sequence: ``"sobol"`` or ``"halton"``, both scrambled.
        scramble: Seed of the scrambling; another seed gives another search.

    Returns:
        A trial document for each id.

    Raises:
        ValueError: ``sequence`` is neither of the two.

    >>> from sparktuner import Trials, fmin, hp, qmc
    >>> trials = Trials()
    >>> best = fmin(lambda x: (x - 3) ** 2, hp.uniform("x", 0, 8), algo=qmc.suggest,
    ...             max_evals=8, trials=trials, rstate=0, verbose=False)
    >>> sorted(int(x) for x in trials.vals["x"])
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    propose = partial(propose_qmc, sequence=sequence, scramble=scramble, positions=new_ids)
    return suggest_with(propose, new_ids, domain, trials, seed)
