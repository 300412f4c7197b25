"""Features: the points that a Gaussian process measures distances between."""

from __future__ import annotations

import numpy as np
import pytest

from sparktuner.space import Categorical, FloatArray, Parameter, flatten
from sparktuner.suggest._features import features_of
from tests.suggest.searches import conditional, everything


def distances(n_options: int, options: list[int]) -> FloatArray:
    features = features_of(flatten(Parameter("c", Categorical.uniform(n_options))))
    x = features.of(np.array(options, dtype=np.float64)[:, None])
    squared: FloatArray = ((x[:, None] - x) ** 2).sum(axis=2)
    return squared


@pytest.mark.parametrize("n_options", [2, 3, 64])
def test_few_options_are_all_as_far_from_each_other(n_options: int) -> None:
    expected = 1 - np.eye(n_options)
    assert distances(n_options, list(range(n_options))) == pytest.approx(expected)


@pytest.mark.parametrize("n_options", [65, 4097, 50_000, 300_000])
def test_many_options_take_few_features_and_stay_different(n_options: int) -> None:
    features = features_of(flatten(Parameter("c", Categorical.uniform(n_options))))
    assert len(features.column_of) <= 256
    found = distances(n_options, sorted({0, 1, 2, 63, 64, n_options // 2, n_options - 1}))
    apart = found[~np.eye(len(found), dtype=np.bool_)]
    assert apart.min() >= 0.25 - 1e-9
    assert apart.max() <= 1 + 1e-9


def test_many_long_choices_take_a_bounded_number_of_features() -> None:
    space = {f"c{i}": Parameter(f"c{i}", Categorical.uniform(500)) for i in range(100)}
    assert len(features_of(flatten(space)).column_of) <= 100 * 24


@pytest.mark.parametrize("space", [everything(), conditional()])
def test_each_feature_belongs_to_a_column_and_is_finite(space: object) -> None:
    flat = flatten(space)
    features = features_of(flat)
    x = features.of(flat.sample(np.random.default_rng(0), 50))
    assert x.shape == (50, len(features.column_of))
    assert np.isfinite(x).all()
    assert set(features.column_of) == set(range(len(flat.columns)))
