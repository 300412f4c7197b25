"""``scope``: functions of nodes, built in and of one's own."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import cloudpickle
import numpy as np
import pytest

from sparktuner import hp
from sparktuner.space import Node, Scope, evaluate, scope

X = hp.uniform("x", 0, 10)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (scope.int(X), 2),
        (scope.float(scope.int(X)), 2.0),
        (scope.str(X), "2.5"),
        (scope.bool(X), True),
        (scope.len([1, X]), 2),
        (scope.list((1, X)), [1, 2.5]),
        (scope.dict(a=1, b=X), {"a": 1, "b": 2.5}),
        (scope.dict({"a": X}), {"a": 2.5}),
        (scope.dict([("a", X)]), {"a": 2.5}),
        (scope.range(1, scope.int(X)), range(1, 2)),
        (scope.add(X, 1), 3.5),
        (scope.sub(X, 1), 1.5),
        (scope.mul(X, 2), 5.0),
        (scope.truediv(X, 2), 1.25),
        (scope.floordiv(X, 2), 1.0),
        (scope.mod(X, 2), 0.5),
        (scope.neg(X), -2.5),
        (scope.pow(X, 2), 6.25),
        (scope.exp(X), np.exp(2.5)),
        (scope.log(X), np.log(2.5)),
        (scope.sqrt(X), np.sqrt(2.5)),
        (scope.sin(X), np.sin(2.5)),
        (scope.cos(X), np.cos(2.5)),
        (scope.tan(X), np.tan(2.5)),
        (scope.sum([X, 1, 2]), 5.5),
        (scope.min(X, 1), 1),
        (scope.max([X, 1]), 2.5),
        (scope.minimum(X, 1), 1.0),
        (scope.maximum(X, 1), 2.5),
        (scope.getitem([1, X], 1), 2.5),
        (scope.getattr(X, "real"), 2.5),
        (scope.switch(scope.int(X), "a", "b", "c"), "c"),
        (scope.call(max, (X, 1)), 2.5),
        (scope.call(dict, (), {"a": X}), {"a": 2.5}),
        (scope.partial(max, 3)(X), 3),
        (scope.identity(X), 2.5),
        (scope.repeat(3, X), [2.5, 2.5, 2.5]),
        (scope.eq(X, 2.5), True),
        (scope.ne(X, 2.5), False),
        (scope.lt(X, 3), True),
        (scope.le(X, 3), True),
        (scope.gt(X, 3), False),
        (scope.ge(X, 3), False),
        (scope.abs(scope.neg(X)), 2.5),
        (scope.round(X), 2),
    ],
    ids=repr,
)
def test_every_function_of_scope_gives_a_native_value(node: Node, value: Any) -> None:
    answer = evaluate(node, {"x": 2.5})
    assert answer == value
    assert not isinstance(answer, np.generic)


def test_asarray_gives_an_array() -> None:
    array = evaluate(scope.asarray([X, 1], dtype="float32"), {"x": 2.5})
    assert array.dtype == np.float32
    assert array.tolist() == [2.5, 1.0]


@pytest.mark.parametrize("name", ["int", "log", "range", "asarray", "partial", "call", "repeat"])
def test_nodes_of_scope_travel_by_plain_pickle(name: str) -> None:
    node = getattr(scope, name)(X)
    assert pickle.loads(pickle.dumps(node)).function is node.function


def test_a_function_of_ones_own_joins_and_is_given_back() -> None:
    own = Scope()

    @own.define
    def twice(x: float, plus: float = 0) -> float:
        return 2 * x + plus

    assert twice(3) == 6
    node = own.twice(X, plus=1)
    assert repr(node) == "scope.twice(hp.uniform('x', 0, 10), plus=1)"
    assert evaluate(node, {"x": 2.5}) == 6.0
    assert "twice" in dir(own)
    own.undefine(twice)
    with pytest.raises(AttributeError):
        _ = own.twice
    assert evaluate(node, {"x": 2.5}) == 6.0, "a node holds the function itself"


def test_define_may_say_how_many_items_a_result_has() -> None:
    own = Scope()

    @own.define_info(o_len=2)
    def halves(x: float) -> tuple[float, float]:
        return x / 2, -x / 2

    left, right = own.halves(X)
    assert len(own.halves(X)) == 2
    assert evaluate([left, right], {"x": 3.0}) == (1.5, -1.5)


def test_the_other_ways_to_define() -> None:
    own = Scope()
    made = [
        own.define_pure(_named("a")),
        own.define()(_named("b")),
        own.define_if_new(_named("c")),
    ]
    assert [evaluate(getattr(own, f.__name__)(), {}) for f in made] == ["a", "b", "c"]
    own.define_if_new(_named("c", "other"))
    assert evaluate(own.c(), {}) == "c"
    own.define(_named("c", "other"))
    assert evaluate(own.c(), {}) == "other", "a notebook's cell may run again"
    own.undefine("c")
    assert own.define_if_new(int) is int


def _named(name: str, answer: str | None = None) -> Callable[[], str]:
    def function() -> str:
        return answer or name

    function.__name__ = name
    return function


def test_a_definition_replaces_what_a_name_meant() -> None:
    def round(x: float) -> str:
        return f"about {x:.0f}"

    scope.define(round)
    try:
        assert evaluate(scope.round(2.6), {}) == "about 3"
    finally:
        scope.undefine("round")
    assert evaluate(scope.round(2.6), {}) == 3


@pytest.mark.parametrize(
    ("slip", "error", "message"),
    [
        (lambda: scope.flaot(1), AttributeError, "'flaot'; did you mean 'float'.*@scope.define"),
        (lambda: scope.my_function(1), AttributeError, "@scope.define"),
        (lambda: scope.choice([0, 1]), AttributeError, r"write hp.choice\('label', ...\)"),
        (lambda: scope.define(lambda x: x), ValueError, "write it with def"),
        (lambda: scope.define(3), ValueError, "needs a function"),
        (lambda: scope.define(_named("switch")), ValueError, "'switch' is a method of scope"),
        (lambda: scope.undefine("unknown"), ValueError, "'unknown' was not defined"),
    ],
)
def test_slips_are_named(slip: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        slip()


def test_a_scope_travels_with_what_was_defined() -> None:
    own = Scope()
    own.define(_named("mine"))
    again = cloudpickle.loads(cloudpickle.dumps(own))
    assert evaluate(again.mine(), {}) == "mine"
