"""Hyperopt's import path for the functions behind ``hp``, and for the conditions of a space."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypedDict, TypeVar

from sparktuner.checks import check_callable, check_mapping, shown
from sparktuner.errors import BadSearchSpace
from sparktuner.hp import choice as hp_choice
from sparktuner.hp import lognormal as hp_lognormal
from sparktuner.hp import loguniform as hp_loguniform
from sparktuner.hp import normal as hp_normal
from sparktuner.hp import pchoice as hp_pchoice
from sparktuner.hp import qlognormal as hp_qlognormal
from sparktuner.hp import qloguniform as hp_qloguniform
from sparktuner.hp import qnormal as hp_qnormal
from sparktuner.hp import quniform as hp_quniform
from sparktuner.hp import randint as hp_randint
from sparktuner.hp import uniform as hp_uniform
from sparktuner.hp import uniformint as hp_uniformint
from sparktuner.space import Node, Parameter, Switch, as_node, children, nodes

P = ParamSpec("P")
R = TypeVar("R")


class Cond(NamedTuple):
    """A condition on a parameter: its value compared with a constant."""

    op: str
    name: str
    val: object


EQ = partial(Cond, "=")


class Found(TypedDict):
    """What :func:`expr_to_config` finds of one label.

    Attributes:
        node: the draw: its ``name`` and ``inputs()`` say which.
        label: the label.
        conditions: alternatives, each a tuple of conditions that hold together.
    """

    node: Node
    label: str
    conditions: set[tuple[object, ...]]


def validate_label(f: Callable[Concatenate[str, P], R]) -> Callable[Concatenate[str, P], R]:
    """Lets a function that makes a parameter refuse a label that is no string: a decorator.

    Example:
        >>> from sparktuner.pyll import scope
        >>> @validate_label
        ... def hp_third(label, *args):
        ...     return scope.hyperopt_param(label, scope.uniform(*args)) / 3
        >>> hp_third("x", 0, 1)
        hp.uniform('x', 0, 1) / 3
    """

    check_callable("f", f)

    @wraps(f)
    def checked(label: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not isinstance(label, str):
            raise BadSearchSpace(
                f"{f.__name__}: the first argument must be the label, a string, got {shown(label)}"
            )
        return f(label, *args, **kwargs)

    return checked


def expr_to_config(
    expr: object, conditions: tuple[object, ...] | None, hps: dict[str, Found]
) -> None:
    """Finds the parameters of a space, and under which conditions each is active.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.
        conditions: what holds for all of the space, as ``(True,)``; None is nothing.
        hps: filled with what is found, by label.

    Example:
        >>> from sparktuner import hp
        >>> found = {}
        >>> expr_to_config(hp.choice("c", [0, hp.uniform("x", 0, 1)]), (), found)
        >>> found["x"]["node"].name, found["x"]["conditions"]
        ('uniform', {(Cond(op='=', name='c', val=1),)})
    """
    root = as_node(expr)
    if not (conditions is None or isinstance(conditions, tuple)):
        raise TypeError(
            f"conditions must be a tuple, such as (), or None, got {shown(conditions)}"
        )
    check_mapping("hps", hps, "{}, which is filled", is_filled=True)
    _find(root, conditions or (), hps)
    for node in nodes(root):
        if isinstance(node, Switch) and isinstance(node.index, Parameter):
            _merge(node.index.label, len(node.options), hps)


def _find(node: Node, conditions: tuple[object, ...], hps: dict[str, Found]) -> None:
    if isinstance(node, Parameter):
        draw: Node = node
        while draw.name != "hyperopt_param":
            draw = draw.pos_args[0]
        found = Found(node=draw.pos_args[1], label=node.label, conditions=set())
        hps.setdefault(node.label, found)["conditions"].add(conditions)
    elif isinstance(node, Switch) and isinstance(node.index, Parameter):
        _find(node.index, conditions, hps)
        for i, option in enumerate(node.options):
            _find(option, (*conditions, EQ(node.index.label, i)), hps)
    else:
        for child in children(node):
            _find(child, conditions, hps)


def _merge(label: str, n: int, hps: dict[str, Found]) -> None:
    """Drops a condition from what is active whichever of the ``n`` options is chosen."""
    for found in hps.values():
        alternatives = found["conditions"]
        for each in list(alternatives):
            if not each or each[-1] != EQ(label, 0):
                continue
            every = {(*each[:-1], EQ(label, i)) for i in range(n)}
            if every <= alternatives:
                alternatives -= every
                alternatives.add(each[:-1])


__all__ = [
    "hp_choice",
    "hp_pchoice",
    "hp_randint",
    "hp_uniform",
    "hp_quniform",
    "hp_uniformint",
    "hp_loguniform",
    "hp_qloguniform",
    "hp_normal",
    "hp_qnormal",
    "hp_lognormal",
    "hp_qlognormal",
    "validate_label",
    "Cond",
    "EQ",
    "expr_to_config",
]
