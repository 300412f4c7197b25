"""All columns at once say what their distributions say one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktuner.space import Categorical, Distribution, Numeric, RandInt, StackedDistributions
from tests.space.strategies import distributions
from tests.space.test_distributions import HUGE

N = 20


def drawn(priors: list[Distribution], seed: int) -> tuple[StackedDistributions, np.ndarray]:
    """A table, and (N, p) latents that stand for values."""
    table = StackedDistributions(priors)
    return table, table.quantile(np.random.default_rng(seed).random((N, len(priors))))


@given(st.lists(distributions(), min_size=1, max_size=8), st.integers(0, 1000))
def test_densities(priors: list[Distribution], seed: int) -> None:
    table, latents = drawn(priors, seed)
    columns = np.repeat(np.arange(len(priors)), N)
    found = table.log_density(columns, latents.T.ravel()).reshape(len(priors), N)
    for prior, row, column in zip(priors, found, latents.T, strict=True):
        expected = prior.log_density(prior.from_latent(column))
        np.testing.assert_allclose(row, expected, rtol=1e-12, atol=1e-9)


@given(st.lists(distributions(), min_size=1, max_size=8), st.integers(0, 1000))
def test_cells(priors: list[Distribution], seed: int) -> None:
    check_cells([p for p in priors if is_stepped(p)], seed)


@pytest.mark.parametrize("prior", HUGE)
def test_cells_of_steps_that_vanish_in_rounding(prior: Numeric | RandInt) -> None:
    check_cells([RandInt(0, 5), prior], seed=0)


def is_stepped(prior: Distribution) -> bool:
    if isinstance(prior, Categorical):
        return False
    return isinstance(prior, RandInt) or prior.q is not None


def check_cells(priors: list[Distribution], seed: int) -> None:
    table, latents = drawn(priors, seed)
    columns = np.repeat(np.arange(len(priors)), N)
    found = table.cells(columns, latents.T.ravel()).reshape(2, len(priors), N)
    for j, prior in enumerate(priors):
        assert not isinstance(prior, Categorical)
        lower, upper = prior.cells(prior.from_latent(latents[:, j]))
        np.testing.assert_array_equal(found[0, j], lower)
        np.testing.assert_array_equal(found[1, j], upper)
