"""The flat view: columns, when they are active, and the way to latents and back."""

from __future__ import annotations

import copy
import json
import math
import pickle
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktuner import hp
from sparktuner.errors import BadSearchSpace, DuplicateLabel
from sparktuner.space import (
    Categorical,
    FlatSpace,
    FloatArray,
    Node,
    Numeric,
    Parameter,
    RandInt,
    Switch,
    as_node,
    evaluate,
    flatten,
    scope,
)
from tests.space.strategies import (
    active_parameters,
    choice_values,
    choices_of_few_labels,
    distributions,
    spaces,
)


def sample(space: FlatSpace, seed: int, n: int = 5) -> FloatArray:
    return space.sample(np.random.default_rng(seed), n)


@given(spaces(), st.integers(0, 1000), st.sampled_from([1, 5]))
def test_activity_agrees_with_a_recursive_walk(space: Node, seed: int, n: int) -> None:
    flat = flatten(space)
    latents = sample(flat, seed, n)
    garbage = np.where(np.isnan(latents), 0.0, latents)
    np.testing.assert_array_equal(flat.active(garbage), flat.active(latents))
    for row, flags in zip(latents, flat.active(latents), strict=True):
        values = dict(zip(flat.parameters, row, strict=True))
        expected = active_parameters(space, values)
        assert {p for p, flag in zip(flat.parameters, flags, strict=True) if flag} == expected
        assert (np.isnan(row) == ~flags).all()


@given(spaces(), st.integers(0, 1000))
def test_samples_survive_decoding_and_encoding_bit_for_bit(space: Node, seed: int) -> None:
    flat = flatten(space)
    latents = sample(flat, seed)
    configurations = flat.decode(latents)
    again = flat.encode(configurations)
    logs = [
        isinstance(c.distribution, Numeric) and c.distribution.log and c.distribution.q is None
        for c in flat.columns
    ]
    np.testing.assert_allclose(again, latents, rtol=1e-12, atol=1e-12)
    exact = ~np.array(logs, dtype=bool)
    np.testing.assert_array_equal(again[:, exact], latents[:, exact])
    for configuration, row in zip(configurations, latents, strict=True):
        np.testing.assert_array_equal(flat.encode([configuration])[0, exact], row[exact])
        assert flat.decode(row[None, :]) == [configuration]


@given(spaces(), st.integers(0, 1000))
def test_configurations_are_json_and_hold_native_numbers(space: Node, seed: int) -> None:
    flat = flatten(space)
    for configuration in flat.decode(sample(flat, seed)):
        assert json.loads(json.dumps(configuration, allow_nan=False)) == configuration
        assert {type(value) for value in configuration.values()} <= {int, float}
        assert "-0.0" not in map(str, configuration.values())


@given(st.lists(distributions(), min_size=1, max_size=8), st.integers(0, 1000))
def test_columns_together_give_what_their_distributions_give_alone(
    priors: list[Any], seed: int
) -> None:
    # A category alone: an index that chooses nothing.
    flat = flatten([Parameter(f"p{j}", prior) for j, prior in enumerate(priors)])
    u = np.random.default_rng(seed).random((6, len(priors)))
    u[0], u[1] = 0.0, 1.0
    latents = flat.from_unit(u)
    assert not np.isnan(latents).any()
    configurations = flat.decode(latents)
    for j, prior in enumerate(priors):
        values = prior.quantile(u[:, j])
        if isinstance(prior, Numeric) and prior.q is None:
            np.testing.assert_allclose(latents[:, j], prior.to_latent(values), atol=1e-12)
        else:
            np.testing.assert_array_equal(latents[:, j], prior.to_latent(values))
        np.testing.assert_array_equal(
            [c[f"p{j}"] for c in configurations],
            [prior.native(value) for value in prior.from_latent(latents[:, j]).tolist()],
        )
        np.testing.assert_array_equal(
            flat.encode(configurations)[:, j],
            prior.to_latent(np.array([c[f"p{j}"] for c in configurations], dtype=float)),
        )


def test_draws_do_not_depend_on_how_many_are_asked_for_at_once() -> None:
    flat = flatten(realistic())
    rng = np.random.default_rng(3)
    one_by_one = np.concatenate([flat.sample(rng, 1) for _ in range(20)])
    np.testing.assert_array_equal(one_by_one, flat.sample(np.random.default_rng(3), 20))


def realistic() -> dict[str, Any]:
    return {
        "lr": hp.loguniform("lr", math.log(1e-5), 0),
        "model": hp.choice(
            "model",
            [
                {"kind": "svm", "C": hp.lognormal("C", 0, 1)},
                {
                    "kind": "forest",
                    "depth": scope.int(hp.quniform("depth", 1, 20, 1)),
                    "criterion": hp.choice("criterion", ["gini", ("min", hp.randint("m", 5))]),
                },
            ],
        ),
    }


def test_columns_say_where_they_are_and_when_they_are_active() -> None:
    flat = flatten(realistic())
    assert [(c.label, c.path, c.conditions) for c in flat.columns] == [
        ("lr", "['lr']", ((),)),
        ("model", "['model']", ((),)),
        ("C", "['model']<model=0>['C']", (((1, 0),),)),
        ("depth", "['model']<model=1>['depth']", (((1, 1),),)),
        ("criterion", "['model']<model=1>['criterion']", (((1, 1),),)),
        ("m", "['model']<model=1>['criterion']<criterion=1>[1]", (((4, 1),),)),
    ]
    assert [c.label for c in flat.columns] == [p.label for p in flat.parameters]
    assert flat.is_conditional


def test_parents_stand_before_their_children() -> None:
    x = hp.uniform("x", 0, 1)
    late = hp.choice("late", [x, 1])
    flat = flatten([hp.choice("early", [x, 1]), late])
    assert flat.labels == ("early", "late", "x")
    assert flat.columns[2].conditions == (((0, 0),), ((1, 0),))


def test_a_node_in_every_option_of_a_choice_is_always_active() -> None:
    x = hp.uniform("x", 0, 1)
    flat = flatten(hp.choice("c", [{"a": x}, {"b": hp.choice("d", [x, 2 * x])}]))
    assert flat.columns[flat.labels.index("x")].conditions == ((),)


def test_a_node_both_inside_and_outside_of_a_choice_is_always_active() -> None:
    x = hp.uniform("x", 0, 1)
    assert not flatten([hp.choice("c", [x, 1]), x]).columns[1].is_conditional


def test_an_index_used_by_two_switches_decides_in_both() -> None:
    index = hp.randint("i", 2)
    a, b = hp.uniform("a", 0, 1), hp.uniform("b", 0, 1)
    space = hp.choice("c", [scope.switch(index, a, 1), scope.switch(index, 2, b), 3])
    flat = flatten(space)
    assert flat.labels == ("c", "i", "a", "b")
    assert flat.columns[2].conditions == (((0, 0), (1, 0)),)
    assert flat.columns[3].conditions == (((0, 1), (1, 1)),)


def test_a_switch_may_choose_its_own_index() -> None:
    index = Parameter("i", Categorical.uniform(2))
    assert flatten(Switch(index, (index, as_node(5)))).columns[0].conditions == ((),)


def test_options_of_a_computed_index_all_count_as_active() -> None:
    space = scope.switch(scope.int(hp.uniform("u", 0, 2)), hp.uniform("a", 0, 1), 7)
    flat = flatten(space)
    assert not flat.is_conditional
    assert evaluate(space, {"u": 1.5, "a": 0.1}) == 7


def test_choices_that_decide_about_each_other_are_refused() -> None:
    p, q = hp.randint("p", 2), hp.randint("q", 2)
    space = hp.choice("c", [scope.switch(p, 0, q + 0), scope.switch(q, 0, p + 0)])
    with pytest.raises(BadSearchSpace, match=r"\['p', 'q'\] do"):
        flatten(space)


@given(choices_of_few_labels())
def test_a_label_is_refused_exactly_where_it_can_be_active_twice(space: Node) -> None:
    def clashes(values: dict[Parameter, float]) -> bool:
        labels = [parameter.label for parameter in active_parameters(space, values)]
        return len(labels) > len(set(labels))

    if any(clashes(values) for values in choice_values(space)):
        with pytest.raises(DuplicateLabel, match="can be active together: at .* and at "):
            flatten(space)
    else:
        flatten(space)


def test_a_duplicate_label_names_both_places() -> None:
    space = {
        "net": {"lr": hp.uniform("lr", 0, 1)},
        "sgd": hp.choice("opt", [1, [hp.normal("lr", 0, 1)]]),
    }
    with pytest.raises(DuplicateLabel) as caught:
        flatten(space)
    message = str(caught.value)
    assert message.startswith("label 'lr' names two parameters that can be active together")
    assert "at ['net']['lr'] and at ['sgd']<opt=1>[0]" in message
    with pytest.raises(DuplicateLabel, match=r"at <add 0> and at <add 1>"):
        flatten(hp.uniform("x", 0, 1) + hp.uniform("x", 0, 1))


def test_one_label_in_exclusive_branches_may_have_two_distributions() -> None:
    space = hp.choice(
        "model",
        [{"C": hp.uniform("C", 0, 1)}, {"C": hp.randint("C", 5, 9)}, {"k": hp.randint("k", 3)}],
    )
    flat = flatten(space)
    assert flat.labels == ("model", "C", "k")
    assert len(flat.columns) == 4
    for configuration in flat.decode(sample(flat, 0, 50)):
        value = evaluate(space, configuration)
        if configuration["model"] == 0:
            assert 0 <= value["C"] <= 1
        elif configuration["model"] == 1:
            assert value["C"] in range(5, 9)
    latents = flat.encode([{"model": 1, "C": 7}, {"model": 0, "C": 0.5}])
    np.testing.assert_array_equal(latents, [[1, np.nan, 7, np.nan], [0, 0.5, np.nan, np.nan]])


def test_the_same_node_twice_is_one_parameter() -> None:
    x = hp.uniform("x", 0, 1)
    assert flatten({"a": x, "b": [x, x + 1]}).labels == ("x",)


def test_encoding_a_partial_configuration_leaves_the_rest_unknown() -> None:
    flat = flatten({"a": hp.uniform("a", 0, 1), "b": hp.choice("b", [1, hp.uniform("c", 0, 1)])})
    row = flat.encode([{"c": 0.3, "a": 0.2, "unknown": 9}])
    np.testing.assert_array_equal(row, [[0.2, np.nan, np.nan]])
    assert flat.decode(row) == [{"a": 0.2}]


@pytest.mark.parametrize(
    ("value", "latent"),
    [
        (3, 3.0),
        (5.0, 5.0),
        (np.int64(4), 4.0),
        (True, 1.0),
        (4.9999999999, 5.0),
        (17, 9.0),
        (-2, 0.0),
    ],
)
def test_values_between_or_beyond_the_steps_count_as_the_nearest(
    value: float, latent: float
) -> None:
    for parameter in (hp.quniform("x", 0, 9, 1), hp.randint("x", 10)):
        assert flatten(parameter).encode([{"x": value}])[0, 0] == latent


@pytest.mark.parametrize("index", [2, -1, 0.5])
def test_an_index_that_points_at_no_option_counts_as_no_value(index: float) -> None:
    flat = flatten(hp.choice("c", [1, hp.uniform("x", 0, 1)]))
    assert np.isnan(flat.encode([{"c": index, "x": 0.5}])).all()


@pytest.mark.parametrize("value", ["rbf", None, [1], 1j])
def test_a_value_that_is_no_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(BadSearchSpace, match="value of parameter 'x' must be a number"):
        flatten(hp.uniform("x", 0, 1)).encode([{"x": value}])


def test_a_space_without_parameters_is_a_constant() -> None:
    flat = flatten({"n_jobs": -1, "layers": [1, 2]})
    assert flat.columns == ()
    assert sample(flat, 0, 3).shape == (3, 0)
    assert flat.decode(sample(flat, 0, 3)) == [{}, {}, {}]
    assert flat.encode([{}, {}]).shape == (2, 0)
    assert flat.encode([]).shape == (0, 0)
    assert evaluate(flat.root, {}) == {"n_jobs": -1, "layers": (1, 2)}


def test_a_single_node_is_a_space() -> None:
    flat = flatten(hp.uniform("x", -5, 5))
    assert flat.labels == ("x",)
    assert flat.columns[0].path == "the space itself"
    assert flatten(hp.choice("c", ["only"])).decode(np.zeros((1, 1))) == [{"c": 0}]


def test_empty_requests_give_empty_answers() -> None:
    flat = flatten(realistic())
    assert sample(flat, 0, 0).shape == (0, 6)
    assert flat.decode(sample(flat, 0, 0)) == []
    assert flat.encode([]).shape == (0, 6)


def test_a_hundred_levels_of_choices_flatten() -> None:
    space: Any = hp.uniform("bottom", 0, 1)
    for level in range(100):
        space = hp.choice(f"c{level}", [{"stop": level}, {"deeper": [space]}])
    flat = flatten(space)
    assert len(flat.columns) == 101
    configuration = {f"c{level}": 1 for level in range(100)} | {"bottom": 0.5}
    latents = flat.encode([configuration])
    assert flat.active(latents).all()
    assert flat.decode(latents) == [configuration]
    value = evaluate(space, configuration)
    for _ in range(100):
        value = value["deeper"][0]
    assert value == 0.5


def test_twenty_levels_of_choices_are_pickled_and_copied() -> None:
    space: Any = hp.uniform("bottom", 0, 1)
    for level in range(20):
        space = hp.choice(f"c{level}", [{"stop": level}, {"deeper": [space]}])
    flat = flatten(space)
    for again in (copy.deepcopy(flat), pickle.loads(pickle.dumps(flat))):
        assert again.columns == flat.columns


def test_sums_of_thousands_of_terms_flatten() -> None:
    total = sum((hp.uniform(f"x{i}", 0, 1) for i in range(3000)), start=as_node(0))
    assert len(flatten(total).columns) == 3000


def test_a_node_that_a_thousand_others_share_is_walked_once() -> None:
    shared = {"x": hp.uniform("x", 0, 1), "c": hp.choice("c", [1, hp.uniform("y", 0, 1)])}
    node = as_node(shared)
    flat = flatten(hp.choice("many", [{"id": i, "shared": node} for i in range(1000)]))
    assert flat.labels == ("many", "x", "c", "y")
    assert [c.conditions for c in flat.columns] == [((),), ((),), ((),), (((2, 1),),)]


def test_layers_that_share_their_lower_layer_do_not_multiply() -> None:
    layer: Any = hp.uniform("x", 0, 1)
    for i in range(60):
        layer = hp.choice(f"c{i}", [{"a": layer}, {"b": layer}, "stop"])
    flat = flatten(layer)
    assert len(flat.columns) == 61
    assert flat.columns[60].conditions == (((59, 0),), ((59, 1),))
    plain: Node = hp.uniform("x", 0, 1)
    for _ in range(60):
        plain = plain + plain
    assert flatten(plain).labels == ("x",)


def test_a_space_of_300_parameters_flattens_quickly() -> None:
    space = {
        f"branch{i}": hp.choice(
            f"c{i}", [{"C": hp.uniform(f"u{i}", 0, 1)}, {"n": hp.randint(f"n{i}", 9)}]
        )
        for i in range(100)
    }
    start = time.process_time()
    flat = flatten(space)
    # It takes some 10 ms; the bound catches only what grows with the square.
    assert time.process_time() - start < 1.0
    assert len(flat.columns) == 300


def test_one_label_in_a_hundred_exclusive_branches_is_checked_quickly() -> None:
    options = [{"C": hp.uniform("C", 0, i + 1)} for i in range(300)]
    start = time.process_time()
    assert len(flatten(hp.choice("model", options)).columns) == 301
    assert time.process_time() - start < 2.0


def test_a_flat_space_survives_pickling_after_use() -> None:
    flat = flatten(realistic())
    latents = sample(flat, 1)
    again = pickle.loads(pickle.dumps(flat))
    assert again.columns == flat.columns
    assert again.decode(latents) == flat.decode(latents)
    np.testing.assert_array_equal(sample(again, 1), latents)


def test_options_of_probability_zero_are_not_drawn_but_may_be_given() -> None:
    space = hp.pchoice("p", [(0.0, hp.uniform("never", 0, 1)), (1.0, "always")])
    flat = flatten(space)
    assert {c["p"] for c in flat.decode(sample(flat, 0, 1000))} == {1}
    assert flat.decode(flat.encode([{"p": 0, "never": 0.5}])) == [{"p": 0, "never": 0.5}]


def test_wide_integer_parameters_are_no_obstacle() -> None:
    flat = flatten({"seed": Parameter("seed", RandInt(0, 2**63)), "n": hp.randint("n", 2**32)})
    for configuration in flat.decode(sample(flat, 0, 100)):
        assert 0 <= configuration["seed"] < 2**63
        assert type(configuration["seed"]) is int


def test_integers_that_floats_skip_survive_the_way_through_arrays() -> None:
    flat = flatten(hp.randint("x", 2**60 + 1, 2**60 + 9))
    configurations = [{"x": x} for x in range(2**60 + 1, 2**60 + 9)]
    assert flat.decode(flat.encode(configurations)) == configurations
