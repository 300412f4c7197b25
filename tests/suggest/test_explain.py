"""What TPE tells about its densities."""

from __future__ import annotations

import numpy as np
import pytest

from sparktuner import tpe
from sparktuner.space import Parameter, RandInt
from sparktuner.suggest import Explanation
from tests.suggest.searches import (
    DISTRIBUTIONS,
    Search,
    any_loss,
    conditional,
    everything,
    parameter,
)


def explained(space: object, n: int) -> list[Explanation]:
    search = Search(space)
    search.run(tpe.suggest, n, any_loss)
    return tpe.explain(search, search.domain)


def test_probabilities_sum_to_one() -> None:
    for shown in explained(everything(), 30):
        assert len(shown.values) == len(shown.good) == len(shown.bad)
        if not shown.is_discrete:
            continue
        for probabilities in (shown.good, shown.bad):
            # Of infinitely many values only some are shown.
            whole = DISTRIBUTIONS[shown.label].cardinality <= len(shown.values)
            assert probabilities.sum() <= 1 + 1e-9
            assert not whole or probabilities.sum() == pytest.approx(1)


def test_a_continuous_density_integrates_to_one() -> None:
    (shown,) = explained(parameter("x", "uniform"), 30)
    for density in (shown.good, shown.bad):
        area = ((density[1:] + density[:-1]) / 2 * np.diff(shown.values)).sum()
        assert area == pytest.approx(1, abs=1e-2)


def test_good_trials_raise_the_density_where_they_are() -> None:
    search = Search(parameter("x", "uniform"))
    search.run(tpe.suggest, 40, lambda v: (v["x"] - 1) ** 2)
    (shown,) = tpe.explain(search, search.domain)
    assert abs(shown.values[shown.good.argmax()] - 1) < 0.5


def test_every_conditional_parameter_is_told_in_the_order_of_the_space() -> None:
    search = Search(conditional())
    shown = tpe.explain(search, search.domain)
    assert [s.label for s in shown] == [c.label for c in search.domain.space.columns]


def test_integers_that_floats_skip_are_shown_where_they_are() -> None:
    search = Search(Parameter("x", RandInt(2**60, 2**60 + 1000)))
    (shown,) = tpe.explain(search, search.domain)
    assert shown.values[0] == 2**60
