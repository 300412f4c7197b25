"""A conditional space as wide as the one of Bergstra, Yamins, Cox (2013)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktuner import atpe, rand, tpe
from tests.suggest.searches import Search, choice, parameter


def wide() -> dict[str, Any]:
    """34 choices between two branches of two and four parameters: 238 in all."""
    space = {}
    for i in range(34):
        on = {f"{name}{i}": parameter(f"{name}{i}", name) for name in ("uniform", "randint")}
        more = {f"{name}{i}": parameter(f"{name}{i}", name) for name in ("loguniform", "choice")}
        off = {f"o{i}": parameter(f"o{i}", "normal"), f"p{i}": parameter(f"p{i}", "quniform")}
        space[f"m{i}"] = choice(f"m{i}", [on, {**more, **off}])
    return space


def loss(configuration: dict[str, Any]) -> float:
    """Each choice costs in its wrong branch, and its numbers away from their best values."""
    total = 0.0
    for i in range(34):
        total += abs(configuration[f"m{i}"] - i % 2)
        total += 0.1 * abs(configuration.get(f"uniform{i}", 1.0) - 1.0)
        total += 0.1 * abs(configuration.get(f"o{i}", 1.0) - 1.0)
    return total


@pytest.mark.parametrize("algorithm", [tpe, atpe], ids=["tpe", "atpe"])
def test_238_parameters_are_searched_better_than_by_chance(algorithm: Any) -> None:
    search, chance = Search(wide()), Search(wide())
    assert len(search.domain.space.columns) == 238
    search.run(algorithm.suggest, 60, loss)
    chance.run(rand.suggest, 400, loss)
    latest = search.history(search.domain.space).losses[-20:]
    at_random = chance.history(chance.domain.space).losses
    # The mean of 20 random trials is four standard errors above this.
    assert latest.mean() < at_random.mean() - 4 * at_random.std() / np.sqrt(20)
