"""What completion offers after the name of a public module: its members alone."""

from __future__ import annotations

from types import ModuleType

import pytest

from sparktuner import anneal, atpe, grid, hp, mix, qmc, rand, tpe
from sparktuner.pyll import base, stochastic

ALGORITHMS = [anneal, atpe, grid, mix, qmc, rand, tpe]


@pytest.mark.parametrize("module", [hp, base, stochastic, *ALGORITHMS])
def test_completion_offers_the_members_alone(module: ModuleType) -> None:
    assert dir(module) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in dir(module))


def test_hp_offers_the_twelve_functions() -> None:
    assert len(dir(hp)) == 12
    assert {"choice", "loguniform", "randint"} < set(dir(hp))
