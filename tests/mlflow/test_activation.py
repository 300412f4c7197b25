"""When a search is written to MLflow though no callback was passed."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any

import pytest

from sparktuner import Callback, hp
from sparktuner.callbacks import Background
from sparktuner.driver import SearchArguments
from sparktuner.errors import MissingExtra
from sparktuner.mlflow import MLflowCallback, _activation, tracked


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow, imported, without an active run."""
    mlflow = types.ModuleType("mlflow")
    mlflow.run = None  # type: ignore[attr-defined]
    mlflow.active_run = lambda: mlflow.run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    monkeypatch.setattr(_activation, "_switch", lambda: "")
    return mlflow


def is_on(*callbacks: Callback) -> bool:
    arguments = SearchArguments(abs, hp.uniform("x", 0, 1), callbacks=callbacks)
    return len(tracked(arguments).callbacks) > len(callbacks)


def test_it_is_on_while_a_run_is_active(no_run: Any) -> None:
    assert not is_on()
    no_run.run = object()
    assert is_on()


@pytest.mark.parametrize(
    ("variable", "switch", "active", "on"),
    [
        ("1", "", False, True),
        ("true", "false", False, True),
        ("workers", "", False, True),
        ("0", "true", True, False),
        ("", "true", False, True),
        ("", "false", True, False),
        ("", "", True, True),
    ],
)
def test_the_environment_comes_first_and_then_databricks_switch(
    variable: str,
    switch: str,
    active: bool,
    on: bool,
    no_run: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    no_run.run = object() if active else None
    monkeypatch.setenv("SPARKTUNER_MLFLOW", variable)
    monkeypatch.setattr(_activation, "_switch", lambda: switch)
    assert is_on() is on


@pytest.mark.parametrize(("variable", "by_workers"), [("Workers", True), ("1", False)])
def test_the_environment_says_that_workers_have_access(
    variable: str, by_workers: bool, no_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKTUNER_MLFLOW", variable)
    [callback] = tracked(SearchArguments(abs, hp.uniform("x", 0, 1))).callbacks
    assert vars(callback)["_by_workers"] is by_workers


def test_a_callback_that_was_passed_is_the_only_one(no_run: Any) -> None:
    no_run.run = object()
    assert not is_on(MLflowCallback())
    assert not is_on(Background(MLflowCallback()))


def test_an_mlflow_that_is_not_imported_stays_so() -> None:
    program = (
        "import sys\n"
        "from sparktuner import fmin, hp\n"
        "fmin(abs, hp.uniform('x', 0, 1), max_evals=2, verbose=False)\n"
        "print('mlflow' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_without_mlflow_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setenv("SPARKTUNER_MLFLOW", "1")
    with pytest.raises(MissingExtra, match=r"pip install 'sparktuner\[mlflow\]'"):
        is_on()


def test_the_switch_is_read_from_the_session(spark: Any) -> None:
    assert _activation._switch() == ""
    spark.conf.set(_activation.SWITCH, "FALSE")
    try:
        assert _activation._switch() == "false"
    finally:
        spark.conf.unset(_activation.SWITCH)
