"""Draws without a label: noise inside a space, which the search does not see."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import cloudpickle
import numpy as np
import pytest

from sparktuner import hp
from sparktuner.errors import BadSearchSpace
from sparktuner.graph_viz import dot_hyperparameters
from sparktuner.pyll import clone, clone_merge, dfs, rec_eval, toposort
from sparktuner.pyll.stochastic import sample
from sparktuner.space import (
    Draw,
    Node,
    Parameter,
    Scope,
    Switch,
    as_node,
    evaluate,
    flatten,
    nodes,
    scope,
    substitute,
)

X = hp.uniform("x", 0, 1)
MU = hp.uniform("mu", 0, 1)

# The draw, and the parameter whose distribution it has.
DRAWS: list[tuple[Node, Parameter | Switch]] = [
    (scope.uniform(0, 1), hp.uniform("x", 0, 1)),
    (scope.uniform(low=0, high=1), hp.uniform("x", 0, 1)),
    (scope.loguniform(-3, 0), hp.loguniform("x", -3, 0)),
    (scope.quniform(0, 10, 2), hp.quniform("x", 0, 10, 2)),
    (scope.quniform(0, 1, 0.1), hp.quniform("x", 0, 1, 0.1)),
    (scope.qloguniform(0, 3, 1), hp.qloguniform("x", 0, 3, 1)),
    (scope.normal(0, 1), hp.normal("x", 0, 1)),
    (scope.normal(mu=1, sigma=2), hp.normal("x", 1, 2)),
    (scope.qnormal(0, 1, 0.5), hp.qnormal("x", 0, 1, 0.5)),
    (scope.lognormal(0, 1), hp.lognormal("x", 0, 1)),
    (scope.qlognormal(0, 1, 1), hp.qlognormal("x", 0, 1, 1)),
    (scope.uniformint(0, 10), hp.uniformint("x", 0, 10)),
    (scope.uniformint(0, 10, q=1), hp.uniformint("x", 0, 10)),
    (scope.randint(10), hp.randint("x", 10)),
    (scope.randint(2, 10), hp.randint("x", 2, 10)),
    (scope.randint(2, high=10), hp.randint("x", 2, 10)),
    (scope.randint(10, None), hp.randint("x", 10)),
    (scope.categorical([0.2, 0.8]), hp.pchoice("x", [(0.2, 0), (0.8, 1)])),
    (scope.categorical(p=(0.33, 0.33, 0.33)), hp.choice("x", range(3))),
    (scope.randint_via_categorical(np.array([0.2, 0.8])), hp.pchoice("x", [(0.2, 0), (0.8, 1)])),
    (scope.one_of("a", "b", "c"), hp.choice("x", ["a", "b", "c"])),
    (scope.uniform(0, 1, rng=None, size=()), hp.uniform("x", 0, 1)),
    (scope.categorical([0.5, 0.5], None, ()), hp.choice("x", range(2))),
    (scope.normal(MU * 0, 1), hp.normal("x", 0, 1)),
    (scope.randint(scope.int(MU) + 5), hp.randint("x", 5)),
    (scope.categorical([0.25 + 0 * MU, 0.75]), hp.pchoice("x", [(0.25, 0), (0.75, 1)])),
]


@pytest.mark.parametrize(("draw", "parameter"), DRAWS, ids=lambda node: repr(node)[:40])
def test_a_draw_has_the_distribution_of_its_parameter(
    draw: Node, parameter: Parameter | Switch
) -> None:
    label = parameter.index if isinstance(parameter, Switch) else parameter
    assert isinstance(label, Parameter)
    for seed in range(20):
        u = np.random.default_rng(seed).random(1)
        value = label.distribution.native(label.distribution.quantile(u).item())
        found = evaluate(draw, {"mu": 0.5}, seed)
        expected = evaluate(parameter, {"x": value})
        assert found == expected
        assert type(found) is type(expected)


def test_a_draw_is_new_in_each_evaluation_and_repeats_with_its_seed() -> None:
    space = {"x": X, "noise": scope.normal(0, 1)}
    assert len({evaluate(space, {"x": 0.5})["noise"] for _ in range(20)}) == 20
    assert len({evaluate(space, {"x": 0.5}, seed)["noise"] for seed in range(20)}) == 20
    assert evaluate(space, {"x": 0.5}, 7) == evaluate(space, {"x": 0.1}, seed=7) | {"x": 0.5}


def test_a_draw_that_stands_in_two_places_is_drawn_once() -> None:
    noise = scope.uniform(0, 1)
    first, second, other = evaluate([noise, noise + 0, scope.uniform(0, 1)], {}, 0)
    assert first == second
    assert first != other


def test_draws_are_made_in_the_order_in_which_they_are_met() -> None:
    space = {"a": scope.uniform(0, 1), "b": [scope.randint(1000), scope.uniform(5, 6)]}
    u = np.random.default_rng(3).random(3)
    assert evaluate(space, {}, 3) == {"a": u[0], "b": (int(u[1] * 1000), 5 + u[2])}


def test_what_is_not_chosen_is_not_drawn() -> None:
    space = hp.choice("c", [scope.uniform(0, 1), [scope.normal(0, 1), scope.uniform(0, 1)]])
    assert evaluate(space, {"c": 0}, 5) == np.random.default_rng(5).random()


def test_a_draw_is_no_parameter_of_the_search() -> None:
    space = {
        "a": scope.normal(hp.uniform("mu", 0, 1), 1),
        "b": hp.choice("c", [scope.uniform(0, 1), scope.lognormal(0, hp.uniform("s", 1, 2))]),
        "d": scope.one_of("a", hp.randint("n", 9)),
    }
    flat = flatten(space)
    assert flat.labels == ("mu", "c", "s", "n")
    conditional = [column.label for column in flat.columns if column.is_conditional]
    assert conditional == ["s"], "an option that noise chooses may always be needed"
    assert [column.path for column in flat.columns if column.label == "mu"] == ["['a']<normal 0>"]
    for configuration in flat.decode(flat.sample(np.random.default_rng(0), 20)):
        assert set(evaluate(space, configuration)) == {"a", "b", "d"}


def test_a_size_gives_an_array_and_a_generator_of_its_own_moves_on() -> None:
    array = evaluate(scope.randint(5, size=(2, 3)), {}, 0)
    assert array.shape == (2, 3)
    assert array.dtype.kind == "i"
    np.testing.assert_array_equal(
        evaluate(scope.uniform(0, 1, size=3), {}, 4), np.random.default_rng(4).random(3)
    )
    for own in (np.random.default_rng(1), np.random.RandomState(1)):
        expected = copy.deepcopy(own).random(2).tolist()
        noise = scope.uniform(0, 1, rng=own)
        assert [evaluate(noise, {}, 0), evaluate(noise, {}, 0)] == expected


@pytest.mark.parametrize("travel", [pickle, cloudpickle])
def test_draws_travel(travel: Any) -> None:
    space = as_node([scope.normal(MU, 1), scope.one_of("a", "b"), scope.uniform(0, 1)])
    again = travel.loads(travel.dumps(space))
    assert evaluate(again, {"mu": 0.5}, 1) == evaluate(space, {"mu": 0.5}, 1)
    assert repr(again) == repr(space)


def test_walks_meet_draws_and_what_they_are_made_from() -> None:
    noise = scope.normal(MU, 1)
    space = as_node([noise, noise])
    for order in (nodes(space), dfs(space), toposort(space)):
        assert order.index(MU) < order.index(noise) < order.index(space)
        assert len([node for node in order if isinstance(node, Draw)]) == 1


def test_copies_draw_alike_and_equal_draws_are_not_merged() -> None:
    space = as_node([scope.normal(MU, 1), scope.uniform(0, 1), scope.uniform(0, 1)])
    values = evaluate(space, {"mu": 0.5}, 1)
    assert len(set(values)) == 3
    for copied in (clone(space), clone_merge(space, merge_literals=True)):
        assert not set(nodes(copied)) & set(nodes(space))
        assert evaluate(copied, {"mu": 0.5}, 1) == values


def test_sample_draws_noise_from_its_own_source_of_randomness() -> None:
    space = {"x": X, "noise": [scope.uniform(0, 1), scope.normal(X, 1)]}
    for make in (lambda: 7, lambda: np.random.default_rng(7), lambda: np.random.RandomState(7)):
        assert sample(space, make()) == sample(space, make())
    rng = np.random.default_rng(0)
    assert len({sample(scope.uniform(0, 1), rng) for _ in range(20)}) == 20
    assert len({sample(scope.uniform(0, 1)) for _ in range(20)}) == 20


def test_a_memo_answers_for_a_draw() -> None:
    noise = scope.uniform(0, 1)
    assert rec_eval(noise + 1, memo={noise: 5}) == 6
    assert sample(noise + 1, memo={noise: 5}) == 6
    assert 1 <= rec_eval(noise + 1) <= 2
    assert substitute(noise, lambda _: 0, {}, 3) == np.random.default_rng(3).random()


def test_a_picture_shows_the_parameters_that_noise_depends_on() -> None:
    assert 'label="mu"' in dot_hyperparameters(scope.normal(MU, 1))
    assert dot_hyperparameters(scope.normal(0, 1)) == "digraph {\n}\n"


def test_a_label_makes_a_draw_a_parameter() -> None:
    made = scope.hyperopt_param("x", scope.uniform(0, 1))
    assert isinstance(made, Parameter)
    assert repr(made) == "hp.uniform('x', 0, 1)"
    assert made.distribution == hp.uniform("x", 0, 1).distribution
    whole = scope.int(scope.hyperopt_param("n", scope.quniform(0, 9, 3)))
    assert repr(whole) == "scope.int(hp.quniform('n', 0, 9, 3))"
    index = scope.hyperopt_param("c", scope.categorical([0.2, 0.8]))
    space = scope.switch(index, "a", hp.uniform("below", 0, 1))
    assert [column.conditions for column in flatten(space).columns] == [((),), (((0, 1),),)]


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (scope.uniform(0, 1), "scope.uniform(0, 1)"),
        (scope.normal(MU, sigma=2), "scope.normal(hp.uniform('mu', 0, 1), 2)"),
        (scope.randint(5, size=3), "scope.randint(5, size=(3,))"),
        (scope.categorical([0.5, 0.5]), "scope.categorical([0.5, 0.5])"),
        (scope.one_of("a", "b"), "scope.switch(scope.randint(2), 'a', 'b')"),
        (scope.uniform(0, 1) + 1, "scope.uniform(0, 1) + 1"),
    ],
    ids=repr,
)
def test_a_draw_reads_like_the_code_that_made_it(node: Node, text: str) -> None:
    assert repr(node) == text


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (lambda: scope.uniform(1, 0), "^scope.uniform: low must be below high, got low=1, high=0"),
        (lambda: scope.normal(0, None), "^scope.normal: sigma must be a real number, got None"),
        (lambda: scope.categorical([0.5, 0.2]), "^scope.categorical: probabilities must sum to 1"),
        (lambda: scope.categorical(0.5), "^scope.categorical: p must be a list of prob.* 0.5"),
        (lambda: scope.categorical("ab"), "^scope.categorical: p must be a list of prob.* 'ab'"),
        (lambda: scope.categorical([]), "^scope.categorical: needs at least one option, got none"),
        (scope.one_of, "^scope.one_of needs at least one option, got none"),
        (lambda: scope.uniform("x", 0, 1), r"takes no label.*write hp.uniform\('x', ...\)"),
        (lambda: scope.uniform(0, 1, rng="me"), "^scope.uniform: rng must be a numpy Generator"),
        (lambda: scope.uniform(0, 1, size=-1), "^scope.uniform: size must be .* got -1"),
        (lambda: scope.uniform(0, 1, size="ab"), "^scope.uniform: size must be .* got 'ab'"),
        (lambda: scope.hyperopt_param("x", 3), "^scope.hyperopt_param: needs a draw.*got 3"),
        (lambda: scope.hyperopt_param("x", X), "needs a draw.*got hp.uniform"),
        (lambda: scope.hyperopt_param("x", scope.normal(MU, 1)), "must be constants"),
        (lambda: scope.hyperopt_param("x", scope.uniform(0, 1, size=2)), "must be one number"),
        (lambda: scope.hyperopt_param("", scope.uniform(0, 1)), "label must not be empty"),
        (lambda: scope.hyperopt_param(3, scope.uniform(0, 1)), "label must be a string"),
        (lambda: scope.switch(scope.randint(3), "a", "b"), "must point at one of its 2 options"),
        (
            lambda: scope.switch(scope.randint(2**60, 2**60 + 2), "a", "b"),
            "must point at one of its 2 options",
        ),
        (lambda: scope.switch(scope.categorical([0.5] * 2), "a"), "takes values from 0 to 1"),
    ],
)
def test_slips_are_named_when_they_are_written(slip: Callable[[], Any], message: str) -> None:
    with pytest.raises(BadSearchSpace, match=message):
        slip()


@pytest.mark.parametrize(
    ("slip", "missing"),
    [
        (lambda: scope.uniform(0), "high"),
        (lambda: scope.normal(MU), "sigma"),
        (scope.randint, "low"),
    ],
)
def test_a_missing_number_is_named_when_it_is_written(
    slip: Callable[[], Any], missing: str
) -> None:
    with pytest.raises(TypeError, match=f"missing 1 required positional argument: '{missing}'"):
        slip()


def test_an_ill_formed_number_is_named_when_it_is_computed() -> None:
    noise = scope.normal(0, MU - 1)
    with pytest.raises(BadSearchSpace, match="^scope.normal: sigma must be above 0, got -0.5"):
        evaluate(noise, {"mu": 0.5})


def test_a_function_of_ones_own_goes_before_a_draw_of_its_name() -> None:
    own = Scope()

    def normal(mu: float, sigma: float) -> str:
        return f"{mu} to {sigma}"

    assert {"normal", "one_of", "hyperopt_param"} <= set(dir(own))
    assert own.define_if_new(normal) is normal
    assert isinstance(own.normal(0, 1), Draw)
    own.define(normal)
    assert evaluate(own.normal(0, 1), {}) == "0 to 1"
