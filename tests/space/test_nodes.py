"""Nodes: what arithmetic on them gives, how they print, how values become nodes."""

from __future__ import annotations

import copy
import datetime
import math
import operator
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import cloudpickle
import numpy as np
import pytest
from hypothesis import given

from sparktuner import hp
from sparktuner.errors import BadSearchSpace
from sparktuner.space import (
    Call,
    Categorical,
    Literal,
    Node,
    Parameter,
    RandInt,
    Switch,
    as_node,
    evaluate,
    flatten,
    native,
    nodes,
    scope,
)
from tests.space.strategies import same_shape, spaces

X = hp.uniform("x", 0, 10)


@pytest.mark.parametrize(
    "expression",
    [
        lambda x: x + 1,
        lambda x: 1 + x,
        lambda x: x - 1,
        lambda x: 1 - x,
        lambda x: x * 3,
        lambda x: 3 * x,
        lambda x: x / 4,
        lambda x: 4 / x,
        lambda x: x // 2,
        lambda x: 7 // x,
        lambda x: x % 2,
        lambda x: 7 % x,
        lambda x: x**2,
        lambda x: 2**x,
        lambda x: -x,
        lambda x: abs(-x),
        round,
        lambda x: round(x / 3, 2),
        lambda x: x < 3,
        lambda x: x <= 3,
        lambda x: x > 3,
        lambda x: x >= 3,
        lambda x: np.float64(2) * x,
        lambda x: x + np.int64(2),
        lambda x: np.float64(2) < x,
    ],
)
def test_arithmetic_on_a_node_is_arithmetic_on_its_value(
    expression: Callable[[Any], Any],
) -> None:
    node = expression(X)
    assert isinstance(node, Node)
    value = evaluate(node, {"x": 2.5})
    assert value == expression(2.5)
    assert not isinstance(value, np.generic)


def test_numpy_functions_and_arrays_make_nodes() -> None:
    assert evaluate(np.log(X), {"x": 2.5}) == pytest.approx(math.log(2.5))
    np.testing.assert_array_equal(evaluate(np.array([1, 2]) * X, {"x": 2.0}), [2.0, 4.0])


def test_containers_are_indexed_and_sliced_by_constants_and_nodes() -> None:
    items = as_node([10, 20, X])
    assert evaluate(items[1], {"x": 1.0}) == 20
    assert evaluate(items[1:], {"x": 1.0}) == (20, 1.0)
    assert evaluate(items[hp.randint("i", 3)], {"x": 1.0, "i": 2}) == 1.0
    assert evaluate(as_node({"a": X})["a"], {"x": 1.0}) == 1.0


def test_a_node_whose_value_is_a_function_can_be_called() -> None:
    function = hp.choice("f", [min, max])
    assert evaluate(function(3, X), {"f": 1, "x": 9.0}) == 9.0


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (list, "cannot be iterated"),
        (len, "use scope.len"),
        (int, "use scope.int"),
        (float, "use scope.float"),
        (lambda x: 3 in x, "not iterable|cannot be iterated"),
        (lambda x: bool(x < 3), "known only when a configuration is evaluated"),
        (math.sqrt, "use scope.float"),
    ],
)
def test_what_only_a_value_can_do_is_refused_with_a_hint(
    slip: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        slip(X)


def test_nodes_compare_by_identity_and_are_true() -> None:
    assert X == X
    assert hp.uniform("x", 0, 10) != X
    assert {X: 1}[X] == 1
    assert X and X + 1


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (hp.uniform("x", 0, 1), "hp.uniform('x', 0, 1)"),
        (hp.quniform("x", 0, 1, 0.25), "hp.quniform('x', 0, 1, 0.25)"),
        (hp.uniformint("x", 1, 9), "hp.uniformint('x', 1, 9)"),
        (hp.loguniform("x", -4.5, 0), "hp.loguniform('x', -4.5, 0)"),
        (hp.qloguniform("x", 0, 3, 1), "hp.qloguniform('x', 0, 3, 1)"),
        (hp.normal("x", 0, 1), "hp.normal('x', 0, 1)"),
        (hp.qnormal("x", 0, 1, 2), "hp.qnormal('x', 0, 1, 2)"),
        (hp.lognormal("x", 0, 1), "hp.lognormal('x', 0, 1)"),
        (hp.qlognormal("x", 0, 1, 2), "hp.qlognormal('x', 0, 1, 2)"),
        (hp.randint("x", 10), "hp.randint('x', 10)"),
        (hp.randint("x", 2, 10), "hp.randint('x', 2, 10)"),
        (hp.choice("x", ["a", None, 1.5]), "hp.choice('x', ['a', None, 1.5])"),
        (hp.choice("x", [int, print]), "hp.choice('x', [int, print])"),
        (
            hp.pchoice("x", [(0.25, "a"), (0.75, hp.randint("n", 3))]),
            "hp.pchoice('x', [(0.25, 'a'), (0.75, hp.randint('n', 3))])",
        ),
        (hp.choice("x", range(99)), f"hp.choice('x', [{', '.join(map(str, range(20)))}, ...])"),
        (scope.int(X) + 1, "scope.int(hp.uniform('x', 0, 10)) + 1"),
        (2 * (X + 1), "2 * (hp.uniform('x', 0, 10) + 1)"),
        (-X, "-hp.uniform('x', 0, 10)"),
        (X[0], "hp.uniform('x', 0, 10)[0]"),
        (X(1, key=2), "hp.uniform('x', 0, 10)(1, key=2)"),
        (
            scope.switch(scope.int(X), 1, 2),
            "scope.switch(scope.int(hp.uniform('x', 0, 10)), 1, 2)",
        ),
        (as_node({"a": X, "b": [1, (2,)]}), "{'a': hp.uniform('x', 0, 10), 'b': [1, [2]]}"),
        (as_node(3), "Literal(3)"),
        (Parameter("c", Categorical.uniform(2)), "hp.choice('c', range(2))"),
    ],
)
def test_a_node_prints_like_the_code_that_made_it(node: Node, text: str) -> None:
    assert repr(node) == text


@given(spaces())
def test_every_space_prints(space: Node) -> None:
    assert repr(space)


def test_the_repr_of_a_node_shared_over_and_over_stays_short() -> None:
    node: Node = X
    for _ in range(200):
        node = node + node
    assert len(repr(node)) < 5000
    assert len(repr(as_node(np.zeros(10_000)))) < 200


def test_containers_become_nodes_and_constants_stay_what_they_are() -> None:
    stamp = np.datetime64("2026-01-01T00:00:00.000000001")
    array, when = np.arange(3), datetime.date(2026, 1, 1)
    space = {
        "list": [1, [2, X]],
        "ordered": OrderedDict(b=1, a=2),
        np.str_("key"): np.float32(0.5),
        (1, 2): {3},
        "array": array,
        "date": when,
        "stamp": stamp,
        "flag": np.bool_(True),
    }
    value = evaluate(space, {"x": 4.0})
    assert value.pop("array") is array
    assert value == {
        "list": (1, (2, 4.0)),
        "ordered": {"b": 1, "a": 2},
        "key": 0.5,
        (1, 2): {3},
        "date": when,
        "stamp": stamp,
        "flag": True,
    }
    assert list(value["ordered"]) == ["a", "b"]
    assert type(value["key"]) is float
    assert value["flag"] is True
    assert all(type(key) in (str, tuple) for key in value)


def test_a_container_in_two_places_becomes_one_node() -> None:
    settings = [X, 1]
    node = as_node({"a": settings, "b": settings})
    value = evaluate(node, {"x": 1.0})
    assert value["a"] is value["b"]
    assert len(nodes(node)) == 4


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({X}, "a set has no order"),
        (frozenset([X]), "a set has no order"),
        (np.array([X, 1], dtype=object), "an array must not hold parameters"),
        ({X: 1}, "key must be a constant, got the search-space node hp.uniform"),
    ],
)
def test_containers_that_cannot_hold_parameters_are_refused(space: object, message: str) -> None:
    with pytest.raises(BadSearchSpace, match=message):
        as_node(["some", {"place": space}])


def test_a_container_that_holds_itself_is_refused() -> None:
    space: list[Any] = [1]
    space.append({"self": space})
    with pytest.raises(BadSearchSpace, match="must not contain itself"):
        as_node(space)


@pytest.mark.parametrize("label", ["", None, 3])
def test_a_parameter_needs_a_label(label: Any) -> None:
    with pytest.raises(BadSearchSpace, match="label must"):
        Parameter(label, RandInt(0, 3))


def test_a_switch_refuses_an_index_that_can_miss_its_options() -> None:
    with pytest.raises(BadSearchSpace, match="one of its 2 options, but .* from 0 to 4"):
        Switch(Parameter("i", RandInt(0, 5)), (Literal(1), Literal(2)))
    with pytest.raises(BadSearchSpace, match="needs at least one option"):
        Switch(Literal(0), ())


@pytest.mark.parametrize("value", [np.float32(1.5), np.int8(3), np.bool_(False), np.str_("a")])
def test_numpy_scalars_become_native(value: Any) -> None:
    assert type(native(value)) in (float, int, bool, str)
    assert native(value) == value


def test_nodes_are_frozen() -> None:
    with pytest.raises(AttributeError):
        X.label = "y"  # type: ignore[misc]


@given(spaces())
def test_spaces_survive_copying_and_pickling(space: Node) -> None:
    for again in (
        copy.deepcopy(space),
        pickle.loads(pickle.dumps(space)),
        cloudpickle.loads(cloudpickle.dumps(space)),
    ):
        assert same_shape(again, space)
        assert flatten(again).columns == flatten(space).columns
        assert len(nodes(again)) == len(nodes(space))


def test_functions_defined_in_a_notebook_travel_with_the_space() -> None:
    def doubled(x: float) -> float:
        return 2 * x

    scope.define(doubled)
    space = {"d": scope.doubled(X), "f": hp.choice("f", [lambda v: v + 1])}
    scope.undefine(doubled)
    again = cloudpickle.loads(cloudpickle.dumps(as_node(space)))
    value = evaluate(again, {"x": 2.0, "f": 0})
    assert value["d"] == 4.0
    assert value["f"](1) == 2


def test_walks_visit_each_node_once_children_first() -> None:
    space = as_node([X, X + 1, {"a": X}])
    order = nodes(space)
    assert len(order) == len(set(order))
    assert order.count(X) == 1
    assert order[0] is X
    assert order[-1] is space
    call = next(node for node in order if isinstance(node, Call))
    assert call.function is operator.add
