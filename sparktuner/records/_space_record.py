"""What a search space was, as plain data, and how trials of one are read in another."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from sparktuner.records._document import Configuration
from sparktuner.space import (
    Categorical,
    Column,
    FlatSpace,
    Literal,
    Node,
    Parameter,
    Record,
    Switch,
    children,
    nodes,
)
from sparktuner.space import Sequence as SequenceNode

# The names of attachments that hold descriptions; users are not shown them.
SPACE_PREFIX = "SPACE::"
# A default repr names an address, which another process has not got.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LONGEST = 200
_SHOWN = 5
# Logarithms and steps are rounded: a value so near its bound is inside.
_TOLERANCE = 1e-9


class DoesNotFit(Exception):
    """A configuration that another space cannot make; the text says why."""


@dataclass(frozen=True)
class ColumnRecord:
    """What one parameter was.

    Attributes:
        label: its label.
        code: the call that makes its distribution.
        low: its least value, or None.
        high: its greatest value, or None.
        q: the step of its values, or None.
        options: what stands for each option of a choice; empty for other parameters.
        conditions: alternatives of (label, value) pairs, as a column has them by number.
    """

    label: str
    code: str
    low: float | None
    high: float | None
    q: float | None
    options: tuple[str, ...]
    conditions: tuple[tuple[tuple[str, int], ...], ...]

    def check(self, value: float) -> None:
        """Raises :class:`DoesNotFit` for a value that this parameter cannot have."""
        slack = _TOLERANCE * max(1.0, abs(value)) if self.q is None else 0.0
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        # Written so that NaN is outside.
        if not low - slack <= value <= high + slack:
            raise DoesNotFit(f"{self.label!r} is out of bounds")
        if self.q is not None and abs(value / self.q - round(value / self.q)) > 1e-6:
            raise DoesNotFit(f"{self.label!r} is no multiple of {self.q:g}")


@dataclass(frozen=True)
class SpaceRecord:
    """What a search space was: its parameters, parents before their children."""

    columns: tuple[ColumnRecord, ...]

    def dumps(self) -> bytes:
        """Returns it as JSON, which any store can hold and no reader has to trust."""
        return json.dumps(asdict(self), allow_nan=False).encode()

    @classmethod
    def loads(cls, data: bytes) -> SpaceRecord:
        """Returns what :meth:`dumps` was called on."""
        columns = []
        for each in json.loads(data)["columns"]:
            conditions = tuple(
                tuple((label, value) for label, value in pairs) for pairs in each["conditions"]
            )
            options = tuple(each["options"])
            columns.append(ColumnRecord(**{**each, "options": options, "conditions": conditions}))
        return cls(tuple(columns))

    @functools.cached_property
    def digest(self) -> str:
        """Returns a short name that equal descriptions share, in any process."""
        return hashlib.sha256(self.dumps()).hexdigest()[:16]

    def active(self, configuration: Mapping[str, object]) -> Iterator[ColumnRecord]:
        """Yields the parameters that are active; looks at a choice only after it yielded it."""
        taken: dict[str, object] = {}
        for column in self.columns:
            met = (all(taken.get(k) == v for k, v in pairs) for pairs in column.conditions)
            if any(met):
                yield column
                if column.label in configuration:
                    taken[column.label] = configuration[column.label]


def describe_space(space: FlatSpace) -> SpaceRecord:
    """Returns the description of a space.

    Options are described by value: numbers, text and what has a repr of its own by that,
    functions and classes by name, nested spaces by what they are made of. Options that look
    alike are told apart by their order.
    """
    options = _options(space)
    labels = [column.label for column in space.columns]
    return SpaceRecord(
        tuple(
            _column(column, options.get(parameter, ()), labels)
            for column, parameter in zip(space.columns, space.parameters, strict=True)
        )
    )


def _column(column: Column, options: tuple[str, ...], labels: list[str]) -> ColumnRecord:
    distribution = column.distribution
    low, high = (end if math.isfinite(end) else None for end in distribution.limits)
    q = 1.0 if not hasattr(distribution, "q") else distribution.q
    if isinstance(distribution, Categorical) and distribution.is_uniform:
        # How many there are is seen from the options.
        code = f"hp.choice({column.label!r}, ...)"
    else:
        code = distribution.code(column.label)
    conditions = tuple(
        tuple((labels[parent], value) for parent, value in pairs) for pairs in column.conditions
    )
    return ColumnRecord(column.label, code, low, high, q, options, conditions)


def _options(space: FlatSpace) -> dict[Node, tuple[str, ...]]:
    texts: dict[Node, str] = {}
    found: dict[Node, tuple[str, ...]] = {}
    # Children come first, so that no depth of nesting needs recursion.
    for node in nodes(space.root):
        texts[node] = _short(_text(node, texts))
        if isinstance(node, Switch) and isinstance(node.index, Parameter):
            options = [texts[option] for option in node.options]
            others = found.get(node.index, ("",) * len(options))
            if len(others) == len(options):
                both = [f"{a} | {b}" if a else b for a, b in zip(others, options, strict=True)]
                found[node.index] = tuple(both)
    return {parameter: _numbered(options) for parameter, options in found.items()}


def _text(node: Node, texts: Mapping[Node, str]) -> str:
    match node:
        case Literal(value):
            return _constant(value)
        case Parameter(label):
            # Not its bounds: an option whose parameter has others is the same option.
            return f"<{label}>"
        case Switch():
            if isinstance(node.index, Parameter):
                return f"<{node.index.label}>"
        case Record(items):
            return "{" + ", ".join(f"{key!r}: {texts[item]}" for key, item in items) + "}"
        case SequenceNode(items):
            return "[" + ", ".join(texts[item] for item in items) + "]"
    name = getattr(getattr(node, "function", None), "__name__", type(node).__name__)
    return f"{name}({', '.join(texts[child] for child in children(node))})"


def _constant(value: object) -> str:
    try:
        name = getattr(value, "__qualname__", None)
        if name:
            return f"{getattr(value, '__module__', '')}.{name}"
        if isinstance(value, set | frozenset):
            # The order of text in a set is another one in each process.
            return "{" + ", ".join(sorted(map(repr, value))) + "}"
        return _ADDRESS.sub("", repr(value))
    except Exception:  # whatever a user's object raises; its class is known at least
        return f"<{type(value).__name__}>"


def _short(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:40]}... {hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]}"


def _numbered(options: Iterable[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    numbered = []
    for option in options:
        seen[option] = seen.get(option, 0) + 1
        numbered.append(option if seen[option] == 1 else f"{option} (no. {seen[option]})")
    return tuple(numbered)


def translate(configuration: Configuration, old: SpaceRecord, new: SpaceRecord) -> Configuration:
    """Returns a configuration of one space in the terms of another.

    Values stay as they are; the index of a choice becomes that of the same option.

    Raises:
        DoesNotFit: the new space cannot make it.
    """
    was = {column.label: column for column in old.active(configuration)}
    translated: Configuration = {}
    # A generator that reads what is being filled in: choices are settled before what is below.
    for column in new.active(translated):
        label = column.label
        if label not in configuration:
            raise DoesNotFit(f"no value of {label!r}")
        translated[label] = _value(configuration[label], was.get(label), column)
    gone = sorted(configuration.keys() - translated.keys())
    if gone:
        raise DoesNotFit(f"{gone[0]!r} is not there any more")
    return translated


def _value(value: float, was: ColumnRecord | None, column: ColumnRecord) -> float:
    if was is None or bool(was.options) != bool(column.options):
        raise DoesNotFit(f"{column.label!r} is of another kind")
    if not column.options:
        column.check(value)
        return value
    option = was.options[int(value)] if 0 <= value < len(was.options) else None
    if option not in column.options:
        raise DoesNotFit(f"an option of {column.label!r} is not there any more")
    return column.options.index(option)


def differences(old: SpaceRecord, new: SpaceRecord) -> list[str]:
    """Returns how a space differs from an older one, in words; nothing where only in order."""
    before, after = _by_label(old), _by_label(new)
    removed = [label for label in before if label not in after]
    said = []
    for label in [label for label in after if label not in before]:
        alike = [r for r in removed if _anonymous(before[r]) == _anonymous(after[label])]
        if alike:
            removed.remove(alike[0])
            said.append(f"{alike[0]!r} is gone and {label!r} is like it (renamed?)")
        else:
            said.append(f"{label!r} is new")
    said += [f"{label!r} is gone" for label in removed]
    for label in before.keys() & after.keys():
        said += _changes(before[label], after[label])
        if [_routes(c, before) for c in before[label]] != [
            _routes(c, after) for c in after[label]
        ]:
            said.append(f"{label!r} depends on other choices or options")
    return sorted(said)


def _by_label(record: SpaceRecord) -> dict[str, list[ColumnRecord]]:
    found: dict[str, list[ColumnRecord]] = {}
    for column in record.columns:
        found.setdefault(column.label, []).append(column)
    return found


def _routes(
    column: ColumnRecord, columns: Mapping[str, list[ColumnRecord]]
) -> set[frozenset[tuple[str, object]]]:
    # By option, not by index: options that only moved are the same conditions.
    routes = set()
    for pairs in column.conditions:
        options = [(label, value, columns[label][0].options) for label, value in pairs]
        named = ((k, texts[v] if 0 <= v < len(texts) else v) for k, v, texts in options)
        routes.add(frozenset[tuple[str, object]](named))
    return routes


def _anonymous(columns: list[ColumnRecord]) -> list[tuple[str, tuple[str, ...]]]:
    return [(c.code.replace(repr(c.label), "", 1), c.options) for c in columns]


def _changes(before: list[ColumnRecord], after: list[ColumnRecord]) -> list[str]:
    label = before[0].label
    if len(before) != len(after):
        return [f"{label!r} stands in other places"]
    said = []
    for old, new in zip(before, after, strict=True):
        if old.options != new.options and old.options and new.options:
            said.append(f"{label!r}: {_option_changes(old.options, new.options)}")
        elif old.code != new.code:
            said.append(f"{old.code} is {new.code} now")
    return said


def _option_changes(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    removed = [option for option in old if option not in new]
    added = [option for option in new if option not in old]
    said = [f"option {text} is gone" for text in removed[:_SHOWN]]
    said += [f"option {text} is new" for text in added[:_SHOWN]]
    more = len(removed[_SHOWN:]) + len(added[_SHOWN:])
    if more:
        said.append(f"{more} more options differ")
    if [o for o in old if o in new] != [o for o in new if o in old]:
        said.append("options in another order")
    return ", ".join(said)
