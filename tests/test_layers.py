"""Imports point down the table of CONTRIBUTING.md, and private files stay private."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cloudpickle
import pytest

import sparktuner

ROOT = Path(__file__).parent.parent / "sparktuner"

# What each package and top-level module may import, in the order of the layers: each line names
# lines above it only. suggest and execute never import each other.
L0 = {"errors", "status", "checks"}
L2 = L0 | {"space", "records", "domain"}
ALGORITHM = {"checks", "space", "domain", "records", "suggest"}
ALLOWED: dict[str, set[str]] = {
    # L0
    "errors": set(),
    "status": set(),
    "checks": {"errors"},
    # L1
    "space": L0,
    # L2
    "records": L0 | {"space"},
    "stores": L0 | {"records"},
    "domain": L0 | {"space", "records"},
    # L3
    "suggest": L2,
    "execute": L0,
    "history": L2,
    # L4
    "driver": L2 | {"stores", "suggest", "execute"},
    "mlflow": L2 | {"execute", "history", "driver"},
    "trials": L2 | {"stores", "execute", "history", "driver", "mlflow"},
    # L5: the user's words
    "hp": {"checks", "errors", "space"},
    "tpe": ALGORITHM,
    "atpe": ALGORITHM,
    "anneal": ALGORITHM,
    "rand": ALGORITHM,
    "qmc": ALGORITHM,
    "grid": ALGORITHM,
    "mix": ALGORITHM,
    "callbacks": {"driver"},
    "early_stop": {"checks", "errors", "records", "suggest", "driver", "trials"},
    "fmin": L2 | {"suggest", "driver", "trials", "atpe"},
    "testing": {"checks", "errors", "execute"},
    "pytest_plugin": {"testing"},
    # L5: Hyperopt's import paths
    "pyll": {"checks", "errors", "space"},
    "utils": {"checks", "records", "space"},
    "base": L0 | {"records", "domain", "trials", "pyll", "utils"},
    "exceptions": {"errors"},
    "progress": {"driver"},
    "spark": {"trials"},
    "graph_viz": {"space"},
    "describing": {"space", "records", "history"},
    "plotting": L2 | {"history", "trials"},
    "report": L2 | {"history", "trials", "plotting"},
    "pyll_utils": {"checks", "errors", "space", "hp"},
    "std_out_err_redirect_tqdm": set(),
    "mongoexp": {"trials"},
    "sklearn": L0
    | {"space", "records", "suggest", "execute", "driver", "trials", "hp", "atpe", "fmin"},
    "criteria": set(),
    # L6
    "as_hyperopt": {"pyll"},
    "_cluster": {"errors", "execute", "testing"},
    "_named": set(),
    "_demo": {"errors", "status", "records", "execute"}
    | {"trials", "hp", "tpe", "fmin", "_cluster"},
    "_worker": L2 | {"stores", "execute", "trials", "_named"},
    "_on_use": set(),
    "_terminal": set(),
    "_nothing_found": {"errors"},
    "_stored": {"_terminal", "_nothing_found"}
    | L0
    | {"records", "stores", "history", "trials", "as_hyperopt"},
    "_cli_arguments": set(),
    "_run_command": L2
    | {"stores", "suggest", "execute", "history", "driver", "trials", "fmin"}
    | {"_stored", "_named", "_cluster", "_terminal"},
    "_doctor": {"errors", "stores", "execute", "mlflow", "_cluster"},
    "_cli_doctor": {"_terminal", "_cli_arguments", "_cluster", "_doctor"},
    "_cli_run": {"_terminal", "_cli_arguments", "_run_command"},
    "_plot_command": {"trials", "plotting", "_stored"},
    "_cli_plot": {"_terminal", "_stored", "_cli_arguments", "_plot_command"},
    "_cli_report": {"_terminal", "_stored", "_cli_arguments", "report"},
    "_cli_mlflow": {"_terminal", "_cli_arguments", "mlflow"},
    "_cli_stores": {"_terminal", "_stored", "_cli_arguments"},
    "cli": {
        "errors",
        "_terminal",
        "_nothing_found",
        "_cli_arguments",
        "_cli_stores",
        "_cli_plot",
        "_cli_report",
        "_cli_mlflow",
        "_cli_run",
        "_cli_doctor",
        "_demo",
        "_worker",
    },
    "__main__": {"cli"},
}
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
def test_a_module_imports_only_what_the_table_allows(path: Path) -> None:
    own = package_of(path)
    if own == "__init__":
        return
    assert own in ALLOWED, f"{path}: add it to the table"
    for line, name in imported(path):
        other = name.split(".")[0]
        assert other == own or other in ALLOWED[own], f"{path}:{line}: {own} imports {other}"


def test_the_table_points_upwards_only_and_names_what_there_is() -> None:
    above: set[str] = set()
    for name, allowed in ALLOWED.items():
        assert allowed <= above, f"{name}: {sorted(allowed - above)}"
        above.add(name)
    assert above == {package_of(path) for path in modules()} - {"__init__"}


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
        "slow |= {'optuna', 'matplotlib', 'mlflow'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_the_commands_help_waits_for_no_numeric_library() -> None:
    program = (
        "import sys\nfrom sparktuner.cli import main\nmain([])\n"
        "slow = {'numpy', 'scipy', 'tqdm', 'cloudpickle', 'pyspark', 'sqlalchemy'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.endswith("[]\n")


def test_every_public_name_is_there_before_its_module_is_imported() -> None:
    program = (
        "import sparktuner\n"
        "missing = [n for n in sparktuner.__all__ if n not in dir(sparktuner)]\n"
        "for name in sparktuner.__all__: getattr(sparktuner, name)\n"
        "import sparktuner.fmin, sparktuner.as_hyperopt\n"
        "print(missing, callable(sparktuner.fmin), callable(sparktuner.as_hyperopt))\n"
        "print(sparktuner.errors.StoreError.__name__, hasattr(sparktuner, 'nonsense'))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["[]", "True", "True", "StoreError", "False"]


def test_the_package_can_be_pickled_as_an_objectives_global() -> None:
    assert cloudpickle.loads(cloudpickle.dumps(sparktuner)) is sparktuner
