"""Docstrings are sentences in one style."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "sparktuner"

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


def first_lines(path: Path) -> Iterator[tuple[str, Documented, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            where = f"{path.name}:{getattr(node, 'lineno', 1)}"
            yield where, node, text.partition("\n")[0]


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_first_line_is_a_sentence_and_a_functions_says_what_it_does(path: Path) -> None:
    for where, node, line in first_lines(path):
        assert line.endswith((".", "?", ":")), f"{where}: {line}"
        if isinstance(node, ast.ClassDef | ast.Module) or node.name.startswith("_"):
            continue
        if any("property" in ast.unparse(each) for each in node.decorator_list):
            continue  # an attribute, which is a thing
        # "Returns …", "Runs …", "Is …": in the third person, as the field writes it.
        assert line.split()[0].rstrip(",").endswith("s"), f"{where}: {line}"
