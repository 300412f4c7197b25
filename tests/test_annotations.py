"""Everything is annotated, and with a type that says something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent / "sparktuner"
# Of all parameters; what is left is the users' own: configurations, options, results.
MOST_BARE = 0.03


class Place(NamedTuple):
    """Where an annotation stands, and whether it says nothing."""

    where: str
    is_bare: bool


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def is_bare(annotation: ast.expr | None) -> bool:
    return annotation is None or ast.unparse(annotation) in ("Any", "Any | None", "typing.Any")


def parameters() -> Iterator[Place]:
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = node.args
                each = [*given.posonlyargs, *given.args, *given.kwonlyargs]
                each += [one for one in (given.vararg, given.kwarg) if one is not None]
                for one in each:
                    if one.arg not in ("self", "cls"):
                        where = f"{path}:{one.lineno} {node.name}({one.arg})"
                        yield Place(where, is_bare(one.annotation))


def results_and_attributes() -> Iterator[Place]:
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Place(f"{path}:{node.lineno} {node.name}() ->", is_bare(node.returns))
            elif isinstance(node, ast.AnnAssign):
                yield Place(
                    f"{path}:{node.lineno} {ast.unparse(node.target)}", is_bare(node.annotation)
                )


def test_hardly_a_parameter_is_a_bare_any() -> None:
    places = list(parameters())
    bare = [place.where for place in places if place.is_bare]
    assert len(places) > 500
    assert len(bare) <= MOST_BARE * len(places), "\n".join(bare)


def test_hardly_a_result_or_attribute_is_a_bare_any() -> None:
    places = list(results_and_attributes())
    bare = [place.where for place in places if place.is_bare]
    assert len(places) > 500
    assert len(bare) <= MOST_BARE * len(places), "\n".join(bare)
