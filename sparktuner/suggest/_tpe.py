"""The tree-structured Parzen estimator.

Bergstra, Bardenet, Bengio, Kégl (2011), "Algorithms for hyper-parameter optimization",
section 4: the next configuration is the draw from l(x), the density of good trials, with the
highest l(x) / g(x), where g(x) is the density of the others. Kernels are as wide as the larger
gap to a neighbour. Older bad trials weigh less (the linear forgetting of Bergstra, Yamins, Cox,
2013).

Deviations from these papers:

- Densities are joint over each group of parameters that are active together (Falkner, Klein,
  Hutter, 2018, section 3.2). A joint density of a few trials knows interactions, the product
  of its marginals (which the papers of Bergstra use) generalises better: half the candidates
  come from either, and the score is the mean of the two log ratios.
- Each group splits the trials in which *it* was active, so that a branch is judged against
  itself.
- The split is soft: each good trial counts in l and g, in shares that follow from its rank.
  Between two trials of nearly the same loss a hard split is noise, and l knows nothing but the
  ranks of how good the good ones are. (Song, Yu, Neiswanger, Ermon, 2022, weight by improvement
  instead.)
- The least width of bad trials' kernels is twice that of good ones'. No kernel is wider than
  the prior: its range, or its standard deviation where it is normal.
- A candidate far out in a normal prior is penalised (:func:`prior_penalty`).
- The prior's component is the prior itself; pending and failed trials count as bad ones.
- At most 128 bad trials of a group enter g, evenly chosen, and 128 failed ones. The standard
  error of g(x) from that choice is below sqrt(E_g[k^2] / E_g[k]^2 / 128) of g(x), k the kernel.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sparktuner.records import History
from sparktuner.space import FlatSpace, FloatArray
from sparktuner.suggest._densities import ParzenEstimator, TpeOptions
from sparktuner.suggest._distinct import suggest_each
from sparktuner.suggest._moves import prior_penalty


def propose_tpe(
    space: FlatSpace,
    history: History,
    n: int,
    rng: np.random.Generator,
    options: TpeOptions | None = None,
) -> list[dict[str, Any]]:
    """Returns ``n`` configurations by the tree-structured Parzen estimator.

    They are different and new as long as the space has any that were not tried. While there are
    too few results (:class:`TpeOptions`), they are draws from the prior.

    Args:
        space: The space to search.
        history: The trials so far.
        n: How many configurations to suggest.
        rng: The source of randomness.
        options: What can be set; None takes the defaults.
    """
    options = TpeOptions() if options is None else options
    rank = None
    if history.n and history.n + len(history.failed) >= options.n_startup_jobs:
        rank = partial(rank_tpe, ParzenEstimator.of(space, history, options), rng)
    return suggest_each(space, history, n, rng, rank)


def rank_tpe(
    estimator: ParzenEstimator, rng: np.random.Generator, pending: FloatArray
) -> FloatArray:
    """Returns draws from l(x), latents (k, p), by falling log l(x) - log g(x) less penalties.

    Args:
        estimator: The model of the finished trials.
        rng: The source of randomness.
        pending: (m, p) latents of pending trials, which count as bad ones.
    """
    candidates = estimator.draw(rng, estimator.options.n_EI_candidates)
    score = estimator.log_ratio(estimator.bad_density(pending), candidates)
    score -= prior_penalty(estimator.space, candidates, estimator.incumbent)
    return best_first(candidates, np.round(score, 9))


def best_first(candidates: FloatArray, score: FloatArray) -> FloatArray:
    """Returns candidates (k, p) by falling score (k,), equal ones in their own order.

    Scores are to be rounded before, so that the last bits of a sum, which depend on the machine,
    decide nothing.
    """
    return candidates[np.argsort(-score, kind="stable")]
