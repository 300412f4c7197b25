"""The nodes that a search space is made of: frozen data with no interpreter behind them.

Nodes compare and hash by identity: one node object used in two places is one parameter.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from sparktuner.errors import BadSearchSpace
from sparktuner.space._reading import Readable

# How deep a repr goes: a node that many others share would be written out again and again.
_DEPTH = 8
# How many items of a list, or options of a choice, a repr shows.
SHOWN = 20
# How long a constant's repr may be.
_WIDTH = 80

_INFIX: Mapping[Callable[..., object], str] = MappingProxyType(
    {
        operator.add: "+",
        operator.sub: "-",
        operator.mul: "*",
        operator.truediv: "/",
        operator.floordiv: "//",
        operator.mod: "%",
        operator.pow: "**",
        operator.lt: "<",
        operator.le: "<=",
        operator.gt: ">",
        operator.ge: ">=",
    }
)
_COMPARISONS = frozenset(
    [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
)


class Node(Readable):
    """A part of a search space, whose value is known only once it is evaluated.

    Arithmetic, order and indexing on nodes give further nodes. ``==`` compares identity, since
    nodes are keys of dictionaries; ``scope.eq(a, b)`` compares values. The ``repr`` reads like
    the code that made the node, shortened where it is deep.

    Example:
        >>> from sparktuner import hp
        >>> -hp.uniform("x", 0, 1) + 1
        (-hp.uniform('x', 0, 1)) + 1
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return self._code(_DEPTH)

    def _code(self, depth: int) -> str:
        raise NotImplementedError

    def __call__(self, *args: object, **kwargs: object) -> Node:
        return call(_call_value, self, *args, **kwargs)

    def __add__(self, other: object) -> Node:
        return call(operator.add, self, other)

    def __radd__(self, other: object) -> Node:
        return call(operator.add, other, self)

    def __sub__(self, other: object) -> Node:
        return call(operator.sub, self, other)

    def __rsub__(self, other: object) -> Node:
        return call(operator.sub, other, self)

    def __mul__(self, other: object) -> Node:
        return call(operator.mul, self, other)

    def __rmul__(self, other: object) -> Node:
        return call(operator.mul, other, self)

    def __truediv__(self, other: object) -> Node:
        return call(operator.truediv, self, other)

    def __rtruediv__(self, other: object) -> Node:
        return call(operator.truediv, other, self)

    def __floordiv__(self, other: object) -> Node:
        return call(operator.floordiv, self, other)

    def __rfloordiv__(self, other: object) -> Node:
        return call(operator.floordiv, other, self)

    def __mod__(self, other: object) -> Node:
        return call(operator.mod, self, other)

    def __rmod__(self, other: object) -> Node:
        return call(operator.mod, other, self)

    def __pow__(self, other: object) -> Node:
        return call(operator.pow, self, other)

    def __rpow__(self, other: object) -> Node:
        return call(operator.pow, other, self)

    def __neg__(self) -> Node:
        return call(operator.neg, self)

    def __abs__(self) -> Node:
        return call(operator.abs, self)

    def __round__(self, digits: int | None = None) -> Node:
        return call(round, self) if digits is None else call(round, self, digits)

    def __lt__(self, other: object) -> Node:
        return call(operator.lt, self, other)

    def __le__(self, other: object) -> Node:
        return call(operator.le, self, other)

    def __gt__(self, other: object) -> Node:
        return call(operator.gt, self, other)

    def __ge__(self, other: object) -> Node:
        return call(operator.ge, self, other)

    def __getitem__(self, key: object) -> Node:
        return call(operator.getitem, self, key)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: object, **kwargs: object
    ) -> Call:
        # np.log(node), np.float64(2) * node: NumPy asks here what they mean.
        if method != "__call__" or "out" in kwargs:
            return NotImplemented  # type: ignore[no-any-return]
        return call(ufunc, *inputs, **kwargs)

    def __iter__(self) -> Iterator[Node]:
        # Without this, __getitem__ would make iteration endless.
        raise TypeError(
            "a search-space node cannot be iterated: its value is known only when a "
            "configuration is evaluated; index it (node[0]) instead"
        )

    def __len__(self) -> int:
        raise TypeError("a search-space node has no length; use scope.len(node)")

    def __int__(self) -> int:
        raise TypeError("a search-space node has no value yet; use scope.int(node)")

    def __float__(self) -> float:
        raise TypeError("a search-space node has no value yet; use scope.float(node)")

    def __bool__(self) -> bool:
        # `if space:` is common; a comparison's outcome is what nobody can know yet.
        return True


@dataclass(frozen=True, eq=False, repr=False)
class Literal(Node):
    """A constant, which reaches the objective as it is.

    Example:
        >>> Literal("relu")
        Literal('relu')
    """

    value: object = None

    @property
    def name(self) -> str:
        """Returns Hyperopt's word for a constant."""
        return "literal"

    @property
    def obj(self) -> object:
        """Returns the constant, under the name that Hyperopt gives it."""
        return self.value

    def __repr__(self) -> str:
        return f"Literal({self._code(1)})"

    def _code(self, depth: int) -> str:
        if isinstance(self.value, type) or callable(self.value):
            return name_of(self.value)
        text = repr(self.value)
        return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


@dataclass(frozen=True, eq=False, repr=False)
class Call(Node):
    """A function that is applied to the values of nodes when a space is evaluated.

    Attributes:
        function: the function itself; no name is looked up later.
        args: its arguments.
        kwargs: its keyword arguments.
        length: how many items its result has, where that is known: such a node can be
            unpacked.

    Example:
        >>> from sparktuner.space import evaluate
        >>> evaluate(Call(max, (Literal(2), Literal(3))), {})
        3
    """

    function: Callable[..., object]
    args: tuple[Node, ...] = ()
    kwargs: tuple[tuple[str, Node], ...] = ()
    length: int | None = None

    @property
    def name(self) -> str:
        """Returns the function's name."""
        return name_of(self.function)

    @property
    def pos_args(self) -> SequenceOf[Node]:
        return list(self.args)

    @property
    def named_args(self) -> list[tuple[str, Node]]:
        return list(self.kwargs)

    def __bool__(self) -> bool:
        if self.function in _COMPARISONS:
            raise TypeError(
                "a comparison of search-space nodes is known only when a configuration is "
                "evaluated; use scope.switch or compare inside the objective"
            )
        return True

    def __len__(self) -> int:
        return super().__len__() if self.length is None else self.length

    def __iter__(self) -> Iterator[Node]:
        if self.length is None:
            return super().__iter__()
        return iter([self[i] for i in range(self.length)])

    def _code(self, depth: int) -> str:
        args = [nested(arg, depth) for arg in self.args]
        kwargs = [f"{name}={nested(arg, depth)}" for name, arg in self.kwargs]
        if self.function in _INFIX and len(args) == 2:
            return f" {_INFIX[self.function]} ".join(args)
        if self.function is operator.neg:
            return f"-{args[0]}"
        if self.function is operator.getitem:
            return f"{args[0]}[{args[1]}]"
        if self.function is _call_value:
            return f"{args[0]}({', '.join(args[1:] + kwargs)})"
        return f"scope.{name_of(self.function)}({', '.join(args + kwargs)})"


@dataclass(frozen=True, eq=False, repr=False)
class Record(Node):
    """A dictionary whose values are nodes; its keys are constants.

    Attributes:
        items: pairs of key and node, in the dictionary's order; its value has them in the
            keys' own order, where they have one.

    Example:
        >>> Record((("units", Literal(8)),))
        {'units': 8}
    """

    items: tuple[tuple[object, Node], ...]

    @cached_property
    def in_order(self) -> tuple[tuple[object, Node], ...]:
        """Returns the items in the order of their keys, as Hyperopt's users know them."""
        try:
            return tuple(sorted(self.items, key=lambda item: item[0]))  # type: ignore[arg-type, return-value]
        except TypeError:
            # Numbers and text among each other have no order: they stay as they are.
            return self.items

    @property
    def name(self) -> str:
        """Returns Hyperopt's word for it."""
        return "dict"

    @property
    def named_args(self) -> list[tuple[str, Node]]:
        return [(str(key), item) for key, item in self.in_order]

    def _code(self, depth: int) -> str:
        items = (f"{key!r}: {nested(item, depth)}" for key, item in self.items)
        return f"{{{', '.join(items)}}}"


@dataclass(frozen=True, eq=False, repr=False)
class Sequence(Node):
    """A list or tuple of nodes, which reaches the objective as a tuple.

    Attributes:
        items: the nodes in order.

    Example:
        >>> from sparktuner.space import evaluate
        >>> evaluate(Sequence((Literal(8), Literal(4))), {})
        (8, 4)
    """

    items: tuple[Node, ...]

    @property
    def name(self) -> str:
        """Returns Hyperopt's word for it."""
        return "pos_args"

    @property
    def pos_args(self) -> SequenceOf[Node]:
        return list(self.items)

    def _code(self, depth: int) -> str:
        items = [nested(item, depth) for item in self.items[:SHOWN]]
        if len(self.items) > SHOWN:
            items.append("...")
        return f"[{', '.join(items)}]"


def as_node(value: object) -> Node:
    """Returns any Python value as a node.

    Lists, tuples and dictionaries are searched for nodes; anything else is a constant. NumPy
    scalars become native numbers. A list or dictionary that stands in several places becomes
    one node.

    Raises:
        BadSearchSpace: a set or an array holds nodes, a dictionary's key is one, or a
            container holds itself.

    Example:
        >>> from sparktuner import hp
        >>> as_node({"units": [8, hp.randint("n", 5)]})
        {'units': [8, hp.randint('n', 5)]}
    """
    return value if isinstance(value, Node) else _convert(value, {})


def _convert(value: object, made: dict[int, Node | None]) -> Node:
    if isinstance(value, Node):
        return value
    if not isinstance(value, dict | list | tuple):
        return _convert_other(value, made)
    if id(value) in made:
        node = made[id(value)]
        if node is None:
            raise BadSearchSpace(f"a search space must not contain itself, got {value!r}")
        return node
    # None says that the container is being walked: who meets it now is inside of it.
    made[id(value)] = None
    if isinstance(value, dict):
        node = _record(value, made)
    else:
        node = Sequence(tuple(_convert(item, made) for item in value))
    made[id(value)] = node
    return node


def _convert_other(value: object, made: dict[int, Node | None]) -> Node:
    if isinstance(value, Mapping):
        return _record(value, made)
    if isinstance(value, set | frozenset) and any(isinstance(item, Node) for item in value):
        raise BadSearchSpace("a set has no order: use a list or a tuple for parameters")
    objects = value.flat if isinstance(value, np.ndarray) and value.dtype == object else ()
    if any(isinstance(item, Node) for item in objects):
        raise BadSearchSpace("an array must not hold parameters: use a list or a tuple")
    return Literal(native(value))


def _record(value: Mapping[object, object], made: dict[int, Node | None]) -> Record:
    return Record(tuple((_key(key), _convert(item, made)) for key, item in value.items()))


def _key(key: object) -> object:
    if isinstance(key, Node):
        raise BadSearchSpace(
            f"a dictionary's key must be a constant, got the search-space node {key!r}"
        )
    return native(key)


def native(value: object) -> object:
    """Returns a NumPy number, boolean or string as a Python value, anything else unchanged.

    Example:
        >>> native(np.int64(3)), native("text")
        (3, 'text')
    """
    # Kinds that Python has too: not dates, whose units it lacks, nor structures.
    if isinstance(value, np.generic) and value.dtype.kind in "biufcUS":
        item: object = value.item()
        return item
    return value


def call(function: Callable[..., object], *args: object, **kwargs: object) -> Call:
    """Returns the node that applies a function to the arguments, each made a node.

    Example:
        >>> from sparktuner import hp
        >>> call(abs, hp.normal("x", 0, 1))
        scope.abs(hp.normal('x', 0, 1))
    """
    return Call(
        function,
        tuple(as_node(arg) for arg in args),
        tuple((name, as_node(arg)) for name, arg in kwargs.items()),
    )


def name_of(function: object) -> str:
    """Returns a function's name, or the name of its class where it has none."""
    return str(getattr(function, "__name__", type(function).__name__))


def _call_value(function: Callable[..., object], *args: object, **kwargs: object) -> object:
    return function(*args, **kwargs)


def nested(node: Node, depth: int) -> str:
    """Returns the code of a node that is part of another, in brackets where it needs them."""
    if depth <= 1:
        return "..."
    text = node._code(depth - 1)
    infix = isinstance(node, Call) and (node.function in _INFIX or node.function is operator.neg)
    return f"({text})" if infix else text
