"""Finds the option of a choice that a value of another tool's means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from sparktuner.history._cells import cell_of, is_missing
from sparktuner.history._spaces import option_values
from sparktuner.space import FlatSpace, Literal, Node, Parameter, Record, Switch, nodes
from sparktuner.space import Sequence as SequenceNode

# True and 1 are equal, and may be two options.
_Key: TypeAlias = tuple[bool, object]


class Options:
    """The options of one choice, and the ways by which a value can mean one of them.

    An option is found by its value; by its text, as tables on disk have it; and an option
    that is a dictionary or a list by a constant in it that no other option has: ``"svm"``
    means ``{"kind": "svm", ...}``.

    Args:
        texts: what describes each option.
        nodes: the options themselves.
    """

    def __init__(self, texts: tuple[str, ...], nodes: Sequence[Node]) -> None:
        self.shown = option_values(texts)
        constants = [list(_constants(node)) for node in nodes]
        self._ways: list[Mapping[_Key, int]] = [
            _unique([[value] for value in self.shown]),
            _unique([[str(value)] for value in self.shown]),
            _unique([[text] for text in texts]),
            _unique(constants),
            _unique([list(map(str, each)) for each in constants]),
        ]

    def index(self, value: object) -> int | None:
        """Returns the index of the option that a value means, or None."""
        cell = cell_of(value)
        # A missing value means the option None, where there is one.
        key = _key("None" if cell is None or is_missing(cell) else cell)
        return next((way[key] for way in self._ways if key in way), None)


def _key(value: object) -> _Key:
    return isinstance(value, bool), value


def _unique(names: Iterable[Iterable[object]]) -> dict[_Key, int]:
    """The index of the option that has a name, for each name that only one has."""
    found = [(_key(name), i) for i, each in enumerate(names) for name in each]
    counts = Counter(key for key, _ in set(found))
    return {key: i for key, i in found if counts[key] == 1}


def _constants(node: Node) -> Iterator[object]:
    if isinstance(node, Record):
        inner = [item for _, item in node.items]
    else:
        inner = list(node.items) if isinstance(node, SequenceNode) else []
    for each in inner:
        cell = cell_of(each.value) if isinstance(each, Literal) else None
        if cell is not None:
            yield cell


def options_of(space: FlatSpace) -> dict[Node, Sequence[Node]]:
    """Returns the options of each choice of a space, by its parameter."""
    found: dict[Node, Sequence[Node]] = {}
    for node in nodes(space.root):
        if isinstance(node, Switch) and isinstance(node.index, Parameter):
            found.setdefault(node.index, node.options)
    return found
