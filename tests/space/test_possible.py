"""Points that a user wrote: which of their values are told to be impossible."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktuner import hp
from sparktuner.checks import shown
from sparktuner.space import Node, flatten, out_of_bounds
from tests.space.strategies import spaces


@pytest.mark.parametrize(
    ("parameter", "value", "needed"),
    [
        (hp.uniform("x", 0, 1), 3, "from 0 to 1"),
        (hp.uniform("x", 0, 1), -1e-3, "from 0 to 1"),
        (hp.uniform("x", 0, 1), math.nan, "from 0 to 1"),
        (hp.uniform("x", 0, 1), 10**400, "from 0 to 1"),
        (hp.uniform("x", 0, 1), "0.5", "a number (a choice's is the index of its option)"),
        (hp.uniform("x", 0, 1), None, "a number (a choice's is the index of its option)"),
        (hp.loguniform("x", -7, 0), 0, "from 0.000911882 to 1"),
        (hp.quniform("x", 0, 10, 2), 12, "from 0 to 10"),
        (hp.normal("x", 0, 1), math.inf, "finite"),
        (hp.normal("x", 0, 1), 10**400, "finite"),
        (hp.lognormal("x", 0, 1), -1.0, "finite and at least 0"),
        (hp.randint("x", 2, 5), 5, "from 2 to 4"),
        (hp.randint("x", 2**60, 2**60 + 2), 2**60 + 2, f"from {2**60} to {2**60 + 1}"),
        (hp.choice("x", ["a", "b"]), 2, "the index of one of its 2 options, from 0 to 1"),
        (hp.choice("x", [1, 2]), -1, "the index of one of its 2 options, from 0 to 1"),
        (hp.choice("x", [1, 2]), 0.5, "the index of one of its 2 options, from 0 to 1"),
        (hp.choice("x", ["a", "b"]), "a", "a number (a choice's is the index of its option)"),
    ],
)
def test_a_value_that_cannot_be_taken_is_told(parameter: Node, value: Any, needed: str) -> None:
    (text,) = out_of_bounds(flatten(parameter), {"x": value})
    assert text == f"'x' is {shown(value)}, and must be {needed}"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (hp.uniform("x", 0, 1), 1),
        (hp.uniform("x", 0, 0.3), 0.1 * 3),
        (hp.uniform("x", 0, 1), np.float32(0.5)),
        (hp.quniform("x", 0.6, 7.4, 1), 0.7),
        (hp.quniform("x", 0, 10, 2), 3),
        (hp.normal("x", 0, 1), 1e9),
        (hp.randint("x", 5), 2.4),
        (hp.randint("x", 2**60, 2**60 + 2), 2**60 + 1),
        (hp.choice("x", [1, 2]), np.int64(1)),
        (hp.choice("x", [False, True]), True),
    ],
)
def test_a_value_that_can_be_taken_is_not(parameter: Node, value: Any) -> None:
    assert out_of_bounds(flatten(parameter), {"x": value}) == []


def test_only_what_the_points_choices_make_active_counts() -> None:
    space = flatten(
        hp.choice("m", [{"x": hp.uniform("x", 0, 1)}, {"x": hp.uniform("x", 5, 6)}, "nothing"])
    )
    assert out_of_bounds(space, {"m": 0, "x": 0.5}) == []
    assert out_of_bounds(space, {"m": 1, "x": 0.5}) == ["'x' is 0.5, and must be from 5 to 6"]
    assert out_of_bounds(space, {"m": 2, "x": 99, "other": "text"}) == []
    assert len(out_of_bounds(space, {"m": 3, "x": 99})) == 1


@given(spaces(), st.integers(0, 2**31))
def test_no_draw_of_the_prior_is_out_of_bounds(space: Node, seed: int) -> None:
    flat = flatten(space)
    draws = flat.decode(flat.sample(np.random.default_rng(seed), 5))
    assert [out_of_bounds(flat, draw) for draw in draws] == [[]] * 5
