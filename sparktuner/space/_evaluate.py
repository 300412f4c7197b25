"""Evaluates a search space: from values by label to what the objective receives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from sparktuner.checks import shown
from sparktuner.errors import BadSearchSpace
from sparktuner.space._distributions import Numeric
from sparktuner.space._draws import Draw
from sparktuner.space._generator import RngOrSeed, as_generator
from sparktuner.space._nodes import Call, Literal, Node, Record, Sequence, as_node, native
from sparktuner.space._parameters import Parameter, Switch
from sparktuner.space._walk import children

Configuration: TypeAlias = Mapping[str, Any]


def evaluate(space: object, configuration: Configuration, seed: int | None = None) -> Any:
    """Returns the search space with each parameter replaced by its value.

    Only the options that are chosen are evaluated, each node once, so that a node used in
    two places is one object in the result. Lists come out as tuples. Draws without a label
    are drawn anew, in the order in which they are met.

    Args:
        space: a node, or any nesting of dicts, lists and tuples of nodes.
        configuration: a value for each active label; a choice's is its index. Other labels
            are ignored.
        seed: seed of the draws without a label; None makes them differ each time.

    Raises:
        BadSearchSpace: an active label has no value, or an index points at no option.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.space import scope
        >>> x = hp.uniform("x", 0, 1)
        >>> evaluate({"x": x, "act": hp.choice("act", ["relu", "tanh"])}, {"x": 0.5, "act": 1})
        {'act': 'tanh', 'x': 0.5}
        >>> evaluate(x + scope.randint(100), {"x": 0.5}, seed=0)
        63.5
    """

    def value_of(parameter: Parameter) -> object:
        try:
            return configuration[parameter.label]
        except KeyError:
            raise BadSearchSpace(
                f"no value for parameter {parameter.label!r}, which is active in this "
                f"configuration; got values for {sorted(map(str, configuration))}"
            ) from None

    return substitute(as_node(space), value_of, {}, seed)


def substitute(
    node: Node,
    value_of: Callable[[Parameter], object],
    memo: dict[Node, object],
    rng: RngOrSeed = None,
) -> object:
    """Returns the value of a node, given a function that knows those of parameters.

    Args:
        node: the node to evaluate.
        value_of: gives a parameter's value.
        memo: node -> value; what it holds is not evaluated, what is evaluated is added.
        rng: where draws without a label come from, or a seed; None for fresh entropy.

    Raises:
        BadSearchSpace: an index points at no option.
        TypeError: ``rng`` is no source of random numbers.

    Example:
        >>> from sparktuner import hp
        >>> substitute(2 * hp.uniform("x", 0, 1), lambda parameter: len(parameter.label), {})
        2
    """
    # A stack of our own: spaces may be nested deeper than Python's.
    stack = [node]
    while stack:
        top = stack[-1]
        if top in memo:
            stack.pop()
            continue
        missing = _missing(top, memo)
        if missing:
            stack.extend(reversed(missing))
        elif isinstance(top, Draw):
            # Made on the first draw: a generator costs more than all of a small space.
            rng = as_generator("rng", rng)
            memo[top] = top.drawn(memo, rng)
        else:
            memo[top] = _result(top, value_of, memo)
    return memo[node]


def _missing(node: Node, memo: dict[Node, object]) -> list[Node]:
    """Returns what must be known before ``node`` is: of a choice its index, then one option."""
    if isinstance(node, Switch):
        index = _unknown((node.index,), memo)
        return index or _unknown((_chosen(node, memo[node.index]),), memo)
    return [] if isinstance(node, Parameter | Literal) else _unknown(children(node), memo)


def _unknown(needed: Iterable[Node], memo: dict[Node, object]) -> list[Node]:
    unknown: list[Node] = []
    for node in needed:
        if node in memo:
            continue
        if isinstance(node, Literal):
            # Half of a space's nodes are constants: they need no turn on the stack.
            memo[node] = node.value
        else:
            unknown.append(node)
    return unknown


def _result(
    node: Node, value_of: Callable[[Parameter], object], memo: Mapping[Node, object]
) -> object:
    match node:
        case Literal():
            return node.value
        case Parameter():
            return _whole(node, native(value_of(node)))
        case Switch():
            return memo[_chosen(node, memo[node.index])]
        case Record():
            return {key: memo[item] for key, item in node.in_order}
        case Sequence():
            return tuple(memo[item] for item in node.items)
        case Call():
            args = [memo[arg] for arg in node.args]
            kwargs = {name: memo[arg] for name, arg in node.kwargs}
            return native(node.function(*args, **kwargs))
    raise BadSearchSpace(f"not a search-space node: {node!r}")


def _whole(parameter: Parameter, value: object) -> object:
    # 5.0, written by hand or read from an old record, is 5 where values are integers.
    distribution = parameter.distribution
    whole = not isinstance(distribution, Numeric) or distribution.is_whole
    return int(value) if whole and isinstance(value, float) and value.is_integer() else value


def _chosen(node: Switch, index: object) -> Node:
    place = -1
    if isinstance(index, int) or (isinstance(index, float) and index.is_integer()):
        place = int(index)
    if not 0 <= place < len(node.options):
        name = f" {node.index.label!r}" if isinstance(node.index, Parameter) else ""
        raise BadSearchSpace(
            f"the index of choice{name} must be an integer from 0 to "
            f"{len(node.options) - 1}, got {shown(index)}; a choice is given by the index of its "
            "option, not by the option"
        )
    return node.options[place]
