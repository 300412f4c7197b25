"""Spaces without parameters: which searches of them are refused, in which words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sparktuner import hp
from sparktuner.errors import BadSearchSpace
from sparktuner.space import require_parameters, scope


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"lr": [0.1, 0.01]}, "for ['lr'] write hp.choice('lr', [0.1, 0.01])"),
        ({"a": {"b": ("x", "y")}}, "for ['a']['b'] write hp.choice('b', ['x', 'y'])"),
        ([0.1, 0.2, 0.3, 0.4], "for the space write hp.choice('x', [0.1, 0.2, 0.3, ...])"),
        (np.linspace(0, 1, 5), "write hp.choice('x', [0.0, 0.25, 0.5, ...])"),
        ({"n": range(1, 4)}, "for ['n'] write hp.choice('n', [1, 2, 3])"),
        ({"x": stats.uniform(1, 2)}, "write hp.uniform('x', 1, 3)"),
        ({"x": stats.norm(1, 2)}, "write hp.normal('x', 1, 2)"),
        ({"x": stats.loguniform(1e-4, 1)}, "hp.loguniform('x', math.log(0.0001), math.log(1))"),
        ({"x": stats.randint(2, 9)}, "write hp.randint('x', 2, 9)"),
        (
            {"x": stats.beta(2, 9)},
            "write a distribution of hp, such as hp.uniform('x', low, high)",
        ),
        (None, "got None; write such as {'x': hp.uniform('x', 0, 1)}"),
        ({}, "write such as {'x': hp.uniform('x', 0, 1)}"),
        ({"a": 1, "b": "text"}, "write such as {'x': hp.uniform('x', 0, 1)}"),
        ({f"k{i}": [1, 2] for i in range(5)}, "hp.choice('k2', [1, 2]); and 2 more"),
    ],
)
def test_a_search_of_a_constant_is_refused(space: object, words: str) -> None:
    for max_evals in (2, 40, math.inf):
        with pytest.raises(BadSearchSpace) as caught:
            require_parameters(space, max_evals)
        assert words in str(caught.value)
        assert "max_evals=1" in str(caught.value)


@pytest.mark.parametrize("space", [None, {"lr": [0.1, 0.01]}, 3])
def test_one_trial_of_a_constant_is_no_mistake(space: object) -> None:
    require_parameters(space, 1)


@pytest.mark.parametrize(
    "space",
    [
        hp.uniform("x", 0, 1),
        {"lr": [0.1, 0.01], "x": hp.uniform("x", 0, 1)},
        hp.choice("c", [1]),
        1 + scope.normal(0, 1),
    ],
)
def test_what_varies_is_searched(space: object) -> None:
    require_parameters(space, 40)
