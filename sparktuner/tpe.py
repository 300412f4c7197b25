"""The tree-structured Parzen estimator: ``algo=tpe.suggest``.

Options are keywords: ``algo=partial(tpe.suggest, gamma=0.25)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from sparktuner.checks import check_flag
from sparktuner.domain import Domain
from sparktuner.records import TrialDocument
from sparktuner.suggest import (
    Explanation,
    SearchedTrials,
    TpeOptions,
    check_searched,
    explain_tpe,
    learns,
    propose_tpe,
    suggest_with,
    with_options,
)

__all__ = ["suggest", "explain", "Explanation"]


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)


# Takes keywords of which the class, not the caller, knows the names.
_options: Callable[..., TpeOptions] = TpeOptions


@learns
@with_options(TpeOptions)
def suggest(
    new_ids: Sequence[int],
    domain: Domain,
    trials: SearchedTrials,
    seed: int | np.random.Generator,
    prior_weight: float = 1.0,
    n_startup_jobs: int = 10,
    n_EI_candidates: int = 24,
    gamma: float | None = None,
    verbose: bool = True,
    **options: float,
) -> list[TrialDocument]:
    """Suggests configurations by the tree-structured Parzen estimator, for ``fmin``'s ``algo``.

    They are different and new as long as the space has any that were not tried; after that, the
    model decides what is worth a repetition.

    Args:
        new_ids: Ids of the trials to make.
        domain: The objective and its space.
        trials: The search so far, running trials included.
        seed: Equal seeds and trials give equal suggestions, in any process.
        prior_weight: Weight of the prior in both densities; an observation's is at most 1.
        n_startup_jobs: Suggestions are draws from the prior until so many trials have ended, at
            least one of them with a loss.
        n_EI_candidates: Number of draws from the density of good trials that are compared.
        gamma: Of n trials, gamma * sqrt(n) count as good, at most 25, as in Hyperopt, where
            gamma is 0.25. None takes a tenth of them, at most 25.
        verbose: Accepted because Hyperopt has it; nothing is printed.
        **options: The other fields of :class:`sparktuner.suggest.TpeOptions`.

    Returns:
        A trial document for each id.

    Raises:
        ValueError: An option is out of its range; the message names it.
        TypeError: There is no such option.

    >>> from functools import partial
    >>> from sparktuner import fmin, hp, tpe
    >>> algo = partial(tpe.suggest, n_startup_jobs=5)
    >>> best = fmin(lambda x: (x - 3) ** 2, hp.uniform("x", 0, 10), algo=algo, max_evals=30,
    ...             rstate=0, verbose=False)
    >>> abs(best["x"] - 3) < 1
    True
    """
    check_flag("verbose", verbose)
    settings = _options(
        prior_weight=prior_weight,
        n_startup_jobs=n_startup_jobs,
        n_EI_candidates=n_EI_candidates,
        gamma=gamma,
        **options,
    )
    propose = partial(propose_tpe, options=settings)
    return suggest_with(propose, new_ids, domain, trials, seed)


def explain(trials: SearchedTrials, domain: Domain, **options: float | None) -> list[Explanation]:
    """Returns for each parameter the densities that TPE's next suggestion would come from.

    They are l(x), of the good trials, and g(x), of the others, as arrays that can be plotted.

    Args:
        trials: The search so far; without any result, both densities are the prior.
        domain: The objective and its space.
        **options: Fields of :class:`sparktuner.suggest.TpeOptions`.

    Returns:
        An explanation for each parameter, in the order of the space.

    Raises:
        ValueError: An option is out of its range; the message names it.
        TypeError: There is no such option.

    >>> from sparktuner import Domain, Trials, fmin, hp, tpe
    >>> def objective(x):
    ...     return (x - 3) ** 2
    >>> space, trials = hp.uniform("x", 0, 10), Trials()
    >>> best = fmin(objective, space, algo=tpe.suggest, max_evals=30, trials=trials, rstate=0,
    ...             verbose=False)
    >>> x = tpe.explain(trials, Domain(objective, space))[0]
    >>> bool(abs(x.values[x.good.argmax()] - 3) < 1)
    True
    """
    check_searched(domain, trials)
    return explain_tpe(domain.space, trials.history(domain.space), _options(**options))
