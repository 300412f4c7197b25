"""What TPE has learnt about each parameter, as arrays for plots."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sparktuner.records import History
from sparktuner.space import Categorical, Column, FlatSpace, FloatArray
from sparktuner.suggest._densities import Estimator, TpeOptions
from sparktuner.suggest._groups import single_group
from sparktuner.suggest._parzen import Mixture

_POINTS = 201


@dataclass(frozen=True, eq=False)
class Explanation:
    """The densities of one parameter, the others integrated out.

    Attributes:
        label: the parameter.
        path: where it stands in the space.
        values: (k,) values, ascending; a choice's are its indices.
        good: (k,) l(x): density over the value, or over its logarithm where the parameter is
            on a logarithmic scale; probability where values are discrete.
        bad: (k,) g(x), likewise, pending trials included.
        is_discrete: whether ``good`` and ``bad`` are probabilities.
    """

    label: str
    path: str
    values: FloatArray
    good: FloatArray
    bad: FloatArray
    is_discrete: bool


def explain_tpe(
    space: FlatSpace, history: History, options: TpeOptions | None = None
) -> list[Explanation]:
    """For each column the densities that the next suggestion is drawn from and compared by."""
    options = TpeOptions() if options is None else options
    explanations = {}
    estimator = Estimator.of(space, history, options)
    for one, other in zip(estimator.good, estimator.bad(history.pending), strict=True):
        for j, index in enumerate(one.group.index):
            column = space.columns[index]
            latents, is_discrete = _grid(column)
            good, bad = (
                np.exp(marginal(mixture, j).log_density(latents[:, None]))
                for mixture in (one.density, other)
            )
            values = column.distribution.from_latent(latents)
            explanations[int(index)] = Explanation(
                column.label, column.path, values, good, bad, is_discrete
            )
    return [explanations[j] for j in sorted(explanations)]


def marginal(mixture: Mixture, j: int) -> Mixture:
    """The mixture of column ``j`` of a group: kernels are products, so the others drop out."""
    group = mixture.group
    n = group.n_numeric
    numeric = [j] if j < n else []
    categorical = [j - n] if j >= n else []
    return Mixture(
        single_group(group.columns[j], int(group.index[j])),
        mixture.log_weights,
        mixture.mu[:, numeric],
        mixture.sigma[:, numeric],
        mixture.options[:, categorical],
        mixture.spread[categorical],
    )


def _grid(column: Column) -> tuple[FloatArray, bool]:
    """Latents at which a column is shown, and whether they are all that there are."""
    distribution = column.distribution
    if isinstance(distribution, Categorical) or (
        math.isfinite(distribution.cardinality) and distribution.cardinality <= _POINTS
    ):
        return distribution.to_latent(distribution.support()), True
    low, high = distribution.to_latent(distribution.quantile(np.array([1e-4, 1 - 1e-4])))
    latents = np.linspace(low, high, _POINTS)
    is_discrete = getattr(distribution, "q", 1) is not None
    if is_discrete:
        latents = distribution.to_latent(np.unique(distribution.from_latent(latents)))
    return latents, is_discrete
