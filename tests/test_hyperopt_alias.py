"""Programs that say ``hyperopt`` work with a module alias, and nothing else."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import sparktuner
from sparktuner import errors
from tests.compat.alias import hyperopt_is_sparktuner

EXCEPTIONS = [
    "BadSearchSpace",
    "DuplicateLabel",
    "InvalidTrial",
    "InvalidResultStatus",
    "InvalidLoss",
    "AllTrialsFailed",
    "InvalidAnnotatedParameter",
]
TOP = [
    *("fmin", "hp", "Trials", "SparkTrials", "space_eval", "partial", "trials_from_docs"),
    *("fmin_pass_expr_memo_ctrl", "FMinIter", "Domain", "Ctrl", "exceptions", "__version__"),
    *("tpe", "rand", "anneal", "mix", "pyll", "base", "early_stop", "progress", "JOB_STATES"),
    *("JOB_STATE_NEW", "JOB_STATE_RUNNING", "JOB_STATE_DONE", "JOB_STATE_ERROR"),
    *("STATUS_NEW", "STATUS_RUNNING", "STATUS_SUSPENDED", "STATUS_OK", "STATUS_FAIL"),
    "STATUS_STRINGS",
]
BELOW = {
    "base": "Trials Domain Ctrl trials_from_docs JOB_STATE_CANCEL STATUS_OK miscs_to_idxs_vals"
    " miscs_update_idxs_vals spec_from_misc",
    "fmin": "fmin space_eval FMinIter generate_trial generate_trials_to_calculate partial"
    " fmin_pass_expr_memo_ctrl",
    "early_stop": "no_progress_loss",
    "progress": "default_callback no_progress_callback tqdm_progress_callback",
    "pyll": "scope as_apply rec_eval Apply Literal dfs toposort clone clone_merge stochastic",
    "pyll.base": "scope as_apply rec_eval Apply Literal dfs toposort clone clone_merge",
    "pyll.stochastic": "sample",
    "exceptions": " ".join(EXCEPTIONS),
    "hp": "choice pchoice randint uniform quniform uniformint loguniform qloguniform normal"
    " qnormal lognormal qlognormal",
    "spark": "SparkTrials",
    "rand": "suggest suggest_batch",
    "tpe": "suggest",
    "anneal": "suggest",
    "mix": "suggest",
    "atpe": "suggest",
    "graph_viz": "dot_hyperparameters",
    "plotting": "main_plot_history main_plot_histogram main_plot_vars main_plot_1D_attachment",
}


@pytest.fixture(params=[False, True], ids=["the package alone", "each module"])
def alias(request: pytest.FixtureRequest) -> Iterator[None]:
    with hyperopt_is_sparktuner(submodules=request.param):
        yield


def quiet(fmin: Any, fn: Any, **options: Any) -> Any:
    space = sparktuner.hp.uniform("x", -1, 1)
    return fmin(fn, space, **{"max_evals": 3, "verbose": False, **options})


@pytest.mark.parametrize("name", TOP)
def test_the_package_has_every_name_that_programs_import_from_it(alias: None, name: str) -> None:
    names: dict[str, Any] = {}
    exec(f"from hyperopt import {name} as found", names)
    assert names["found"] is not None


@pytest.mark.parametrize("module", BELOW)
def test_the_modules_have_the_names_that_programs_import_from_them(
    alias: None, module: str
) -> None:
    for name in BELOW[module].split():
        names: dict[str, Any] = {}
        exec(f"from hyperopt.{module} import {name} as found", names)
        assert names["found"] is not None


def test_hyperopt_fmin_is_a_function_and_a_module_in_any_order_of_imports(alias: None) -> None:
    for text in (
        "import hyperopt; fmin = hyperopt.fmin",
        "from hyperopt.fmin import fmin",
        "import hyperopt.fmin; import hyperopt; fmin = hyperopt.fmin",
        "from hyperopt import fmin",
        "import hyperopt.fmin as fmin",
        "from hyperopt.fmin import generate_trials_to_calculate; from hyperopt import fmin",
    ):
        names: dict[str, Any] = {}
        exec(text, names)
        assert set(quiet(names["fmin"], lambda x: x * x)) == {"x"}, text


def test_the_function_is_callable_after_the_module_of_its_name_was_imported() -> None:
    # In a process of its own, where nothing has imported the module before.
    program = """
        import sys
        import sparktuner
        sys.modules["hyperopt"] = sparktuner
        from hyperopt.fmin import generate_trials_to_calculate
        import hyperopt
        from hyperopt import fmin, hp
        for search in (hyperopt.fmin, fmin):
            assert "x" in search(abs, hp.uniform("x", -1, 1), max_evals=2, verbose=False)
        from hyperopt.base import Trials
        assert Trials is sparktuner.Trials
        assert "pyspark" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_keep_their_identity_through_the_alias(alias: None, name: str) -> None:
    for module in ("hyperopt.exceptions", "sparktuner.exceptions"):
        assert getattr(importlib.import_module(module), name) is getattr(errors, name)


def test_what_is_raised_inside_is_caught_by_the_class_from_the_alias(alias: None) -> None:
    caught = importlib.import_module("hyperopt.exceptions")
    fmin, hp = sparktuner.fmin, importlib.import_module("hyperopt.hp")
    with pytest.raises(caught.InvalidResultStatus):
        quiet(fmin, lambda x: {"loss": x, "status": "fine"})
    with pytest.raises(caught.InvalidLoss):
        quiet(fmin, lambda x: {"status": "ok"})
    with pytest.raises(caught.AllTrialsFailed):
        quiet(fmin, lambda x: {"status": "fail"})
    with pytest.raises(caught.DuplicateLabel):
        twice = [hp.uniform("x", 0, 1), hp.uniform("x", 0, 1)]
        fmin(lambda p: 0.0, twice, max_evals=1, verbose=False)
    with pytest.raises(caught.InvalidTrial):
        importlib.import_module("hyperopt.base").trials_from_docs([{"tid": 0}])


def test_classes_are_the_same_ones_by_every_path(alias: None) -> None:
    base = importlib.import_module("hyperopt.base")
    pyll = importlib.import_module("hyperopt.pyll")
    pyll_base = importlib.import_module("hyperopt.pyll.base")
    assert base.Trials is sparktuner.Trials
    assert base.Domain is sparktuner.Domain
    assert base.Ctrl is sparktuner.Ctrl
    assert pyll.scope is pyll_base.scope is sparktuner.pyll.scope
    assert isinstance(sparktuner.hp.uniform("x", 0, 1), pyll_base.Apply)


def test_nodes_made_through_one_path_are_searched_through_the_other(alias: None) -> None:
    hp = importlib.import_module("hyperopt.hp")
    scope = importlib.import_module("hyperopt.pyll.base").scope
    tpe = importlib.import_module("hyperopt.tpe")
    anneal = importlib.import_module("hyperopt.anneal")
    space = {"n": scope.int(hp.quniform("n", 1, 5, 1)), "x": 1 + hp.uniform("x", 0, 1)}
    for algorithm in (tpe.suggest, anneal.suggest):
        best = sparktuner.fmin(
            lambda p: p["n"] + p["x"],
            space,
            algo=algorithm,
            max_evals=4,
            rstate=np.random.default_rng(0),
            verbose=False,
        )
        assert set(best) == {"n", "x"}
