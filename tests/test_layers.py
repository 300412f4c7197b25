"""Imports point down the table of CONTRIBUTING.md, and private files stay private."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "sparktuner"

# The first entry that a module's name starts with gives its layer.
LAYERS = {
    "errors": 0,
    "status": 0,
    "checks": 0,
    "space": 1,
    "records": 2,
    "domain": 3,  # in the picture L2: it is made of space and records
    "suggest": 4,
    "prune": 4,
    "execute": 4,
    "driver": 5,
    "trials": 6,  # in the picture L4: trials call the driver, never the reverse
}
TOP = 7
SIBLINGS_APART = ({"suggest", "prune", "execute"},)
SPARK_HOMES = ("execute/spark/", "execute/worker/", "testing.py", "pytest_plugin.py")
WORKER = ROOT / "execute" / "worker"


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def package_of(path: Path) -> str:
    """The name right below sparktuner: a package or a top-level module."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name below sparktuner) of every own import, at whatever depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            if node.module == "sparktuner":
                for alias in node.names:
                    yield node.lineno, alias.name
            elif node.module and node.module.startswith("sparktuner."):
                yield node.lineno, node.module.removeprefix("sparktuner.")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("sparktuner."):
                    yield node.lineno, alias.name.removeprefix("sparktuner.")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_lower_layers(path: Path) -> None:
    own = package_of(path)
    layer = LAYERS.get(own, TOP)
    for line, name in imported(path):
        other = name.split(".")[0]
        if other == own or layer == TOP:
            continue
        assert LAYERS.get(other, TOP) < layer, f"{path}:{line}: {own} must not import {other}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_siblings_of_a_layer_do_not_import_each_other(path: Path) -> None:
    own = package_of(path)
    for line, name in imported(path):
        other = name.split(".")[0]
        for siblings in SIBLINGS_APART:
            assert not ({own, other} <= siblings and own != other), f"{path}:{line}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_private_files_are_imported_only_inside_their_package(path: Path) -> None:
    for line, name in imported(path):
        parts = name.split(".")
        for i, part in enumerate(parts):
            if part.startswith("_"):
                home = ROOT.joinpath(*parts[:i])
                assert home in path.parents, f"{path}:{line}: {name} is private"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_spark_package_imports_pyspark(path: Path) -> None:
    relative = str(path.relative_to(ROOT))
    if relative.startswith(SPARK_HOMES):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for child in ast.walk(node):
                child.__dict__["type_only"] = True
        if "type_only" in node.__dict__:
            continue
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
        assert not any(name.split(".")[0] == "pyspark" for name in names), (
            f"{path}:{node.lineno}"  # type: ignore[attr-defined]
        )


@pytest.mark.parametrize("path", sorted(WORKER.rglob("*.py")), ids=lambda p: p.name)
def test_what_is_shipped_to_workers_imports_nothing_of_sparktuner_from_outside(path: Path) -> None:
    for line, name in imported(path):
        assert name.startswith("execute.worker"), f"{path}:{line}: no worker has {name}"


def test_importing_sparktuner_loads_no_optional_dependency_and_no_slow_one() -> None:
    program = (
        "import sys, sparktuner\n"
        "slow = {'scipy', 'tqdm', 'pyspark', 'sklearn', 'pandas', 'pyarrow', 'IPython'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
