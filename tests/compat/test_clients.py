"""Names of Hyperopt's, used as the libraries and scripts do that build on it."""

from __future__ import annotations

import importlib
import sys
import time
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

import sparktuner
from sparktuner import (
    JOB_STATE_DONE,
    Domain,
    ThreadTrials,
    Trials,
    anneal,
    atpe,
    base,
    early_stop,
    fmin,
    hp,
    pyll_utils,
    rand,
    space_eval,
    spark,
    tpe,
)
from sparktuner.pyll import as_apply, dfs, scope
from sparktuner.pyll.stochastic import implicit_stochastic_symbols
from sparktuner.space import flatten
from sparktuner.std_out_err_redirect_tqdm import std_out_err_redirect_tqdm

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


# --- nni, nevergrad, Ray Tune: they ask for suggestions, and run the trials themselves


def test_a_domain_needs_no_objective_until_it_evaluates() -> None:
    domain = Domain(None, {"x": hp.uniform("x", 0, 1)}, pass_expr_memo_ctrl=None)
    trials = Trials()
    [document] = tpe.suggest(trials.new_trial_ids(1), domain, trials, 0)
    assert set(document["misc"]["vals"]) == set(domain.params) == {"x"}
    with pytest.raises(RuntimeError, match=r"without an objective.*Domain\(fn, space\)"):
        domain.evaluate({"x": 0.5})
    with pytest.raises(TypeError, match="objective must be callable, got None"):
        fmin(None, domain.expr, max_evals=1, verbose=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("algo", [tpe.suggest, rand.suggest, anneal.suggest, atpe.suggest])
def test_nni_takes_python_values_out_of_numpy_ones(algo: Any) -> None:
    space = {
        "x": hp.uniform("x", 0, 1),
        "n": hp.randint("n", 9),
        "q": hp.quniform("q", 0, 9, 1),
        "c": hp.choice("c", ["a", hp.uniform("y", 0, 1)]),
        "huge": hp.randint("huge", -(2**63) - 2, -(2**63)),
    }
    domain, trials = Domain(None, space, pass_expr_memo_ctrl=None), Trials()
    for seed in range(25):
        [new] = algo(trials.new_trial_ids(1), domain, trials, seed)
        given = {k: column for k, column in new["misc"]["vals"].items() if k != "huge"}
        values = {k: column[0].item() for k, column in given.items() if column}
        assert {type(v) for v in values.values()} <= {int, float}
        new["state"], new["result"] = JOB_STATE_DONE, {"loss": values["x"], "status": "ok"}
        trials.insert_trial_docs([new])
        trials.refresh()
    assert trials.history(domain.space).n == 25
    # Where sparktuner runs the trials they are Python's own.
    [new] = algo([99], Domain(lambda p: 0.0, space), trials, 0)
    assert {type(value) for column in new["misc"]["vals"].values() for value in column} <= {
        int,
        float,
    }


def test_ray_tune_makes_and_reports_trials_of_its_own() -> None:
    space = {
        "x": hp.uniform("x", 0, 1),
        "act": hp.choice("act", [{"k": 2 * hp.normal("k", 0, 1)}, "b"]),
    }
    domain, trials = Domain(lambda spc: spc, space), Trials()
    for seed in range(25):
        ids = trials.new_trial_ids(1)
        trials.refresh()
        [new] = tpe.suggest(ids, domain, trials, seed)
        trials.insert_trial_docs([new])
        trials.refresh()
        config = base.spec_from_misc(new["misc"])
        ctrl = base.Ctrl(trials, current_trial=new)
        memo = domain.memo_from_config(config)
        sparktuner.utils.use_obj_for_literal_in_memo(domain.expr, ctrl, base.Ctrl, memo)
        suggested = base.pyll.rec_eval(
            domain.expr, memo=memo, print_node_on_error=domain.rec_eval_print_node_on_error
        )
        assert suggested == space_eval(space, config)
        # It writes into the document that the trials hold.
        [held] = [t for t in trials.trials if t["tid"] == new["tid"]]
        held["book_time"] = held["refresh_time"] = sparktuner.utils.coarse_utcnow()
        held["state"] = JOB_STATE_DONE
        held["result"] = {"loss": abs(suggested["x"] - 0.7), "status": "ok"}
        trials.refresh()
    assert trials.history(domain.space).n == 25
    assert trials.best_trial["result"]["loss"] == min(trials.losses())  # type: ignore[type-var]
    assert trials.best_trial["result"]["loss"] < 0.1


def test_nevergrad_looks_for_its_document_among_the_dynamic_trials() -> None:
    domain, trials = Domain(None, {"x": hp.uniform("x", 0, 1)}), Trials()
    [new] = tpe.suggest(trials.new_trial_ids(1), domain, trials, 1)
    trials.insert_trial_doc(new)
    trials.refresh()
    held = trials._dynamic_trials[new["tid"]]
    assert held["state"] == sparktuner.JOB_STATE_NEW
    held["state"], held["result"] = JOB_STATE_DONE, {"loss": 1.0, "status": "ok"}
    trials.refresh()
    assert trials.losses() == [1.0]


def test_times_are_naive_utc_in_whole_milliseconds() -> None:
    now = sparktuner.utils.coarse_utcnow()
    assert now.tzinfo is None
    assert now.microsecond % 1000 == 0
    passed = datetime.now(timezone.utc).replace(tzinfo=None) - now
    assert timedelta(0) <= passed < timedelta(seconds=5)


@pytest.mark.parametrize("rng", [np.random.default_rng(0), np.random.RandomState(0)])
def test_a_copied_algorithm_draws_from_the_domain(rng: Any) -> None:
    """RecBole's exhaustive search, which many copied."""
    options = hp.choice("c", [hp.randint("n", 3), "none"])
    domain, trials = Domain(None, {"c": options}), Trials()
    seen = set()
    for tid in range(30):
        memo = {domain.s_new_ids: [tid], domain.s_rng: rng}
        idxs, vals = base.pyll.rec_eval(domain.s_idxs_vals, memo=memo)
        misc: Any = {"tid": tid, "cmd": domain.cmd, "workdir": domain.workdir}
        base.miscs_update_idxs_vals([misc], idxs, vals)
        [document] = trials.new_trial_docs([tid], [None], [domain.new_result()], [misc])
        trials.insert_trial_doc(document)
        seen.add(tuple((label, *values) for label, values in misc["vals"].items()))
    assert seen == {(("c", 1), ("n",)), *((("c", 0), ("n", i)) for i in range(3))}


# --- programs that Databricks AutoML writes


def test_reasons_to_stop_are_compared_with_constants() -> None:
    x = hp.uniform("x", 0, 1)
    stop = early_stop.no_progress_loss(1)
    for trials, options, reason in (
        (Trials(), {"early_stop_fn": stop}, spark.FMIN_CANCELLED_REASON_EARLY_STOPPING),
        (ThreadTrials(2), {"timeout": 0.2}, spark.FMIN_CANCELLED_REASON_TIMEOUT),
        (Trials(), {"max_evals": 1}, None),
    ):
        fmin(lambda x: time.sleep(0.01) or 1.0, x, trials=trials, verbose=False, **options)  # type: ignore[func-returns-value, arg-type]
        assert trials._fmin_cancelled_reason == reason
    assert isinstance(spark.SparkTrials._fmin_cancelled_reason, property)


# --- GOLEM (FEDOT), older scripts


def test_golem_makes_parameters_of_its_own() -> None:
    @pyll_utils.validate_label
    def hp_own(label: str, *args: Any) -> Any:
        return scope.hyperopt_param(label, scope.randint(*args))

    assert flatten(hp_own("n", 2, 5)).labels == ("n",)
    with pytest.raises(sparktuner.exceptions.BadSearchSpace, match="hp_own.*label, a string"):
        hp_own(3, 2, 5)
    for name in pyll_utils.__all__[:12]:
        assert getattr(pyll_utils, name) is getattr(hp, name.removeprefix("hp_"))


def test_conditions_of_a_space_are_found_as_hyperopt_finds_them() -> None:
    eq, z = pyll_utils.EQ, hp.randint("z", 10)
    inner = hp.choice("d", [3 + hp.loguniform("c", 0, 1), 1 + hp.loguniform("e", 0, 1)])
    a = hp.choice("a", [hp.uniform("b", -1, 1) + z, {"c": 1, "d": inner}])
    found: dict[str, Any] = {}
    pyll_utils.expr_to_config(as_apply((a, z)), (True,), found)
    assert {label: hps["conditions"] for label, hps in found.items()} == {
        "a": {(True,)},
        "b": {(True, eq("a", 0))},
        "z": {(True,), (True, eq("a", 0))},
        "d": {(True, eq("a", 1))},
        "c": {(True, eq("a", 1), eq("d", 0))},
        "e": {(True, eq("a", 1), eq("d", 1))},
    }
    assert [found[label]["node"].name for label in "abc"] == ["randint", "uniform", "loguniform"]
    both: dict[str, Any] = {}
    pyll_utils.expr_to_config(hp.choice("a", [z + 1, z - 1]), (True,), both)
    assert both["z"]["conditions"] == {(True,)}


# --- lale


def test_a_choice_of_nothing_is_an_error_only_when_it_is_drawn() -> None:
    space = hp.choice("op", [{"k": hp.choice("none", [])}, {"k": 1}])
    assert space_eval(space, {"op": 1}) == {"k": 1}
    with pytest.raises(sparktuner.exceptions.BadSearchSpace, match=r"hp.choice\('none'\).*empty"):
        space_eval(space, {"op": 0})


# --- copied recipes, and imports at the top of many files


def test_prints_go_above_a_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with std_out_err_redirect_tqdm() as out:
        print("above")  # noqa: T201
        assert out is not sys.stdout
    assert capsys.readouterr().out.strip() == "above"


@pytest.mark.parametrize(("module", "name"), [("criteria", "UCB")])
def test_what_is_not_there_yet_says_so_on_import(module: str, name: str) -> None:
    found = importlib.import_module(f"sparktuner.{module}")
    with pytest.raises(ImportError, match=rf"sparktuner.{module} has no {name} yet; \w+"):
        exec(f"from sparktuner.{module} import {name}")
    assert not hasattr(found, "other")
