"""The notebooks run from top to bottom, and what they show is what they did."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.execute_notebook import NOTEBOOKS, execute

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def test_there_is_a_quickstart(path: Path) -> None:
    assert "01_quickstart.ipynb" in [other.name for other in NOTEBOOKS]


@pytest.mark.spark
def test_it_runs_with_this_interpreter(path: Path) -> None:
    notebook = execute(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)


def test_its_outputs_are_kept_and_hold_no_error(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert len(outputs) >= 5
    for output in outputs:
        assert output.output_type != "error"
        assert "Traceback" not in output.get("text", "")
