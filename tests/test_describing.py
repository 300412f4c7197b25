"""A space as text says what is in it, and how many configurations it has."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from sparktuner import describe, hp
from sparktuner.describing import count_configurations
from sparktuner.pyll import scope
from sparktuner.space import flatten
from tests.plotting.histories import LONG, SPACE

FINITE: list[Any] = [
    {"a": hp.randint("a", 3), "b": hp.choice("b", ["x", "y"])},
    {"m": hp.choice("m", ["plain", {"k": hp.quniform("k", 0, 4, 1)}]), "n": hp.randint("n", 2)},
    hp.choice("m", [{"k": hp.randint("k", 3)}, {"k": hp.randint("k", 4)}, hp.choice("z", [1, 2])]),
    {"p": hp.pchoice("p", [(0.5, 1), (0.0, {"k": hp.randint("k", 5)}), (0.5, 2)])},
    hp.choice(
        "m", [hp.choice("i", [1, {"j": hp.choice("j", [1, 2, 3])}]), hp.uniformint("u", 1, 4)]
    ),
]


def head(space: object) -> str:
    return describe(space).partition("\n")[0]


def test_parameters_stand_below_the_option_that_they_depend_on() -> None:
    assert describe(SPACE).splitlines() == [
        "6 parameters, infinitely many configurations",
        "├─ lr: loguniform, from 0.0001 to 0.1",
        "├─ model: one of 2",
        "│  ├─ svm",
        "│  │  ├─ C: lognormal, median 1, mostly from 0.141 to 7.1",
        "│  │  └─ kernel: one of 2: rbf, poly",
        "│  └─ forest",
        "│     └─ depth: a whole number from 2 to 8",
        "└─ seed: uniform, from 0 to 1",
    ]


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (hp.uniform("x", -1, 0.5), "uniform, from -1 to 0.5"),
        (hp.quniform("x", 0, 10, 2.5), "uniform, from 0 to 10, in steps of 2.5"),
        (hp.uniformint("x", 1, 6), "uniform, from 1 to 6, in steps of 1"),
        (hp.normal("x", 1, 2), "normal, mean 1, standard deviation 2"),
        (
            hp.qlognormal("x", 0, 1, 1),
            "lognormal, median 1, mostly from 0.141 to 7.1, in s",
        ),
        (hp.lognormal("x", 600, 200), "lognormal, median 3.7"),
        (hp.randint("x", 2**60, 2**60 + 9), f"a whole number from {2**60} to {2**60 + 8}"),
        (hp.choice("x", [0.1, True, None]), "one of 3: 0.1, True, None"),
        (hp.choice("x", list(range(60))), "one of 60: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 50 more"),
        (hp.pchoice("x", [(0.2, "a"), (0.8, "b")]), "one of 2 with probabilities 0.2, 0.8: a, b"),
    ],
)
def test_a_distribution_is_in_words_with_its_range(parameter: Any, text: str) -> None:
    assert describe(parameter).splitlines()[1].startswith(f"└─ x: {text}")


@pytest.mark.parametrize("space", FINITE)
def test_a_finite_number_of_configurations_is_counted(space: Any) -> None:
    flat = flatten(space)
    drawn = flat.decode(flat.sample(np.random.default_rng(0), 20_000))
    distinct = {tuple(sorted(each.items())) for each in drawn}
    assert count_configurations(flat) == (len(distinct), True)
    assert f"{len(distinct)} configurations" in head(space)


def test_a_number_beyond_counting_is_a_power_of_ten() -> None:
    many = {str(i): hp.randint(str(i), 100) for i in range(400)}
    assert head(many) == "400 parameters, about 10^800 configurations"
    few = {"a": hp.randint("a", 1000), "b": hp.randint("b", 2000)}
    assert head(few) == "2 parameters, 2,000,000 configurations"


def test_a_parameter_of_several_options_stands_once_and_says_on_which() -> None:
    shared = hp.randint("k", 3)
    m = hp.choice("m", ["a", {"k": shared}, {"k": shared, "b": 1}])
    text = describe(m)
    assert text.count("k: a whole number") == 1
    assert re.search(r"k: .* \(where m = .* or m = .*\)", text)
    # 1 + 3 + 3; that m is no option and k has a value is counted too.
    assert "at most" in head(m) and count_configurations(flatten(m))[0] == 12


def test_noise_is_mentioned_and_constants_are_one_configuration() -> None:
    assert "noise" in head({"x": hp.uniform("x", 0, 1) + scope.normal(0, 1)})
    assert describe({"a": 1}) == "0 parameters, 1 configuration"


def test_labels_and_options_do_nothing_to_a_terminal() -> None:
    text = describe({"x": hp.uniform(f"\x1b[2J{LONG}", 0, 1), "c": hp.choice("c", ["\x07", LONG])})
    assert all(c.isprintable() or c == "\n" for c in text)
    assert max(map(len, text.splitlines())) < 120


def test_a_deep_space_is_described() -> None:
    space: Any = 1
    for i in range(300):
        space = hp.choice(f"c{i}", [0, {"next": space}])
    assert head(space) == "300 parameters, 301 configurations"
