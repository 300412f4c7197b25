"""Names of Hyperopt's, used as the libraries and scripts do that build on it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp, rand, space_eval, tpe
from sparktuner.pyll import as_apply, dfs, scope
from sparktuner.pyll.stochastic import implicit_stochastic_symbols

# --- scripts that read list(best.values())[i]


@pytest.mark.parametrize("algo", [rand.suggest, tpe.suggest, None])
def test_labels_and_keys_come_in_alphabetical_order(algo: Any) -> None:
    space = {
        "q": hp.uniform("q", 0, 1),
        "B": hp.uniform("B", 0, 1),
        "a": hp.choice("a", [{"z": 1, "c": 2}, {"z": hp.uniform("A1", 0, 1), "c": 3}]),
    }
    received: list[dict[str, Any]] = []
    trials = Trials()
    best = fmin(
        lambda p: received.append(p) or p["q"],  # type: ignore[func-returns-value]
        space,
        algo=algo,
        max_evals=6,
        trials=trials,
        rstate=0,
        verbose=False,
    )
    assert list(best) == sorted(best)
    assert list(trials.argmin) == sorted(best)
    for columns in (trials.vals, trials.idxs, trials.trials[0]["misc"]["vals"]):
        assert list(columns) == ["A1", "B", "a", "q"]
    for configuration in (*received, trials.best_params, space_eval(space, best)):
        assert list(configuration) == ["B", "a", "q"]
        assert list(configuration["a"]) == ["c", "z"]


def test_only_keys_that_have_an_order_are_put_in_it() -> None:
    assert list(space_eval(OrderedDict(b=1, a=2), {})) == ["a", "b"]
    assert list(space_eval({3: 1, 1: 2}, {})) == [1, 3]
    assert list(space_eval({3: 1, "a": 2}, {})) == [3, "a"]


def test_columns_of_documents_made_elsewhere_are_put_in_order() -> None:
    point = {"q": 0.5, "b": 0.25}
    trials = Trials()
    space = {"b": hp.uniform("b", 0, 1), "q": hp.uniform("q", 0, 1)}
    best = fmin(
        lambda p: 0.0, space, max_evals=1, points_to_evaluate=[point], trials=trials, verbose=False
    )
    trials.trials[0]["misc"]["vals"] = {"q": [0.5], "b": [0.25]}
    assert list(best) == list(trials.argmin) == list(trials.vals) == ["b", "q"]


# --- RecBole, hpsklearn and tutorials, which read the nodes of a space


def test_nodes_have_the_names_and_inputs_of_hyperopt() -> None:
    space = as_apply({"b": hp.uniform("x", 0, 1), "a": [1, hp.choice("c", ["p", "q"])]})
    assert space.name == "dict"
    assert [key for key, _ in space.named_args] == ["a", "b"]
    a, b = space.inputs()
    assert (a.name, [node.name for node in a.pos_args]) == ("pos_args", ["literal", "switch"])
    assert (b.name, [node.name for node in b.pos_args]) == ("float", ["hyperopt_param"])
    label, draw = b.pos_args[0].pos_args
    assert (label.obj, draw.name, [node.obj for node in draw.pos_args]) == ("x", "uniform", [0, 1])
    expression = scope.int(hp.quniform("q", 0, 9, 1) + 1)
    assert expression.name == "int"
    assert expression.pos_args[0].name == "add"


@pytest.mark.parametrize(
    ("node", "names"),
    [
        (hp.randint("x", 5), ["int", "hyperopt_param", "randint"]),
        (hp.uniformint("x", 0, 5), ["int", "float", "hyperopt_param", "quniform"]),
        (hp.lognormal("x", 0, 1), ["float", "hyperopt_param", "lognormal"]),
        (hp.choice("x", [1, 2]), ["switch", "hyperopt_param", "randint"]),
        (hp.pchoice("x", [(0.3, 1), (0.7, 2)]), ["switch", "hyperopt_param", "categorical"]),
        (scope.normal(0, 1), ["normal"]),
    ],
)
def test_a_parameter_reads_as_hyperopts_program(node: Any, names: list[str]) -> None:
    found = [node.name]
    while found[-1] != names[-1]:
        node = node.pos_args[1 if node.name == "hyperopt_param" else 0]
        found.append(node.name)
    assert found == names


def test_recbole_finds_the_options_of_each_choice() -> None:
    space = {"lr": hp.choice("lr", [0.1, 0.01]), "n": hp.choice("n", [64, 128])}
    switches = [node for node in dfs(as_apply(space)) if node.name == "switch"]
    options = {}
    for node in switches:
        parameter = node.pos_args[0]
        assert parameter.name == "hyperopt_param"
        options[parameter.pos_args[0].obj] = [literal.obj for literal in node.pos_args[1:]]
    assert options == {"lr": [0.1, 0.01], "n": [64, 128]}


def test_labels_are_found_by_a_walk_over_the_nodes() -> None:
    space = [hp.uniform("x", 0, 1), hp.choice("c", [hp.normal("y", 0, 1), 2])]
    parameters = [node for node in dfs(space) if node.name == "hyperopt_param"]
    assert {node.pos_args[0].obj for node in parameters} == {"x", "c", "y"}
    drawn = {n.name for n in dfs(space) if n.name in implicit_stochastic_symbols}
    assert drawn == {"uniform", "randint", "normal"}


# --- Hyperopt's own test problems, GOLEM


def test_unlabelled_draws_become_parameters() -> None:
    x = scope.hyperopt_param("x", scope.uniform(0, 1))
    n = scope.hyperopt_param("n", scope.randint(2, 5))
    best = fmin(lambda p: p[0], [x, n], max_evals=3, verbose=False)
    assert set(best) == {"x", "n"}
