"""The twelve functions of ``hp``: what they make, and what they refuse in which words."""

from __future__ import annotations

import enum
import inspect
import math
import re
import warnings
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import sparktuner
from sparktuner import hp
from sparktuner.errors import BadSearchSpace
from sparktuner.space import Categorical, Numeric, Parameter, RandInt, Switch, evaluate, flatten

X = hp.uniform("other", 0, 1)


@pytest.mark.parametrize(
    ("parameter", "distribution"),
    [
        (hp.uniform("x", 0, 1), Numeric("uniform", 0, 1)),
        (hp.quniform("x", 0, 10, 2), Numeric("uniform", 0, 10, q=2)),
        (hp.uniformint("x", 0, 10), Numeric("uniform", 0, 10, q=1, integer=True)),
        (hp.uniformint("x", 0, 10, q=1), Numeric("uniform", 0, 10, q=1, integer=True)),
        (hp.loguniform("x", -3, 0), Numeric("uniform", -3, 0, log=True)),
        (hp.qloguniform("x", 0, 3, 1), Numeric("uniform", 0, 3, log=True, q=1)),
        (hp.normal("x", 0, 1), Numeric("normal", 0, 1)),
        (hp.qnormal("x", 0, 1, 0.5), Numeric("normal", 0, 1, q=0.5)),
        (hp.lognormal("x", 0, 1), Numeric("normal", 0, 1, log=True)),
        (hp.qlognormal("x", 0, 1, 1), Numeric("normal", 0, 1, log=True, q=1)),
        (hp.uniform("x", low=0, high=1), Numeric("uniform", 0, 1)),
        (hp.normal(label="x", mu=0, sigma=1), Numeric("normal", 0, 1)),
        (hp.uniform("x", np.float32(0.5), np.int64(2)), Numeric("uniform", 0.5, 2)),
        (hp.uniform("x", Fraction(1, 4), np.array(3)), Numeric("uniform", 0.25, 3)),
        (hp.loguniform("x", np.log(1e-4), np.log(1)), Numeric("uniform", np.log(1e-4), 0, True)),
        (hp.randint("x", 10), RandInt(0, 10)),
        (hp.randint("x", 2, 10), RandInt(2, 10)),
        (hp.randint("x", -5, 5), RandInt(-5, 5)),
        (hp.randint("x", upper=10), RandInt(0, 10)),
        (hp.randint("x", high=10), RandInt(0, 10)),
        (hp.randint("x", low=10), RandInt(0, 10)),
        (hp.randint("x", low=2, high=10), RandInt(2, 10)),
        (hp.randint("x", 2, high=10), RandInt(2, 10)),
        (hp.randint("x", low=2, upper=10), RandInt(2, 10)),
        (hp.randint("x", 10.0), RandInt(0, 10)),
        (hp.randint("x", np.int32(2), np.float64(10)), RandInt(2, 10)),
        (hp.randint("x", 2**63), RandInt(0, 2**63)),
        (hp.choice("x", ["a", "b"]).index, Categorical((0.5, 0.5))),
        (hp.pchoice("x", [(0.25, "a"), (0.75, "b")]).index, Categorical((0.25, 0.75))),
        (hp.pchoice("x", [(np.float32(0.25), 1), [0.75, 2]]).index, Categorical((0.25, 0.75))),
    ],
)
def test_each_function_makes_its_distribution(parameter: Any, distribution: Any) -> None:
    assert isinstance(parameter, Parameter)
    assert parameter.label == "x"
    assert parameter.distribution == distribution


def test_bounds_are_kept_as_python_numbers() -> None:
    distribution = hp.uniform("x", np.float32(-0.0), np.int64(2)).distribution
    assert isinstance(distribution, Numeric)
    assert [type(number) for number in (distribution.a, distribution.b)] == [float, float]
    assert str(distribution.a) == "0.0"
    integers = hp.randint("x", np.int64(2), 4.0).distribution
    assert isinstance(integers, RandInt)
    assert [type(number) for number in (integers.low, integers.high)] == [int, int]


@pytest.mark.parametrize(
    "options",
    [
        [1, 2, 3],
        (1, 2, 3),
        range(1, 4),
        np.arange(1, 4),
        np.array([1.0, 2.0, 3.0]),
        deque([1, 2, 3]),
        {1: "a", 2: "b", 3: "c"}.keys(),
    ],
    ids=lambda options: type(options).__name__,
)
def test_options_may_be_any_ordered_collection(options: Any) -> None:
    space = hp.choice("c", options)
    assert isinstance(space, Switch)
    values = [evaluate(space, {"c": i}) for i in range(3)]
    assert values == [1, 2, 3]
    assert all(type(value) in (int, float) for value in values)


def test_options_may_be_anything() -> None:
    options = [None, True, "text", int, len, {"deep": [hp.randint("n", 3)]}, (1, 2), {3}, [4]]
    space = hp.choice("c", options)
    values = [evaluate(space, {"c": i, "n": 2}) for i in range(len(options))]
    assert values == [None, True, "text", int, len, {"deep": (2,)}, (1, 2), {3}, (4,)]
    rows = hp.choice("r", np.eye(2))
    assert evaluate(rows, {"r": 1}).tolist() == [0.0, 1.0]


def test_labels_become_plain_strings() -> None:
    class Label(str, enum.Enum):
        RATE = "rate"

    for label in (np.str_("rate"), Label.RATE):
        parameter = hp.uniform(label, 0, 1)
        assert type(parameter.label) is str
        assert parameter.label == "rate"


@pytest.mark.parametrize("name", hp.__all__)
def test_every_function_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(hp, name))
    assert getattr(sparktuner.hp, name) is getattr(hp, name)


def test_a_uniform_integer_is_drawn_as_hyperopt_draws_it() -> None:
    flat = flatten(hp.uniformint("n", 0, 4))
    values = [c["n"] for c in flat.decode(flat.sample(np.random.default_rng(0), 8000))]
    assert {type(value) for value in values} == {int}
    shares = np.bincount(values) / 8000
    # The outer values have half a cell; at five deviations the chance of a miss is 6e-7.
    np.testing.assert_allclose(shares, [0.125, 0.25, 0.25, 0.25, 0.125], atol=5 * 0.0049)


generator = (i for i in range(3))

# what was written -> the whole message, or its key phrases
ILL_FORMED: list[tuple[str, Callable[[], Any], str]] = [
    (
        "low above high",
        lambda: hp.uniform("x", 0, -1),
        "hp.uniform('x'): low must be below high, got low=0, high=-1",
    ),
    (
        "low equal to high",
        lambda: hp.quniform("x", 3, 3, 1),
        "hp.quniform('x'): low must be below high, got low=3, high=3 (for a constant",
    ),
    (
        "a bound as text",
        lambda: hp.uniform("x", "0", 1),
        "hp.uniform('x'): low must be a real number, got the str '0'; write 0 without quotes",
    ),
    (
        "a bound as other text",
        lambda: hp.uniform("x", "a", 1),
        "hp.uniform('x'): low must be a real number, got the str 'a'; the label comes first",
    ),
    (
        "no bound",
        lambda: hp.uniform("x", None, 1),
        "hp.uniform('x'): low must be a real number, got None",
    ),
    (
        "a bound that is not a number",
        lambda: hp.uniform("x", 0, math.nan),
        "hp.uniform('x'): high must be finite, got nan",
    ),
    (
        "an infinite bound",
        lambda: hp.normal("x", -math.inf, 1),
        "hp.normal('x'): mu must be finite, got -inf",
    ),
    (
        "a bound beyond all floats",
        lambda: hp.uniform("x", 0, 10**400),
        "hp.uniform('x'): high must be finite, got inf",
    ),
    (
        "a complex bound",
        lambda: hp.uniform("x", 0, 1j),
        "hp.uniform('x'): high must be a real number, got the complex 1j",
    ),
    (
        "a boolean bound",
        lambda: hp.uniform("x", False, True),
        "hp.uniform('x'): low must be a number, got False; for a parameter that is true or "
        "false use hp.choice(label, [False, True])",
    ),
    (
        "a list as a bound",
        lambda: hp.uniform("x", [0, 1], 1),
        "hp.uniform('x'): low must be a real number, got the list [0, 1]",
    ),
    (
        "a parameter as a bound",
        lambda: hp.uniform("x", 0, X),
        "hp.uniform('x'): high must be a constant, got the search-space node "
        "hp.uniform('other', 0, 1); compute with nodes instead",
    ),
    (
        "the label in the last place",
        lambda: hp.uniform(0, 1, "x"),  # type: ignore[arg-type]
        "hp.uniform: the first argument must be the label, a string, got the int 0; "
        "write hp.uniform('x', low, high)",
    ),
    (
        "the label of a choice in the last place",
        lambda: hp.choice(["a", "b"], "x"),  # type: ignore[arg-type]
        "hp.choice: the first argument must be the label, a string, got the list ['a', 'b']; "
        "write hp.choice('x', ['a', 'b'])",
    ),
    (
        "an empty label",
        lambda: hp.uniform("", 0, 1),
        "hp.uniform(''): a parameter's label must not be empty",
    ),
    (
        "values where logarithms belong",
        lambda: hp.loguniform("lr", 1, 1000),
        "hp.loguniform('lr'): high is a natural logarithm and exp(1000) overflows; did you "
        "mean np.log(1000)?",
    ),
    (
        "a value where a logarithm's mean belongs",
        lambda: hp.lognormal("lr", 1000, 1),
        "hp.lognormal('lr'): mu is the mean of the natural logarithm and exp(1000) overflows",
    ),
    (
        "a range wider than all floats",
        lambda: hp.uniform("x", -1e308, 1e308),
        "hp.uniform('x'): high - low must be from 1e-300 to 1e+300",
    ),
    (
        "no deviation",
        lambda: hp.normal("x", 0, 0),
        "hp.normal('x'): sigma must be above 0, got 0",
    ),
    (
        "a negative deviation",
        lambda: hp.qlognormal("x", 0, -2, 1),
        "hp.qlognormal('x'): sigma must be above 0, got -2",
    ),
    (
        "a step of zero",
        lambda: hp.quniform("x", 0, 1, 0),
        "hp.quniform('x'): q must be above 0 and finite, got 0",
    ),
    (
        "a negative step",
        lambda: hp.qnormal("x", 0, 1, -0.5),
        "hp.qnormal('x'): q must be above 0 and finite, got -0.5",
    ),
    (
        "a step that is no number",
        lambda: hp.quniform("x", 0, 1, None),  # type: ignore[arg-type]
        "hp.quniform('x'): q must be a real number, got None",
    ),
    (
        "a step too small to count",
        lambda: hp.quniform("x", 0, 1e300, 1e-300),
        "hp.quniform('x'): q must not be so small",
    ),
    (
        "another step of uniformint",
        lambda: hp.uniformint("x", 0, 10, q=2),
        "hp.uniformint('x'): q must be 1, got 2; use hp.quniform for other steps",
    ),
    (
        "an empty integer range",
        lambda: hp.randint("x", 5, 2),
        "hp.randint('x'): low must be below high (which is excluded), got low=5, high=2",
    ),
    (
        "no integers at all",
        lambda: hp.randint("x", 0),
        "hp.randint('x'): low must be below high (which is excluded), got low=0, high=0",
    ),
    (
        "a fraction as integer bound",
        lambda: hp.randint("x", 2.5),
        "hp.randint('x'): high must be a whole number, got 2.5; use hp.uniform or hp.quniform",
    ),
    (
        "no integer bound",
        lambda: hp.randint("x"),
        "hp.randint('x'): needs one bound (upper) or two (low and high), each once, got none",
    ),
    (
        "three integer bounds",
        lambda: hp.randint("x", 1, 2, 3),
        "each once, got low=1, high=2, a third bound=3; write hp.randint('x', 10)",
    ),
    (
        "an integer bound given twice",
        lambda: hp.randint("x", 2, low=3),
        "each once, got low=2, low=3",
    ),
    (
        "an integer bound of unknown name",
        lambda: hp.randint("x", 2, top=3),
        "each once, got low=2, top=3",
    ),
    (
        "integers beyond the machine's",
        lambda: hp.randint("x", 2**80),
        "hp.randint('x'): low and high must lie between -2**64 and 2**64",
    ),
    (
        "options in a dictionary",
        lambda: hp.choice("c", {"a": 1}),
        "hp.choice('c'): options must be a list, got a dict; write list(d.values())",
    ),
    (
        "options in a set",
        lambda: hp.choice("c", {1, 2}),
        "hp.choice('c'): options must be a list, got a set, which has no order",
    ),
    (
        "a text for options",
        lambda: hp.choice("c", "abc"),
        "hp.choice('c'): options must be a list, got the text 'abc'; put it in brackets",
    ),
    (
        "a number for options",
        lambda: hp.choice("c", 5),
        "hp.choice('c'): options must be a list, got the int 5; for integers write hp.randint",
    ),
    (
        "a generator for options",
        lambda: hp.choice("c", generator),
        "hp.choice('c'): options must be a list, got a generator, which can be read once only",
    ),
    (
        "one node for options",
        lambda: hp.choice("c", X),
        "hp.choice('c'): options must be a list, got one search-space node, "
        "hp.uniform('other', 0, 1); put it in brackets",
    ),
    (
        "parameters in a set",
        lambda: hp.choice("c", [{X}]),
        "hp.choice('c'): a set has no order: use a list or a tuple",
    ),
    (
        "a parameter as a key",
        lambda: hp.choice("c", [{X: 1}]),
        "hp.choice('c'): a dictionary's key must be a constant",
    ),
    (
        "probabilities that do not sum to one",
        lambda: hp.pchoice("c", [(0.2, "a"), (0.7, "b")]),
        "hp.pchoice('c'): probabilities must sum to 1, got 0.9; divide each by that sum",
    ),
    (
        "a negative probability",
        lambda: hp.pchoice("c", [(-0.5, "a"), (1.5, "b")]),
        "hp.pchoice('c'): probabilities must be finite and at least 0, got -0.5",
    ),
    (
        "options and probabilities swapped",
        lambda: hp.pchoice("c", [("a", 0.2), ("b", 0.8)]),
        "hp.pchoice('c'): the probability comes first in each pair, got ('a', 0.2) at "
        "position 0; write (0.2, 'a')",
    ),
    (
        "a probability that is no number",
        lambda: hp.pchoice("c", [("half", "a"), (0.5, "b")]),
        "hp.pchoice('c'): the probability at position 0 must be a real number, got the str 'half'",
    ),
    (
        "options without probabilities",
        lambda: hp.pchoice("c", ["a", "b"]),
        "hp.pchoice('c'): options must be pairs of (probability, option), got the str 'a' at "
        "position 0",
    ),
    (
        "probabilities in a dictionary",
        lambda: hp.pchoice("c", {"a": 0.5, "b": 0.5}),
        "hp.pchoice('c'): options must be a list, got a dict",
    ),
    (
        "no pairs",
        lambda: hp.pchoice("c", []),
        "hp.pchoice('c'): options must not be empty, got []",
    ),
    (
        "options that are no list but arguments",
        lambda: hp.choice("k", "a", "b"),  # type: ignore[arg-type]
        "hp.choice('k'): options must be one list, got 2 arguments; "
        "write hp.choice('k', ['a', 'b'])",
    ),
    (
        "pairs that are no list but arguments",
        lambda: hp.pchoice("k", (0.5, "a"), (0.5, "b")),  # type: ignore[arg-type]
        "hp.pchoice('k'): options must be one list, got 2 arguments; "
        "write hp.pchoice('k', [(0.5, 'a'), (0.5, 'b')])",
    ),
]


@pytest.mark.parametrize(
    ("make", "words"), [row[1:] for row in ILL_FORMED], ids=[row[0] for row in ILL_FORMED]
)
def test_an_ill_formed_parameter_is_refused_when_it_is_defined(
    make: Callable[[], Any], words: str
) -> None:
    with pytest.raises(BadSearchSpace, match=re.escape(words)) as caught:
        make()
    assert isinstance(caught.value, ValueError)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_at_least_25_kinds_of_ill_formed_spaces_are_known() -> None:
    assert len({name for name, _, _ in ILL_FORMED}) >= 25


@pytest.mark.parametrize(
    ("make", "meant"),
    [
        (
            lambda: hp.loguniform("lr", 1e-5, 1e-1),
            "write hp.loguniform('lr', math.log(1e-05), math.log(0.1))",
        ),
        (
            lambda: hp.qloguniform("c", np.float64(0.01), 1, 0.01),
            "write hp.qloguniform('c', math.log(0.01), math.log(1.0), 0.01)",
        ),
    ],
)
def test_values_in_place_of_logarithms_are_warned_of(make: Callable[[], Any], meant: str) -> None:
    with pytest.warns(UserWarning, match=re.escape(meant)) as caught:
        make()
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize(
    ("low", "high"),
    [(np.log(1e-5), np.log(1e-1)), (-7, 0), (-5, 1), (0, 5), (0, 1), (0.5, 1), (0.1, 3), (0.7, 7)],
)
def test_bounds_that_can_be_logarithms_are_not_warned_of(low: float, high: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hp.loguniform("x", low, high)
        hp.qloguniform("x", low, high, 1)
