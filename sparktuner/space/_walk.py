"""Walks over the nodes of a search space, each node once however often it is shared."""

from __future__ import annotations

from collections.abc import Iterator

from sparktuner.space._draws import Draw
from sparktuner.space._nodes import Call, Node, Record, Sequence, Switch


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below, in the order in which they are evaluated."""
    match node:
        case Switch():
            yield node.index
            yield from node.options
        case Call():
            yield from node.args
            yield from (arg for _, arg in node.kwargs)
        case Draw():
            yield from node.args
        case Record():
            yield from (item for _, item in node.items)
        case Sequence():
            yield from node.items


def nodes(root: Node) -> list[Node]:
    """Every node from ``root`` down, each once, children before their parents."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, below_done = stack.pop()
        if below_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(list(children(node))))
    return order
