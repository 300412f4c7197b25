"""Tree-structured Parzen estimator.

Bergstra, Bardenet, Bengio, Kégl (2011), "Algorithms for hyper-parameter optimization": the
next configuration is the draw from l(x), the density of good trials, with the highest
l(x) / g(x), where g(x) is the density of the others. Kernels are as wide as the larger gap to
a neighbour (their section 4). Older bad trials weigh less (the linear forgetting of Bergstra,
Yamins, Cox, 2013).

What is different here:

- Densities are joint over each group of parameters that are active together (Falkner, Klein,
  Hutter, 2018, section 3.2). A joint density of a few trials knows interactions, the product
  of its marginals (which the papers of Bergstra use) generalises better: half the candidates
  come from either, and the score is the mean of the two log ratios.
- Each group splits the trials in which *it* was active, so that a branch is judged against
  itself.
- The split is soft: a trial is shared by l and g, by its rank. A step between two trials of
  nearly the same loss is noise, and the ranks of the good ones are all that l knows of how
  good they are. (Song, Yu, Neiswanger, Ermon, 2022, weight by improvement instead.)
- The kernels of bad trials have twice the least width. One is at most as wide as the prior is:
  its range, or its standard deviation where it is normal.
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
    """``n`` different configurations; see the module's docstring."""
    options = TpeOptions() if options is None else options
    rank = None
    if history.n and history.n + len(history.failed) >= options.n_startup_jobs:
        rank = partial(rank_tpe, ParzenEstimator.of(space, history, options), rng)
    return suggest_each(space, history, n, rng, rank)


def rank_tpe(
    estimator: ParzenEstimator, rng: np.random.Generator, pending: FloatArray
) -> FloatArray:
    """Candidates (k, p) by falling log l(x) - log g(x), less their penalties."""
    candidates = estimator.draw(rng, estimator.options.n_EI_candidates)
    score = estimator.log_ratio(estimator.bad_density(pending), candidates)
    score -= prior_penalty(estimator.space, candidates, estimator.incumbent)
    return best_first(candidates, np.round(score, 9))


def best_first(candidates: FloatArray, score: FloatArray) -> FloatArray:
    """The candidates (k, p) by falling score.

    Scores are to be rounded, so that the last bits of a sum, which depend on the machine,
    decide nothing.
    """
    return candidates[np.argsort(-score, kind="stable")]
