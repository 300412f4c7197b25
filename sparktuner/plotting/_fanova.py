"""The share of the losses' variance that each parameter explains alone.

Functional analysis of variance by a random forest: Hutter, Hoos and Leyton-Brown (2014), An
Efficient Approach for Assessing Hyperparameter Importance. A forest is fitted to the losses;
over the prior of the search space its predictions vary by V, and their mean given the value of
one parameter, over all others, varies by V_j: that parameter explains V_j / V.

Deviations: the trees are extremely randomised ones, whose predictions hardly vary with what
does not matter; means over the other parameters are taken over random configurations, not
leaf by leaf, and the variance that comes of the finite sample is taken off; losses far above
the others are cut. A parameter that is active in a share q of the configurations explains
q V_j / V, where V_j is taken among those: by the law of total variance, what a choice explains
is the difference between its branches, and what is inside them is the branches' parameters'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparktuner.plotting._forest import fit_forest
from sparktuner.plotting._prior import active, distribution_of, probabilities
from sparktuner.plotting._seen import SeenTrials
from sparktuner.records import Attachments, SpaceReading, SpaceRecord, TrialDocument
from sparktuner.space import BoolArray, Distribution, FloatArray, RandInt

# Of fewer trials a forest learns nothing.
LEAST = 10
_TREES = 64
# What the forest of more trials says more is less than what it takes longer.
_MOST_TRIALS = 1000
_MOST_NUMBERS = 20_000_000
_SAMPLES = 8192
_BINS = 16
_STEPS = 1000


@dataclass(frozen=True, eq=False)
class Sample:
    """Trials, and configurations over which means are taken, in the unit cube.

    Attributes:
        labels: of the p columns; one may stand in several, of which at most one is active.
        x: (n, p) the trials' values as probabilities under the prior, NaN where not active.
        y: (n,) their losses.
        u: (m, p) configurations.
        is_active: (m, p) which of their parameters are active.
        bins: (m, p) which of few values, or ranges of values, each has.
    """

    labels: Sequence[str]
    x: FloatArray
    y: FloatArray
    u: FloatArray
    is_active: BoolArray
    bins: npt.NDArray[np.intp]


def shares(sample: Sample, rng: np.random.Generator) -> dict[str, float]:
    """Returns by label the share of the variance that a parameter explains alone.

    Args:
        sample: the trials.
        rng: for the forest.
    """
    y = cut_losses(sample.y)
    spread = float(y.std())
    labels = dict.fromkeys(sample.labels, 0.0)
    if not spread > 0:
        return labels
    forest = fit_forest(sample.x, (y - y.mean()) / spread, rng, _TREES)
    f = forest.predict(sample.u)
    total = float(f.var())
    for j, label in enumerate(sample.labels):
        rows = sample.is_active[:, j]
        q = float(rows.mean())
        if q > 0 and total > 0:
            labels[label] += q * explained(f[rows], sample.bins[rows, j]) / total
    return {label: min(1.0, share) for label, share in labels.items()}


def skill(sample: Sample, rng: np.random.Generator) -> float:
    """Returns the share of the losses' variance that a forest foretells, in [0, 1].

    It is asked of each half of the trials what it has learned from the other.

    Args:
        sample: the trials.
        rng: parts the trials.
    """
    y = cut_losses(sample.y)
    y = y / (float(np.abs(y).max()) or 1.0)
    half = rng.permutation(len(y)) < len(y) // 2
    error = 0.0
    for train, test in ((half, ~half), (~half, half)):
        x = np.where(np.isnan(sample.x[test]), 0.5, sample.x[test])
        told = fit_forest(sample.x[train], y[train], rng, _TREES // 2).predict(x)
        error += float(((told - y[test]) ** 2).sum())
    total = float(((y - y.mean()) ** 2).sum())
    return max(0.0, 1.0 - error / total) if total > 0 else 0.0


def explained(f: FloatArray, bins: npt.NDArray[np.intp]) -> float:
    """Returns the variance of the means of groups, without what their finite size adds.

    Args:
        f: (n,) numbers.
        bins: (n,) the group of each.
    """
    sizes = np.bincount(bins)
    means = np.bincount(bins, f) / np.maximum(sizes, 1)
    k, n = int((sizes > 0).sum()), len(f)
    if k < 2 or n <= k:
        return 0.0
    within = float(((f - means[bins]) ** 2).sum()) / (n - k)
    between = float(((means[bins] - f.mean()) ** 2).mean())
    return max(0.0, between - within * (k - 1) / n)


def cut_losses(y: FloatArray) -> FloatArray:
    """Returns losses, of which those far above the others are no higher than a bound.

    Otherwise one loss of a configuration that came to nothing would be all the variance.

    Args:
        y: (n,) finite.
    """
    low, high = np.quantile(y, [0.1, 0.9], method="lower")
    # Halved, so that the difference of the largest floats is one.
    half = high / 2 - low / 2
    return np.minimum(y, high + 6 * half) if half > 0 else y


def sample_of(
    data: SeenTrials, attachments: Attachments, record: SpaceRecord | None
) -> Sample | None:
    """Returns the trials of a space; None where too few of them have a loss.

    Args:
        data: the trials.
        attachments: of their store.
        record: the space; None where it is not known: then values are ranked, and means are
            taken over the trials themselves.
    """
    rng = np.random.default_rng(0)
    rows = np.flatnonzero(data.is_ranked & (np.abs(data.losses) < 1e150))
    if record is not None:
        distributions = [distribution_of(column) for column in record.columns]
        known = [each for each in distributions if each is not None]
        if len(known) == len(distributions):
            return _of_space(data, rows, SpaceReading(record, attachments), known, rng)
    return _of_values(data, rows, rng)


def _few(rows: npt.NDArray[np.intp], p: int, rng: np.random.Generator) -> Sequence[int]:
    most = min(_MOST_TRIALS, _MOST_NUMBERS // (_TREES * max(1, p)))
    chosen = rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
    found: list[int] = chosen.tolist()
    return found


def _of_space(
    data: SeenTrials,
    rows: npt.NDArray[np.intp],
    reading: SpaceReading,
    distributions: Sequence[Distribution],
    rng: np.random.Generator,
) -> Sample | None:
    columns = reading.present.columns
    labels = [column.label for column in columns]
    used, x = [], []
    for row in _few(rows, len(columns), rng):
        values = _row(reading, distributions, data.documents[row])
        if values is not None:
            used.append(row)
            x.append(values)
    if len(used) < LEAST:
        return None
    u = rng.random((_SAMPLES, len(columns)))
    for j, distribution in enumerate(distributions):
        u[:, j] = snapped(distribution, u[:, j])
    return Sample(
        labels,
        np.array(x, dtype=np.float64).reshape(len(used), len(columns)),
        data.losses[used],
        u,
        active(reading.present, distributions, u),
        np.stack([_bins(d, u[:, j]) for j, d in enumerate(distributions)], axis=1)
        if columns
        else np.zeros((_SAMPLES, 0), dtype=np.intp),
    )


def _row(
    reading: SpaceReading, distributions: Sequence[Distribution], document: TrialDocument
) -> list[float] | None:
    configuration = reading.configuration(document)
    if configuration is None:
        return None
    places = {id(column): j for j, column in enumerate(reading.present.columns)}
    row = [np.nan] * len(places)
    for column in reading.present.active(configuration):
        if column.label in configuration:
            j = places[id(column)]
            value = configuration[column.label]
            row[j] = float(probabilities(distributions[j], [value])[0])
    return row


def snapped(distribution: Distribution, u: FloatArray) -> FloatArray:
    """Returns probabilities (n,), each as trials have it: in the middle of those of its value.

    Between them a tree knows nothing, and splits anywhere.
    """
    # Of more values the middles are so near each other that it makes no difference.
    if distribution.cardinality > _STEPS:
        return u
    values, place = np.unique(distribution.quantile(u), return_inverse=True)
    origin = distribution.origin if isinstance(distribution, RandInt) else 0
    native = [int(value) + origin if origin else value for value in values.tolist()]
    middles: FloatArray = probabilities(distribution, native)[place.reshape(-1)]
    return middles


def _bins(distribution: Distribution, u: FloatArray) -> npt.NDArray[np.intp]:
    if distribution.cardinality <= _BINS:
        values = distribution.quantile(u)
        return np.unique(values, return_inverse=True)[1].reshape(-1)
    return np.minimum((u * _BINS).astype(np.intp), _BINS - 1)


def _of_values(
    data: SeenTrials, rows: npt.NDArray[np.intp], rng: np.random.Generator
) -> Sample | None:
    used = np.array(_few(rows, len(data.parameters), rng), dtype=np.intp)
    if len(used) < LEAST:
        return None
    labels = [parameter.label for parameter in data.parameters]
    values = [parameter.values[used] for parameter in data.parameters]
    x, bins = np.zeros((len(used), len(values))), np.zeros((len(used), len(values)))
    for j, column in enumerate(values):
        x[:, j], bins[:, j] = _ranked(column), _value_bins(column)
    again = rng.integers(len(used), size=_SAMPLES)
    is_active = ~np.isnan(x[again])
    u = np.where(is_active, x[again], rng.random((_SAMPLES, len(labels))))
    return Sample(labels, x, data.losses[used], u, is_active, bins[again].astype(np.intp))


def _ranked(values: FloatArray) -> FloatArray:
    """The share of values below each, and half of its equals; NaN stays."""
    known = np.sort(values[~np.isnan(values)])
    below = np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")
    return np.where(np.isnan(values), np.nan, below / (2 * max(1, len(known))))


def _value_bins(values: FloatArray) -> npt.NDArray[np.intp]:
    distinct, place = np.unique(values, return_inverse=True)
    place = place.reshape(-1)
    return place if len(distinct) <= _BINS else place * _BINS // len(distinct)
