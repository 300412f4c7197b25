"""The nodes whose value a search chooses: parameters, and the options they point at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sparktuner.checks import shown
from sparktuner.errors import BadSearchSpace
from sparktuner.space._distributions import Categorical, Distribution, RandInt
from sparktuner.space._nodes import SHOWN, Node, nested
from sparktuner.space._program import Reading, program_of
from sparktuner.space._safe_math import plain


@dataclass(frozen=True, eq=False, repr=False)
class Parameter(Node):
    """A labelled draw from a distribution, whose value a search chooses.

    Attributes:
        label: the name by which results know the value.
        distribution: its prior.

    Example:
        >>> from sparktuner.space import RandInt
        >>> Parameter("n", RandInt(2, 5))
        hp.randint('n', 2, 5)
    """

    label: str
    distribution: Distribution

    def __post_init__(self) -> None:
        if not isinstance(self.label, str):
            raise BadSearchSpace(
                f"a parameter's label must be a string, got {type(self.label).__name__}: "
                f"{shown(self.label)}"
            )
        if not self.label:
            raise BadSearchSpace("a parameter's label must not be empty, got ''")

    @property
    def name(self) -> str:
        """Returns the name of the outermost function in Hyperopt's program for it."""
        return self._program.name

    @property
    def pos_args(self) -> Sequence[Node]:
        return self._program.pos_args

    @cached_property
    def _program(self) -> Reading:
        return program_of(self.label, self.distribution)

    def _code(self, depth: int) -> str:
        return self.distribution.code(self.label)


@dataclass(frozen=True, eq=False, repr=False)
class Switch(Node):
    """One of several options: the one that an index points at, counted from 0.

    Attributes:
        index: a node whose value is a whole number, most often a parameter.
        options: what the index points into; only the chosen one is evaluated.

    Example:
        >>> from sparktuner.space import Literal, evaluate
        >>> evaluate(Switch(Literal(1), (Literal("a"), Literal("b"))), {})
        'b'
    """

    index: Node
    options: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise BadSearchSpace("a switch needs at least one option, got none")
        # A parameter and a draw have a distribution; what is computed may point anywhere.
        distribution = getattr(self.index, "distribution", None)
        if isinstance(distribution, RandInt):
            # Not its limits, which are distances from its origin.
            first, last = distribution.low, distribution.high - 1
        elif isinstance(distribution, Categorical):
            first, last = 0, len(distribution.p) - 1
        else:
            return
        if first < 0 or last >= len(self.options):
            raise BadSearchSpace(
                f"a switch's index must point at one of its {len(self.options)} options, but "
                f"{self.index!r} takes values from {first:g} to {last:g}"
            )

    @property
    def name(self) -> str:
        """Returns Hyperopt's word for it."""
        return "switch"

    @property
    def pos_args(self) -> Sequence[Node]:
        return [self.index, *self.options]

    def _code(self, depth: int) -> str:
        options = [nested(option, depth) for option in self.options[:SHOWN]]
        more = ["..."] if len(self.options) > SHOWN else []
        index = self.index
        if not isinstance(index, Parameter) or not isinstance(index.distribution, Categorical):
            return f"scope.switch({', '.join([nested(index, depth), *options, *more])})"
        if index.distribution.is_uniform:
            return f"hp.choice({index.label!r}, [{', '.join(options + more)}])"
        pairs = [
            f"({plain(p)}, {option})"
            for p, option in zip(index.distribution.p, options, strict=False)
        ]
        return f"hp.pchoice({index.label!r}, [{', '.join(pairs + more)}])"
