"""The program that Hyperopt would keep for a parameter, which its users read."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from types import MappingProxyType

from sparktuner.space._distributions import Categorical, Distribution
from sparktuner.space._nodes import Literal, Node, Sequence, nested


@dataclass(frozen=True, eq=False, repr=False)
class Reading(Node):
    """A step of the program that Hyperopt would keep for a parameter: it is there to be read.

    Attributes:
        name: the step's function.
        args: its arguments.

    Example:
        >>> Reading("randint", (Literal(5),))
        randint(5)
    """

    name: str
    args: tuple[Node, ...]

    @property
    def pos_args(self) -> SequenceOf[Node]:
        return list(self.args)

    def _code(self, depth: int) -> str:
        return f"{self.name}({', '.join(nested(arg, depth) for arg in self.args)})"


# What Hyperopt puts around the draw of a parameter, from the inside to the outside.
_CONVERSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"randint": ("int",), "uniformint": ("float", "int")}
)
# hp.uniformint is a quniform there.
_HYPEROPTS_DRAWS: Mapping[str, str] = MappingProxyType({"uniformint": "quniform"})


def _read(value: object) -> Node:
    return Sequence(tuple(map(Literal, value))) if isinstance(value, tuple) else Literal(value)


def program_of(label: str, distribution: Distribution) -> Reading:
    """Returns the steps that Hyperopt's users read for a parameter, the outermost first.

    Example:
        >>> from sparktuner.space import RandInt
        >>> program_of("n", RandInt(0, 5))
        int(hyperopt_param(Literal('n'), randint(Literal(5))))
    """
    name, numbers = distribution.call
    draw = Reading(_HYPEROPTS_DRAWS.get(name, name), tuple(map(_read, numbers)))
    program = Reading("hyperopt_param", (Literal(label), draw))
    # The index of a choice is no number of the user's: it has nothing around it.
    if isinstance(distribution, Categorical):
        return program
    for conversion in _CONVERSIONS.get(name, ("float",)):
        program = Reading(conversion, (program,))
    return program
