"""The notebooks run from top to bottom, and what they show is what they did."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.execute_notebook import NOTEBOOKS, execute, kinds, settle

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
# An extra that brings pyspark would put a second one beside a platform's own.
_INSTALL = r'%pip install --quiet (sparktuner|"sparktuner\[mlflow\]")( [\w-]+)*'
# Files of the machine that ran it, also as Windows and macOS name them.
_MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:tmp|home|root|usr|opt|var|Users|work)/|[A-Z]:\\\\")


def _read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def _text(notebook: Any, kind: str) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == kind)


def _on_spark(path: Path) -> Any:
    """The notebook as an argument, marked where it needs Spark."""
    uses_spark = "local_spark" in _text(_read(path), "code")
    marks = [pytest.mark.spark] if uses_spark else []
    return pytest.param(path, marks=[pytest.mark.notebook, *marks], id=path.name)


def test_there_is_a_quickstart() -> None:
    assert "01_quickstart.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", [_on_spark(path) for path in NOTEBOOKS])
def test_it_runs_and_shows_what_is_kept(path: Path) -> None:
    asked_for = re.findall(r"^%pip install --quiet \S+ (.+)$", _text(_read(path), "code"), re.M)
    for package in " ".join(asked_for).split():
        if importlib.util.find_spec(package) is None:  # CI lets none of them be missing
            pytest.skip(f"{package} is not installed")
    notebook = execute(path)
    settle(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert kinds(notebook) == kinds(_read(path))


@every_notebook
def test_its_outputs_are_kept_and_hold_no_error(path: Path) -> None:
    notebook = _read(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert len(outputs) >= 5
    for output in outputs:
        assert output.output_type != "error"
        assert "Traceback" not in output.get("text", "")


@every_notebook
def test_its_first_code_installs_sparktuner_and_finds_it_installed(path: Path) -> None:
    install = next(cell for cell in _read(path).cells if cell.cell_type == "code")
    assert re.fullmatch(_INSTALL, install.source)  # alone in its cell, as Databricks asks for
    (said,) = install.outputs
    assert re.fullmatch("Note: you may need to restart the kernel.*\n", said.text)


@every_notebook
def test_it_asks_for_nothing_that_spark_connect_does_not_have(path: Path) -> None:
    assert re.findall(r"sparkContext|\b_jvm\b|\b_jsc\b|\.rdd\b", _text(_read(path), "code")) == []


@every_notebook
def test_its_outputs_name_no_file_of_a_machine(path: Path) -> None:
    for cell in _read(path).cells:
        for output in cell.get("outputs", ()):
            shown = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not _MACHINE_PATH.search(shown)


@every_notebook
def test_it_says_how_long_it_takes_and_links_the_guide(path: Path) -> None:
    notebook = _read(path)
    assert re.search(r"takes about .*(second|minute)", notebook.cells[0].source)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", _text(notebook, "markdown"))
    assert any(link.endswith(".md") for link in links)
    assert [link for link in links if not (path.parent / link).exists()] == []
