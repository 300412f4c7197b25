"""Hyperopt's names for the nodes of a search space, for walks over them and their evaluation."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from sparktuner.checks import check_flag, check_mapping, check_rng
from sparktuner.errors import BadSearchSpace
from sparktuner.space import (
    Call,
    Draw,
    Literal,
    Node,
    Parameter,
    Record,
    RngOrSeed,
    Sequence,
    Switch,
    nodes,
    scope,
    substitute,
)
from sparktuner.space import Node as Apply
from sparktuner.space import as_node as as_apply

__all__ = [
    "scope",
    "as_apply",
    "rec_eval",
    "Apply",
    "Literal",
    "dfs",
    "toposort",
    "clone",
    "clone_merge",
]


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)


def rec_eval(
    expr: object,
    deepcopy_inputs: bool = False,
    memo: Mapping[Node, object] | None = None,
    max_program_len: int | None = None,
    memo_gc: bool = True,
    print_trace: bool = False,
    print_node_on_error: bool = True,
    rng: RngOrSeed = None,
) -> Any:
    """Returns the value of an expression in which the nodes of ``memo`` have given values.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.
        deepcopy_inputs: whether the values of ``memo`` are copied first.
        memo: node -> value; a parameter that is needed must be there.
        max_program_len: accepted for Hyperopt's sake, as is all that follows.
        memo_gc: has no effect.
        print_trace: has no effect.
        print_node_on_error: has no effect.
        rng: where draws without a label come from, or a seed; None for fresh entropy.

    Raises:
        BadSearchSpace: a parameter has no value.
        TypeError: ``memo`` is no dictionary, or ``rng`` no source of random numbers.

    Example:
        >>> from sparktuner import hp
        >>> x = hp.uniform("x", 0, 1)
        >>> rec_eval({"twice": 2 * x}, memo={x: 0.25})
        {'twice': 0.5}
    """
    memo = {} if memo is None else memo
    check_mapping("memo", memo, "{node: 0.5}")
    check_flag("deepcopy_inputs", deepcopy_inputs)
    check_rng("rng", rng)
    known = {
        node: copy.deepcopy(value) if deepcopy_inputs else value for node, value in memo.items()
    }
    return substitute(as_apply(expr), _no_value, known, rng)


def _no_value(parameter: Parameter) -> NoReturn:
    raise BadSearchSpace(
        f"{parameter!r} has no value here: pass rec_eval(expr, memo={{node: value}}), "
        "space_eval(space, {label: value}), or draw one with pyll.stochastic.sample(expr)"
    )


def dfs(expr: object) -> list[Node]:
    """Returns every node of an expression once, each after the nodes that it is made from.

    A parameter comes after the steps of the program that Hyperopt keeps for it, which are
    there to be read.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.

    Example:
        >>> from sparktuner import hp
        >>> [node.name for node in dfs(hp.randint("n", 5) + 1)]
        ['literal', 'literal', 'randint', 'hyperopt_param', 'int', 'literal', 'add']
    """
    return nodes(as_apply(expr), lambda node: node.inputs())


def toposort(expr: object) -> list[Node]:
    """Returns the nodes of an expression in an order in which they can be evaluated.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.

    Example:
        >>> from sparktuner import hp
        >>> toposort([hp.randint("n", 5)])[-2:]
        [hp.randint('n', 5), [hp.randint('n', 5)]]
    """
    return dfs(expr)


def clone(expr: object, memo: dict[Node, Node] | None = None) -> Node:
    """Returns a copy made of new nodes; what the original shares, the copy shares.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.
        memo: original -> copy; nodes in it are not copied again, new ones are added.

    Example:
        >>> from sparktuner import hp
        >>> x = hp.uniform("x", 0, 1)
        >>> copied = clone(x)
        >>> copied, copied is x
        (hp.uniform('x', 0, 1), False)
    """
    root = as_apply(expr)
    copies: dict[Node, Node] = {} if memo is None else memo
    check_mapping("memo", copies, "{node: its copy}", is_filled=True)
    for node in nodes(root):
        if node not in copies:
            copies[node] = _rebuilt(node, copies)
    return copies[root]


def clone_merge(
    expr: object, memo: dict[Node, Node] | None = None, merge_literals: bool = False
) -> Node:
    """Returns a copy in which equal computations on the same parameters are one node.

    Parameters and draws are never merged: two of them have two values.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.
        memo: original -> copy, as for :func:`clone`.
        merge_literals: whether equal constants are merged too, where they can be compared.

    Example:
        >>> from sparktuner import hp
        >>> x, one = hp.uniform("x", 0, 1), as_apply(1)
        >>> space = [x + one, x + one]
        >>> len(dfs(space)) - len(dfs(clone_merge(space)))
        1
    """
    root = as_apply(expr)
    copies: dict[Node, Node] = {} if memo is None else memo
    check_mapping("memo", copies, "{node: its copy}", is_filled=True)
    check_flag("merge_literals", merge_literals)
    made: dict[Hashable, Node] = {}
    for node in nodes(root):
        if node in copies:
            continue
        new = _rebuilt(node, copies)
        key = _merge_key(new, merge_literals)
        copies[node] = new if key is None else made.setdefault(key, new)
    return copies[root]


def _rebuilt(node: Node, copies: Mapping[Node, Node]) -> Node:
    match node:
        case Switch():
            return Switch(copies[node.index], tuple(copies[option] for option in node.options))
        case Call():
            kwargs = tuple((name, copies[arg]) for name, arg in node.kwargs)
            return replace(node, args=tuple(copies[arg] for arg in node.args), kwargs=kwargs)
        case Draw():
            return replace(node, args=tuple(copies[arg] for arg in node.args))
        case Record():
            return Record(tuple((key, copies[item]) for key, item in node.items))
        case Sequence():
            return Sequence(tuple(copies[item] for item in node.items))
    return copy.copy(node)


def _merge_key(node: Node, merge_literals: bool) -> Hashable:
    """Returns what two nodes must share to be merged; None for one that stays itself."""
    match node:
        case Call():
            return Call, node.function, node.args, node.kwargs
        case Switch():
            return Switch, node.index, node.options
        case Record() | Sequence():
            return type(node), node.items
        case Literal() if merge_literals and isinstance(node.value, int | float | str):
            return Literal, type(node.value), node.value
    return None
