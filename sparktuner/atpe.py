"""Adaptive TPE, ranked by a Gaussian process: ``algo=atpe.suggest``, the default algorithm.

TPE, local moves around the best trials and the prior propose configurations, and a Gaussian
process, whose length scales are learnt from the trials themselves, ranks them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from sparktuner.domain import Domain
from sparktuner.records import TrialDocument
from sparktuner.suggest import (
    AtpeOptions,
    SearchedTrials,
    TpeOptions,
    learns,
    propose_adaptive,
    suggest_with,
    with_options,
)

__all__ = ["suggest"]


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)


@learns
@with_options(AtpeOptions)
def suggest(
    new_ids: Sequence[int],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    **options: float | TpeOptions,
) -> list[TrialDocument]:
    """Suggests configurations by adaptive TPE, for ``fmin``'s ``algo``.

    They are different and new as long as the space has any that were not tried; after that, the
    model decides what is worth a repetition.

    Args:
        new_ids: Ids of the trials to make.
        domain: The objective and its space.
        trials: The search so far, running trials included.
        seed: Equal seeds and trials give equal suggestions, in any process.
        **options: Fields of :class:`sparktuner.suggest.AtpeOptions`.

    Returns:
        A trial document for each id.

    Raises:
        ValueError: An option is out of its range; the message names it.
        TypeError: There is no such option.

    >>> from functools import partial
    >>> from sparktuner import atpe, fmin, hp
    >>> algo = partial(atpe.suggest, n_startup_jobs=5)
    >>> best = fmin(lambda x: (x - 3) ** 2, hp.uniform("x", 0, 10), algo=algo, max_evals=20,
    ...             rstate=0, verbose=False)
    >>> abs(best["x"] - 3) < 0.5
    True
    """
    make: Callable[..., AtpeOptions] = AtpeOptions
    propose = partial(propose_adaptive, options=make(**options))
    return suggest_with(propose, new_ids, domain, trials, seed)
