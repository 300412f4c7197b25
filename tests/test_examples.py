"""Each public function and class has an example in its docstring, and it runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import sparktuner

USERS = ["fmin", "hp", "tpe", "atpe", "anneal", "rand", "qmc", "grid", "mix", "early_stop"]
USERS += ["callbacks", "testing", "base", "progress", "graph_viz", "spark", "plotting", "mlflow"]
USERS += ["pyll", "pyll.base", "pyll.stochastic", "sklearn"]
# What is for those who extend sparktuner is explained by contracts; its examples run as well.
SEAMS = ["execute", "execute.spark", "records", "space", "suggest", "driver", "history"]


def modules(names: list[str]) -> list[ModuleType]:
    return [sparktuner, *(importlib.import_module(f"sparktuner.{name}") for name in names)]


def is_ours(thing: object) -> bool:
    return (inspect.isfunction(thing) or inspect.isclass(thing)) and str(
        thing.__module__
    ).startswith("sparktuner")


def public_names() -> dict[str, Any]:
    """Each public function and class once, under the first name that it has."""
    named: dict[int, tuple[str, Any]] = {}
    for module in modules(USERS):
        names = getattr(module, "__all__", None)
        for name in vars(module) if names is None else names:
            thing = getattr(module, name)
            home = getattr(thing, "__module__", "")
            if names is None and (name[0] == "_" or home != module.__name__):
                continue  # imported for the module's own use
            if is_ours(thing) and not (inspect.isclass(thing) and issubclass(thing, Exception)):
                named.setdefault(id(thing), (f"{module.__name__}.{name}", thing))
    return dict(named.values())


@pytest.mark.parametrize("name", sorted(public_names()))
def test_a_public_name_has_an_example(name: str) -> None:
    thing = public_names()[name]
    assert ">>>" in (inspect.getdoc(thing) or ""), f"{name} has no example"


def examples() -> Iterator[Any]:
    finder, seen = doctest.DocTestFinder(exclude_empty=True), set()
    for module in modules(USERS + SEAMS):
        for name, thing in vars(module).items():
            if not is_ours(thing) or id(thing) in seen:
                continue
            seen.add(id(thing))
            home = inspect.getmodule(thing)
            for test in finder.find(thing, name, module=home):
                if test.examples:
                    needs = "spark" in (test.docstring or "").lower().replace("sparktuner", "")
                    marks = [pytest.mark.spark] if needs else []
                    yield pytest.param(
                        test, needs, marks=marks, id=f"{module.__name__}.{test.name}"
                    )


@pytest.mark.parametrize(("example", "needs_spark"), list(examples()))
def test_an_example_prints_what_it_says(
    example: doctest.DocTest, needs_spark: bool, request: pytest.FixtureRequest
) -> None:
    for package in ("pandas", "optuna", "matplotlib", "mlflow", "sklearn"):
        if package in (example.docstring or ""):
            pytest.importorskip(package)
    if needs_spark:
        request.getfixturevalue("local_spark")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags)
    printed: list[str] = []
    runner.run(example, out=printed.append)
    assert not runner.failures, "".join(printed)
