"""Hyperopt's import paths for expressions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sparktuner.pyll
import sparktuner.pyll.stochastic
from sparktuner import hp, pyll
from sparktuner.errors import BadSearchSpace, DuplicateLabel
from sparktuner.pyll import base, stochastic
from sparktuner.pyll.base import Apply, Literal, as_apply, clone, clone_merge, dfs, rec_eval, scope
from sparktuner.pyll.stochastic import sample
from sparktuner.space import Call, Parameter, flatten, nodes
from tests.space.strategies import same_shape

SPACE = {
    "n": scope.int(hp.quniform("n", 1, 9, 1)),
    "model": hp.choice("model", ["nb", {"C": hp.lognormal("C", 0, 1), "layers": [1, 2]}]),
}


def test_all_names_are_there_on_both_paths() -> None:
    for name in base.__all__:
        assert getattr(pyll, name) is getattr(base, name)
    assert sparktuner.pyll.stochastic.sample is stochastic.sample
    assert pyll.scope is scope


@pytest.mark.parametrize(
    "make_rng", [lambda: 7, lambda: np.random.default_rng(7), lambda: np.random.RandomState(7)]
)
def test_sample_takes_any_source_of_randomness_and_repeats_it(make_rng: Any) -> None:
    drawn = [sample(SPACE, make_rng()) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert type(drawn[0]["n"]) is int


def test_sample_moves_a_generator_on() -> None:
    for rng in (np.random.default_rng(0), np.random.RandomState(0)):
        assert len({sample(hp.uniform("x", 0, 1), rng) for _ in range(20)}) == 20


def test_sample_without_a_source_differs_from_call_to_call() -> None:
    assert len({sample(hp.uniform("x", 0, 1)) for _ in range(5)}) == 5


@pytest.mark.parametrize("rng", ["seed", 1.5, True])
def test_sample_refuses_other_sources(rng: Any) -> None:
    with pytest.raises(TypeError, match="rng must be a numpy.random.Generator"):
        sample(SPACE, rng)


def test_sample_gives_what_the_objective_receives() -> None:
    models = []
    rng = np.random.default_rng(1)
    for _ in range(200):
        value = sample(SPACE, rng)
        assert value["n"] in range(1, 10)
        models.append(value["model"])
    assert "nb" in models
    nested = next(model for model in models if model != "nb")
    assert list(nested) == ["C", "layers"]
    assert nested["layers"] == (1, 2)


def test_sample_agrees_with_the_flat_space() -> None:
    flat = flatten(SPACE)
    for seed in range(20):
        configuration = flat.decode(flat.sample(np.random.default_rng(seed), 1))[0]
        value = sample(SPACE, seed)
        assert value["n"] == configuration["n"]
        assert (value["model"] == "nb") == (configuration["model"] == 0)


def test_sample_checks_the_space() -> None:
    with pytest.raises(DuplicateLabel):
        sample([hp.uniform("x", 0, 1), hp.uniform("x", 0, 1)])


def test_sample_holds_fixed_what_the_memo_gives() -> None:
    space = as_apply(SPACE)
    index = next(p for p in flatten(space).parameters if p.label == "model")
    for seed in range(10):
        assert "C" in sample(space, seed, memo={index: 1})["model"]


def test_rec_eval_takes_values_of_any_node_from_the_memo() -> None:
    x = hp.uniform("x", 0, 1)
    double = 2 * x
    assert rec_eval([x, double + 1], memo={x: 0.25}) == (0.25, 1.5)
    assert rec_eval([double + 1], memo={double: 10}) == (11,)


def test_rec_eval_leaves_the_memo_alone_and_accepts_all_arguments() -> None:
    x = hp.uniform("x", 0, 1)
    settings = {"a": [1]}
    memo = {x: settings}
    value = rec_eval(
        scope.identity(x),
        deepcopy_inputs=True,
        memo=memo,
        max_program_len=100,
        memo_gc=False,
        print_trace=False,
        print_node_on_error=False,
    )
    assert memo == {x: settings}
    assert value == settings
    assert value is not settings
    assert rec_eval(x, memo=memo) is settings


def test_rec_eval_names_a_parameter_without_value() -> None:
    with pytest.raises(BadSearchSpace, match=r"hp.uniform\('x', 0, 1\) has no value here"):
        rec_eval({"a": hp.uniform("x", 0, 1)})


def test_constants_are_literals_with_their_object() -> None:
    node = as_apply("text")
    assert isinstance(node, Literal)
    assert isinstance(node, Apply)
    assert (node.obj, Literal().obj) == ("text", None)
    assert isinstance(hp.uniform("x", 0, 1), Apply)


def test_dfs_and_toposort_list_inputs_before_what_is_made_from_them() -> None:
    x = hp.uniform("x", 0, 1)
    expression = as_apply([x, x + 1])
    for order in (dfs(expression), pyll.toposort(expression)):
        assert order.index(x) < order.index(expression)
        assert order[-1] is expression
        # Hyperopt has six nodes for a parameter: its label, two bounds, and three calls.
        assert len(order) == 9


def test_a_clone_is_new_throughout_and_shares_what_was_shared() -> None:
    x = hp.uniform("x", 0, 1)
    space = as_apply([x, x + 1, hp.choice("c", [{"k": x}])])
    copied = clone(space)
    assert same_shape(copied, space)
    assert not set(nodes(copied)) & set(nodes(space))
    assert flatten(copied).columns == flatten(space).columns


def test_a_clone_keeps_what_its_memo_names() -> None:
    x = hp.uniform("x", 0, 1)
    replacement = as_apply(3)
    memo = {x: replacement}
    assert rec_eval(clone(x + 1, memo)) == 4
    assert len(memo) == 3


def test_clone_merge_makes_equal_computations_one_node() -> None:
    x = hp.uniform("x", 0, 1)
    one = as_apply(1)
    space = as_apply([x + one, x + one, x + 1])
    merged = clone_merge(space)
    assert len([node for node in nodes(merged) if isinstance(node, Call)]) == 2
    merged = clone_merge(space, merge_literals=True)
    assert len([node for node in nodes(merged) if isinstance(node, Call)]) == 1
    assert len([node for node in nodes(merged) if isinstance(node, Parameter)]) == 1
    assert sample(merged, 3) == sample(space, 3)


def test_parameters_of_one_label_are_never_merged() -> None:
    space = hp.choice("c", [hp.uniform("x", 0, 1), hp.uniform("x", 0, 1)])
    assert len(flatten(clone_merge(space)).columns) == 3


def test_unpacking_names_of_hyperopt_programs() -> None:
    assert scope.int is not None
    assert rec_eval(scope.int(as_apply(2.7))) == 2
    assert rec_eval(as_apply([1, (2, 3)])) == (1, (2, 3))
