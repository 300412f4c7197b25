"""Draws a search space: which parameters there are, and which choice leads to which."""

from __future__ import annotations

from collections.abc import Iterator

from sparktuner.space import FlatSpace, flatten


def dot_hyperparameters(expr: object) -> str:
    """Returns the parameters of a search space as a graph in Graphviz's DOT language.

    Boxes are parameters, ellipses the values of choices that others depend on. Graphviz's
    ``dot -Tsvg`` makes a picture of the text.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.

    Raises:
        BadSearchSpace: the space is ill-formed.

    Example:
        >>> from sparktuner import hp
        >>> print(dot_hyperparameters(hp.randint("n", 5)), end="")
        digraph {
          p0 [shape=box, label="n", tooltip="hp.randint('n', 5)"];
        }
    """
    space = flatten(expr)
    lines = ["digraph {"]
    for j, column in enumerate(space.columns):
        code = column.distribution.code(column.label)
        lines.append(
            f"  p{j} [shape=box, label={_quoted(column.label)}, tooltip={_quoted(code)}];"
        )
    # Branches are shared by the parameters in them: each edge once.
    lines.extend(dict.fromkeys(_edges(space)))
    return "\n".join([*lines, "}", ""])


def _edges(space: FlatSpace) -> Iterator[str]:
    for j, column in enumerate(space.columns):
        for condition in column.conditions:
            for parent, value in condition:
                branch = f"p{parent}v{value}"
                text = f"{space.columns[parent].label}={value}"
                yield f"  {branch} [shape=ellipse, label={_quoted(text)}];"
                yield f"  p{parent} -> {branch};"
                yield f"  {branch} -> p{j};"


def _quoted(text: str) -> str:
    # Labels are the users' own, and may hold whatever DOT treats as its syntax.
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
