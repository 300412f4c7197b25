"""A search space as text, for people: ``print(describe(space))``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sparktuner.history import option_names, option_values
from sparktuner.records import ColumnRecord, describe_space
from sparktuner.space import (
    Categorical,
    Column,
    Distribution,
    Draw,
    FlatSpace,
    Numeric,
    RandInt,
    flatten,
    nodes,
)

# Options that nothing depends on: so many are listed, and so long ones are shown.
_MOST_OPTIONS = 10
_LONGEST = 40
# Larger numbers are read as powers of ten only.
_MOST_DIGITS = 12


def describe(space: object) -> str:
    """Returns a search space as a tree of its parameters, with distributions and ranges.

    Below an option of a choice stand the parameters that are there with this option alone. A
    parameter that depends on more than one option stands once, and says on which. The first
    line says how many configurations there are.

    Args:
        space: a node, or any nesting of dicts, lists and tuples of nodes.

    Raises:
        BadSearchSpace: the space is ill-formed.

    Example:
        >>> from sparktuner import hp
        >>> space = {
        ...     "n": hp.randint("n", 1, 9),
        ...     "model": hp.choice("model", ["bayes", {"C": hp.loguniform("C", -1, 1)}]),
        ... }
        >>> print(describe(space))
        3 parameters, infinitely many configurations
        ├─ n: a whole number from 1 to 8
        └─ model: one of 2
           ├─ bayes
           └─ {'C': <C>}
              └─ C: loguniform, from 0.367879 to 2.71828
    """
    flat = flatten(space)
    n = len(flat.columns)
    lines = [f"{n} parameter{'' if n == 1 else 's'}, {_configurations(flat)}"]
    if any(isinstance(node, Draw) for node in nodes(flat.root)):
        lines[0] += "; noise in it is drawn anew in each evaluation"
    lines.extend(_lines(_Tree(flat)))
    return "\n".join(lines)


@dataclass(frozen=True)
class _Option:
    """The option of a choice.

    Attributes:
        column: the choice's.
        value: the index of the option.
    """

    column: int
    value: int


class _Tree:
    """Which parameter stands below which option.

    Args:
        flat: the space.
    """

    def __init__(self, flat: FlatSpace) -> None:
        self.flat = flat
        self._records = describe_space(flat).columns
        self.roots: list[int] = []
        self._below: dict[_Option, list[int]] = {}
        for j, column in enumerate(flat.columns):
            place = option_of(column)
            if place is None:
                self.roots.append(j)
            else:
                self._below.setdefault(place, []).append(j)

    def below(self, place: int | _Option) -> Sequence[int | _Option]:
        """Returns the parameters below an option, or the options of a choice that are listed."""
        if isinstance(place, _Option):
            return self._below.get(place, [])
        options = range(len(self._records[place].options))
        every = [_Option(place, value) for value in options]
        with_children = [each for each in self._below if each.column == place]
        if not with_children and not self._are_long(place):
            return []
        others = [each for each in every if each not in self._below]
        kept = {*with_children, *others[:_MOST_OPTIONS]}
        return sorted(kept, key=lambda option: option.value)

    def text(self, place: int | _Option) -> str:
        """Returns the line of a parameter or an option."""
        if isinstance(place, _Option):
            return _cut(self.name(place))
        column = self.flat.columns[place]
        names = [self.name(_Option(place, v)) for v in range(len(self._records[place].options))]
        text = f"{_cut(column.label)}: {_distribution(column.distribution, names)}"
        listed = [option for option in self.below(place) if isinstance(option, _Option)]
        if isinstance(column.distribution, Categorical) and not listed:
            text += f": {', '.join(map(_cut, names[:_MOST_OPTIONS]))}"
        hidden = len(names) - (len(listed) or _MOST_OPTIONS)
        if hidden > 0:
            text += f" and {hidden} more"
        return text + self._condition(column)

    def name(self, option: _Option) -> str:
        """Returns the name of an option, as plots have it."""
        record: ColumnRecord = self._records[option.column]
        if not 0 <= option.value < len(record.options):
            return str(option.value)
        return option_names(tuple(map(str, option_values(record.options))))[option.value]

    def _are_long(self, place: int) -> bool:
        names = (self.name(_Option(place, v)) for v in range(len(self._records[place].options)))
        return sum(len(name) + 2 for name in list(names)[:_MOST_OPTIONS]) > 2 * _LONGEST

    def _condition(self, column: Column) -> str:
        """Where a parameter is active, if the option above it does not say all."""
        if len(column.conditions) == 1 and len(column.conditions[0]) < 2:
            return ""
        ways = [
            " and ".join(
                f"{_cut(self.flat.columns[p].label)} = {_cut(self.name(_Option(p, value)))}"
                for p, value in pairs
            )
            for pairs in column.conditions
        ]
        return f" (where {' or '.join(ways)})"


def option_of(column: Column) -> _Option | None:
    """Returns the option below which a parameter stands; None where it is always active."""
    first = column.conditions[0]
    # The deepest choice: parents have lower numbers than what depends on them.
    return _Option(*max(first)) if first else None


def _lines(tree: _Tree) -> Iterator[str]:
    # A stack, so that no depth of nesting needs recursion.
    stack: list[tuple[str, int | _Option, bool]] = []

    def push(prefix: str, places: Sequence[int | _Option]) -> None:
        for i, place in reversed([*enumerate(places)]):
            stack.append((prefix, place, i == len(places) - 1))

    push("", tree.roots)
    while stack:
        prefix, place, is_last = stack.pop()
        yield f"{prefix}{'└─' if is_last else '├─'} {tree.text(place)}"
        push(f"{prefix}{'  ' if is_last else '│ '} ", tree.below(place))


def _distribution(distribution: Distribution, options: Sequence[str]) -> str:
    match distribution:
        case Categorical():
            shares = ""
            if not distribution.is_uniform:
                shown = ", ".join(f"{p:.3g}" for p in distribution.p[:_MOST_OPTIONS])
                shares = f" with probabilities {shown}"
            return f"one of {len(distribution.p)}{shares}"
        case RandInt():
            return f"a whole number from {distribution.low} to {distribution.high - 1}"
        case Numeric():
            return _numeric(distribution)


def _numeric(distribution: Numeric) -> str:
    name = f"{'log' if distribution.log else ''}{distribution.base}"
    steps = "" if distribution.q is None else f", in steps of {distribution.q:g}"
    if distribution.base == "uniform":
        low, high = distribution.limits
        return f"{name}, from {low:g} to {high:g}{steps}"
    middle, spread = distribution.a, distribution.b
    if not distribution.log:
        return f"{name}, mean {middle:g}, standard deviation {spread:g}{steps}"
    # Logarithms say little to people: the values that 95 of 100 draws are between.
    low, median, high = (_exp(middle + d * spread) for d in (-1.96, 0.0, 1.96))
    return f"{name}, median {median:g}, mostly from {low:.3g} to {high:.3g}{steps}"


def _exp(x: float) -> float:
    return math.exp(x) if x < 709 else math.inf


def _cut(text: str) -> str:
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _configurations(flat: FlatSpace) -> str:
    number, is_exact = count_configurations(flat)
    if number is None:
        return "infinitely many configurations"
    if number == 1:
        return "1 configuration"
    digits = int(number.bit_length() * math.log10(2))
    text = f"{number:,}" if digits <= _MOST_DIGITS else f"about 10^{digits}"
    return f"{'' if is_exact else 'at most '}{text} configurations"


def count_configurations(flat: FlatSpace) -> tuple[int | None, bool]:
    """Returns how many configurations a space has, and whether that is exact.

    It is an upper bound where a parameter depends on several options: which of them can be
    taken together is not worked out.

    Args:
        flat: the space.

    Returns:
        The number, None where there is no end of them; and whether it is exact.
    """
    ways: dict[_Option | None, int | None] = {}
    is_exact = True
    for j in reversed(range(len(flat.columns))):
        column = flat.columns[j]
        own = _ways(column.distribution, {o: n for o, n in ways.items() if o and o.column == j})
        place = option_of(column)
        if len(column.conditions) > 1 or len(column.conditions[0]) > 1:
            # Counted as one that is always there, or is not.
            is_exact, place = False, None
            own = None if own is None else own + 1
        ways[place] = _product(ways.get(place, 1), own)
    return ways.get(None, 1), is_exact


def _ways(distribution: Distribution, below: dict[_Option, int | None]) -> int | None:
    """How many configurations a parameter has, with all that is below its options."""
    if math.isinf(distribution.cardinality):
        return None
    drawn = below
    if isinstance(distribution, Categorical):
        # An option of probability 0 is never drawn, nor what is below it.
        drawn = {o: n for o, n in below.items() if distribution.p[o.value] > 0}
    total = int(distribution.cardinality) - len(drawn)
    for number in drawn.values():
        if number is None:
            return None
        total += number
    return total


def _product(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a * b
