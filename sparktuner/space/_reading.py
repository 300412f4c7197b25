"""How Hyperopt's users read a space: each node has a name, and inputs by position and by name.

Hyperopt keeps a parameter as a small program: ``hp.uniform("x", 0, 1)`` is there
``float(hyperopt_param("x", uniform(0, 1)))``. Here it is one node, which shows that program to
whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparktuner.space._nodes import Node


class Readable:
    """The attributes by which Hyperopt's users read a node; each has a ``name`` too."""

    __slots__ = ()

    if TYPE_CHECKING:
        # Only said: where it is a field of a dataclass, a property here would be its default.
        @property
        def name(self) -> str:
            """Returns the name of the function that the node applies."""

    @property
    def pos_args(self) -> Sequence[Node]:
        """Returns the inputs by position."""
        return []

    @property
    def named_args(self) -> list[tuple[str, Node]]:
        """Returns the inputs by name, in pairs."""
        return []

    def inputs(self) -> list[Node]:
        """Returns all inputs, those by position first.

        Example:
            >>> from sparktuner import hp
            >>> node = hp.uniform("x", 0, 1)
            >>> node.name, node.inputs()[0].name, node.inputs()[0].inputs()
            ('float', 'hyperopt_param', [Literal('x'), uniform(0.0, 1.0)])
        """
        return [*self.pos_args, *(node for _, node in self.named_args)]
