"""Evaluation: from values by label to what the objective receives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktuner import hp
from sparktuner.errors import BadSearchSpace
from sparktuner.space import Node, as_node, call, evaluate, flatten, scope, substitute
from tests.space.strategies import spaces


def boom() -> None:
    raise AssertionError("an option that was not chosen was evaluated")


class Spy(Mapping[str, Any]):
    """Remembers which labels were asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values_by_label = values
        self.asked: set[str] = set()

    def __getitem__(self, label: str) -> Any:
        self.asked.add(label)
        return self.values_by_label[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_label)

    def __len__(self) -> int:
        return len(self.values_by_label)


@given(spaces(), st.integers(0, 1000))
def test_evaluation_asks_for_active_labels_only_and_leaves_no_node(space: Node, seed: int) -> None:
    flat = flatten(space)
    for configuration in flat.decode(flat.sample(np.random.default_rng(seed), 3)):
        spy = Spy(configuration)
        value = evaluate(space, spy)
        assert spy.asked <= set(configuration)
        assert not list(nodes_inside(value))


def nodes_inside(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from nodes_inside(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from nodes_inside(item)


def test_options_not_chosen_are_never_evaluated() -> None:
    space = hp.choice("c", [call(boom), {"x": hp.choice("d", [7, call(boom)])}])
    assert evaluate(space, {"c": 1, "d": 0}) == {"x": 7}
    assert evaluate(scope.switch(1, call(boom), "safe"), {}) == "safe"


def test_a_shared_node_is_evaluated_once() -> None:
    calls = []

    def count(value: float) -> list[float]:
        calls.append(value)
        return [value]

    shared = call(count, hp.uniform("x", 0, 1))
    value = evaluate({"a": shared, "b": [shared]}, {"x": 0.5})
    assert calls == [0.5]
    assert value["a"] is value["b"][0]


def test_lists_become_tuples_and_dictionaries_are_new_each_time() -> None:
    space = {"layers": [8, [hp.randint("n", 9)]], "fixed": {"a": 1}}
    first, second = (evaluate(space, {"n": 4}) for _ in range(2))
    assert first == {"layers": (8, (4,)), "fixed": {"a": 1}}
    assert first["fixed"] is not second["fixed"]


@pytest.mark.parametrize(
    ("given_value", "parameter", "expected"),
    [
        (5.0, hp.quniform("x", 0, 9, 1), 5),
        (5.0, hp.uniformint("x", 0, 9), 5),
        (np.float64(5), hp.randint("x", 9), 5),
        (np.int64(5), hp.randint("x", 9), 5),
        (5.0, hp.uniform("x", 0, 9), 5.0),
        (np.float32(0.5), hp.uniform("x", 0, 9), 0.5),
        (5.5, hp.quniform("x", 0, 9, 1), 5.5),
    ],
)
def test_values_from_old_records_become_native(
    given_value: float, parameter: Node, expected: float
) -> None:
    value = evaluate(parameter, {"x": given_value})
    assert value == expected
    assert type(value) is type(expected)


def test_a_missing_value_is_named() -> None:
    with pytest.raises(
        BadSearchSpace, match=r"no value for parameter 'x'.*got values for \['y'\]"
    ):
        evaluate({"a": hp.uniform("x", 0, 1)}, {"y": 1})


@pytest.mark.parametrize("index", [2, -1, 0.5, "a", None, [1]])
def test_an_index_that_points_at_no_option_is_refused(index: Any) -> None:
    with pytest.raises(BadSearchSpace, match="choice 'c' must be an integer from 0 to 1, got"):
        evaluate(hp.choice("c", ["a", "b"]), {"c": index})


def test_a_whole_float_or_a_boolean_serves_as_an_index() -> None:
    space = hp.choice("c", ["a", "b"])
    assert [evaluate(space, {"c": index}) for index in (1.0, True, np.int64(1))] == ["b"] * 3


def test_other_labels_are_ignored() -> None:
    assert evaluate(hp.uniform("x", 0, 1), {"x": 0.5, "of another space": 1}) == 0.5


def test_a_memo_answers_for_any_node() -> None:
    x = hp.uniform("x", 0, 1)
    total = x + 1
    assert substitute(total * 2, lambda _: boom(), {total: 5}) == 10
    constant = as_node(3)
    assert substitute(total * constant, lambda _: boom(), {total: 5, constant: 4}) == 20


def test_nesting_deeper_than_the_stack_is_evaluated() -> None:
    node: Node = hp.uniform("x", 0, 1)
    for _ in range(5000):
        node = node + 1
    assert evaluate(node, {"x": 0.0}) == 5000


def test_an_error_in_a_function_of_the_space_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        evaluate(1 / hp.quniform("x", 0, 1, 1), {"x": 0})
