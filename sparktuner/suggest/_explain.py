"""What TPE has learnt about each parameter, as arrays that can be plotted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sparktuner.records import History
from sparktuner.space import Categorical, Column, FlatSpace, FloatArray
from sparktuner.suggest._densities import ParzenEstimator, TpeOptions
from sparktuner.suggest._parzen import Mixture, Points

_POINTS = 201


@dataclass(frozen=True, eq=False)
class Explanation:
    """The marginal densities of one parameter in TPE's model.

    Attributes:
        label: The parameter's label.
        path: Where the parameter stands in the space, such as ``"['svm']['C']"``.
        values: (k,) values of the parameter, ascending; those of a choice are indices.
        good: (k,) l(x) at these values: a density over the value, or over its natural logarithm
            where the parameter is on a logarithmic scale; a probability where it is discrete.
        bad: (k,) g(x), likewise; pending and failed trials are among the bad ones.
        is_discrete: Whether ``good`` and ``bad`` are probabilities.

    >>> from sparktuner import Domain, Trials, hp, tpe
    >>> domain = Domain(lambda x: x, {"x": hp.choice("x", ["a", "b"])})
    >>> prior = tpe.explain(Trials(), domain)[0]
    >>> prior.label, prior.values.tolist(), prior.good.round(3).tolist()
    ('x', [0.0, 1.0], [0.5, 0.5])
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
    """Returns for each column the densities l(x) and g(x) of TPE, in the order of the space.

    Args:
        space: The space of the columns.
        history: The trials so far; without a result, both densities are the prior.
        options: What can be set on TPE; None takes the defaults.
    """
    options = TpeOptions() if options is None else options
    estimator = ParzenEstimator.of(space, history, options)
    bad = estimator.bad_density(history.pending)
    explanations = {}
    for j, (index, column) in enumerate(
        zip(estimator.layout.index.tolist(), estimator.layout.columns, strict=True)
    ):
        latents, is_discrete = _grid(column)
        explanations[index] = Explanation(
            column.label,
            column.path,
            column.distribution.from_latent(latents) + getattr(column.distribution, "origin", 0),
            np.exp(_log_marginal(estimator.good_density, j, latents)),
            np.exp(_log_marginal(bad, j, latents)),
            is_discrete,
        )
    return [explanations[index] for index in sorted(explanations)]


def _log_marginal(mixture: Mixture, j: int, latents: FloatArray) -> FloatArray:
    """The log density (k,) of column ``j``: kernels are products, so the others drop out."""
    layout = mixture.layout
    active = np.zeros((len(latents), len(layout.columns)), dtype=np.bool_)
    active[:, j] = True
    x = np.where(active, latents[:, None], 0.0)
    return mixture.log_densities(Points.of(layout, x, active))[0]


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
