"""Walks over the nodes of a search space, which meet each node once however often it is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sparktuner.space._draws import Draw
from sparktuner.space._nodes import Call, Node, Record, Sequence
from sparktuner.space._parameters import Switch


def children(node: Node) -> Iterator[Node]:
    """Yields the nodes directly below a node, in the order in which they are evaluated.

    Example:
        >>> from sparktuner import hp
        >>> list(children(hp.choice("act", ["relu", "tanh"])))
        [hp.choice('act', range(2)), Literal('relu'), Literal('tanh')]
    """
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


def nodes(root: Node, below: Callable[[Node], Iterable[Node]] = children) -> list[Node]:
    """Returns every node from ``root`` down, each once, children before their parents.

    Args:
        root: where to begin.
        below: gives the nodes directly below a node.

    Example:
        >>> from sparktuner import hp
        >>> nodes(2 * hp.uniform("x", 0, 1))
        [Literal(2), hp.uniform('x', 0, 1), 2 * hp.uniform('x', 0, 1)]
    """
    order: list[Node] = []
    seen: set[Node] = set()
    # A stack of our own, as for evaluation: spaces may be nested deeper than Python's.
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, below_done = stack.pop()
        if below_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(list(below(node))))
    return order
