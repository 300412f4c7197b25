"""A mixture of algorithms: ``partial(mix.suggest, p_suggest=[(0.2, rand.suggest), ...])``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from sparktuner.checks import check_callable, check_list, check_number, shown
from sparktuner.domain import Domain
from sparktuner.records import TrialDocument
from sparktuner.space import Node, as_generator
from sparktuner.suggest import SearchedTrials, with_options

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
    p_suggest: Sequence[tuple[float, Callable[..., list[TrialDocument]]]],
) -> list[TrialDocument]:
    """Lets one algorithm, drawn with its probability, suggest for all of ``new_ids``.

    Args:
        new_ids: Ids of the trials to make.
        domain: The objective and its space.
        trials: The search so far, running trials included.
        seed: Decides which algorithm is drawn, and is the source of that algorithm's own seed.
        p_suggest: Pairs of a probability and an algorithm.

    Returns:
        The trial documents that the algorithm suggests.

    Raises:
        ValueError: The probabilities are negative or do not sum to 1.
        TypeError: ``p_suggest`` is no list of such pairs.

    >>> from functools import partial
    >>> from sparktuner import fmin, hp, mix, rand, tpe
    >>> algo = partial(mix.suggest, p_suggest=[(0.2, rand.suggest), (0.8, tpe.suggest)])
    >>> best = fmin(lambda x: (x - 3) ** 2, hp.uniform("x", 0, 10), algo=algo, max_evals=30,
    ...             rstate=0, verbose=False)
    >>> abs(best["x"] - 3) < 1
    True
    """
    p = [float(share) for share, _ in _pairs(p_suggest)]
    if any(share < 0 for share in p) or not math.isclose(math.fsum(p), 1.0, abs_tol=1e-6):
        raise ValueError(f"the probabilities of p_suggest must sum to 1, got {p}")
    rng = as_generator("seed", seed)
    index = int(np.searchsorted(np.cumsum(p) / math.fsum(p), rng.random(), side="right"))
    chosen = p_suggest[min(index, len(p) - 1)][1]
    return chosen(new_ids, domain, trials, int(rng.integers(2**31 - 1)))


def _pairs(p_suggest: object) -> Sequence[tuple[float, object]]:
    check_list("p_suggest", p_suggest, "pairs of a probability and an algorithm")
    pairs: Sequence[tuple[float, object]] = p_suggest  # type: ignore[assignment]
    for i, pair in enumerate(pairs):
        check_list(f"p_suggest[{i}]", pair, "a probability and an algorithm")
        if len(pair) != 2:
            raise ValueError(
                f"p_suggest[{i}] must be a probability and an algorithm, got {len(pair)} items"
            )
        check_number(f"p_suggest[{i}][0]", pair[0])
        # Nodes can be called, as parts of expressions, and classes, to make an object.
        if isinstance(pair[1], Node | type):
            raise TypeError(f"p_suggest[{i}][1] must be an algorithm, got {shown(pair[1])}")
        check_callable(f"p_suggest[{i}][1]", pair[1], ("new_ids", "domain", "trials", "seed"))
    return pairs
