"""Hypothesis strategies for search spaces, and what is true of them, found the slow way."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from sparktuner.space import (
    Categorical,
    Distribution,
    Node,
    Numeric,
    Parameter,
    RandInt,
    Switch,
    as_node,
    children,
    scope,
)

STEPS = st.sampled_from([0.1, 0.25, 1.0, 2.0, 1 / 3, 5.0])


@st.composite
def uniform_numbers(draw: st.DrawFn, log: bool = False) -> Numeric:
    """Uniform and log-uniform distributions, with and without a step."""
    low = draw(st.floats(-6, 5) if log else st.floats(-1000, 1000))
    width = draw(st.floats(0.01, 6) if log else st.floats(0.01, 1000))
    return Numeric("uniform", low, low + width, log, draw(st.none() | STEPS))


@st.composite
def normal_numbers(draw: st.DrawFn, log: bool = False) -> Numeric:
    """Normal and log-normal distributions, with and without a step."""
    mu, sigma = draw(st.floats(-3, 3)), draw(st.floats(0.1, 3))
    return Numeric("normal", mu, sigma, log, draw(st.none() | STEPS))


@st.composite
def integers(draw: st.DrawFn) -> RandInt:
    """Integer ranges."""
    low = draw(st.integers(-50, 50))
    return RandInt(low, low + draw(st.integers(1, 60)))


@st.composite
def categories(draw: st.DrawFn) -> Categorical:
    """Options with equal or unequal probabilities, some of which may be 0."""
    weights = draw(st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any))
    return Categorical(tuple(w / math.fsum(weights) for w in weights))


def numbers() -> st.SearchStrategy[Distribution]:
    """Every distribution but the categorical one."""
    return (
        st.one_of(
            uniform_numbers(),
            uniform_numbers(log=True),
            normal_numbers(),
            normal_numbers(log=True),
        )
        | integers()
    )


def distributions() -> st.SearchStrategy[Distribution]:
    """Every distribution."""
    return numbers() | categories()


class _Builder:
    """Draws one space; the labels differ, or repeat in the options of one choice."""

    def __init__(self, draw: st.DrawFn, repeat_labels: bool) -> None:
        self._draw = draw
        self._repeat_labels = repeat_labels
        self._used = 0
        self._shared: list[Node] = []

    def parameter(self) -> Parameter:
        self._used += 1
        return Parameter(f"p{self._used}", self._draw(numbers()))

    def switch(self, depth: int) -> Switch:
        p = self._draw(categories()).p
        self._used += 1
        index = Parameter(f"c{self._used}", Categorical(p))
        before, most = self._used, self._used
        options = []
        for _ in p:
            if self._repeat_labels:
                self._used = before
            options.append(as_node(self.part(depth - 1)))
            most = max(most, self._used)
        self._used = most
        return Switch(index, tuple(options))

    def part(self, depth: int) -> Any:
        kinds = ["constant", "parameter", "parameter"]
        if depth > 0:
            kinds += ["switch", "switch", "dict", "list", "sum", "int", "computed", "noise"]
        if self._shared and not self._repeat_labels:
            kinds.append("shared")
        part = self._make(self._draw(st.sampled_from(kinds)), depth)
        if isinstance(part, Node):
            self._shared.append(part)
        return part

    def _make(self, kind: str, depth: int) -> Any:
        match kind:
            case "constant":
                return self._draw(st.sampled_from([None, 3, "text", 0.5, True, (1, 2)]))
            case "parameter":
                return self.parameter()
            case "switch":
                return self.switch(depth)
            case "dict":
                n = self._draw(st.integers(0, 3))
                return {f"key{i}": self.part(depth - 1) for i in range(n)}
            case "list":
                return [self.part(depth - 1) for _ in range(self._draw(st.integers(0, 3)))]
            case "sum":
                return self.parameter() + self.parameter()
            case "int":
                return scope.int(self.parameter())
            case "noise":
                return scope.normal(self.parameter(), 1) + scope.uniform(0, 1)
            case "computed":
                self._used += 1
                index = Parameter(f"i{self._used}", RandInt(-2, 3))
                return scope.switch(abs(index), *(self.part(depth - 1) for _ in range(3)))
            case _:
                return self._draw(st.sampled_from(self._shared))


@st.composite
def spaces(draw: st.DrawFn, depth: int = 3) -> Node:
    """Nested, conditional spaces of every kind of node, valid ones only.

    Either nodes are shared between several places, or labels repeat in exclusive branches.
    """
    return as_node(_Builder(draw, draw(st.booleans())).part(depth))


def active_parameters(node: Node, values: Mapping[Parameter, float]) -> set[Parameter]:
    """What must be drawn to evaluate ``node``, given the values of the choices: by recursion."""
    active = {node} if isinstance(node, Parameter) else set()
    if isinstance(node, Switch) and isinstance(node.index, Parameter):
        active |= {node.index}
        return active | active_parameters(node.options[int(values[node.index])], values)
    for child in children(node):
        active |= active_parameters(child, values)
    return active


def choice_values(node: Node) -> Iterator[dict[Parameter, float]]:
    """Every combination of values of all choices below ``node``."""
    sizes: dict[Parameter, int] = {}

    def search(part: Node) -> None:
        if isinstance(part, Switch) and isinstance(part.index, Parameter):
            sizes[part.index] = len(part.options)
        for child in children(part):
            search(child)

    search(node)
    for combination in itertools.product(*(range(n) for n in sizes.values())):
        yield dict(zip(sizes, map(float, combination), strict=True))


@st.composite
def choices_of_few_labels(draw: st.DrawFn, depth: int = 3) -> Node:
    """Nested choices whose labels often collide; some spaces are valid, some are not."""
    labels = st.sampled_from(["a", "b", "c"])
    ids = itertools.count()
    made: list[Node] = []

    def part(depth: int) -> Node:
        kinds = ["parameter", "constant"] + ["switch", "switch", "list"] * (depth > 0)
        kind = draw(st.sampled_from(kinds + ["shared"] * (len(made) > 0)))
        if kind == "shared":
            return draw(st.sampled_from(made))
        node = make(kind, depth)
        made.append(node)
        return node

    def make(kind: str, depth: int) -> Node:
        if kind == "parameter":
            return Parameter(draw(labels), Numeric("uniform", 0.0, 1.0))
        if kind == "constant":
            return as_node(1)
        if kind == "list":
            return as_node([part(depth - 1), part(depth - 1)])
        index = Parameter(f"choice{next(ids)}", Categorical.uniform(2))
        return Switch(index, (part(depth - 1), part(depth - 1)))

    return part(depth)


def same_shape(a: Node, b: Node) -> bool:
    """Whether two spaces are built alike, whatever their nodes' identities."""
    below_a, below_b = list(children(a)), list(children(b))
    if type(a) is not type(b) or len(below_a) != len(below_b):
        return False
    if isinstance(a, Parameter) and isinstance(b, Parameter):
        return (a.label, a.distribution) == (b.label, b.distribution)
    return all(same_shape(x, y) for x, y in zip(below_a, below_b, strict=True))


__all__ = [
    "spaces",
    "choices_of_few_labels",
    "distributions",
    "numbers",
    "categories",
    "integers",
    "uniform_numbers",
    "normal_numbers",
    "active_parameters",
    "choice_values",
    "same_shape",
]
