"""Low-discrepancy search: ``algo=qmc.suggest`` or ``partial(qmc.suggest, sequence="halton")``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import Document
from sparktuner.suggest import SearchedTrials, propose_qmc, suggest_with

__all__ = ["suggest"]


def suggest(
    new_ids: Sequence[Any],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    sequence: Literal["sobol", "halton"] = "sobol",
    scramble: int = 0,
) -> list[Document]:
    """The next points of a scrambled sequence that covers the space evenly.

    Args:
        new_ids: ids of the trials to make.
        domain: the objective and its space.
        trials: the search so far; how many there are is the position in the sequence.
        seed: not used: a sequence must not change from one call to the next.
        sequence: ``"sobol"`` or ``"halton"``.
        scramble: seed of the scrambling; another one is another search.
    """
    propose = partial(propose_qmc, sequence=sequence, scramble=scramble)
    return suggest_with(propose, new_ids, domain, trials, seed)
