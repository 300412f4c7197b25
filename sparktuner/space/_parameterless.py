"""Spaces without parameters: which of their parts were meant as some, and what to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparktuner.errors import BadSearchSpace
from sparktuner.space._arguments import described
from sparktuner.space._draws import Draw
from sparktuner.space._nodes import Literal, Node, Record, Sequence, as_node
from sparktuner.space._parameters import Parameter
from sparktuner.space._walk import nodes

# So many parts are named, and so many of the options of each are shown.
_SHOWN = 3


def require_parameters(space: object, max_evals: float) -> None:
    """Refuses a search that could only evaluate one configuration over and over.

    Args:
        space: what ``fmin`` takes as its space; a node, or any nesting of dicts, lists and
            tuples. One that only draws noise counts as a space with parameters.
        max_evals: how many trials the search is to make; one of a constant is no mistake.

    Raises:
        BadSearchSpace: there is no parameter, and more than one trial to make. The message
            names the parts that look like options, and the call that makes a parameter of each.

    Example:
        >>> require_parameters({"lr": [0.1, 0.01]}, max_evals=1)
        >>> require_parameters({"lr": [0.1, 0.01]}, max_evals=40)
        Traceback (most recent call last):
        sparktuner.errors.BadSearchSpace: the space has no parameter, so all trials would be ...
    """
    root = as_node(space)
    if max_evals == 1 or any(isinstance(node, Parameter | Draw) for node in nodes(root)):
        return
    found = [f"for {where or 'the space'} write {call}" for where, call in _meant(root, "", "x")]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    remedy = "; ".join(found[:_SHOWN] + more) or "write such as {'x': hp.uniform('x', 0, 1)}"
    raise BadSearchSpace(
        f"the space has no parameter, so all trials would be the same, got {described(space)}; "
        f"{remedy}. To evaluate a constant once, pass max_evals=1"
    )


def _meant(node: Node, where: str, label: str) -> Iterator[tuple[str, str]]:
    """Yields the places that look like options, and the call that makes a parameter of each."""
    if isinstance(node, Record):
        for key, item in node.items:
            yield from _meant(item, f"{where}[{key!r}]", str(key))
    elif isinstance(node, Sequence):
        constants = [item.value for item in node.items if isinstance(item, Literal)]
        if len(constants) > 1 and len(constants) == len(node.items):
            yield where, f"hp.choice({label!r}, {_listed(constants)})"
            return
        for i, item in enumerate(node.items):
            yield from _meant(item, f"{where}[{i}]", label)
    elif isinstance(node, Literal):
        call = _call_for(node.value, label)
        if call:
            yield where, call


def _call_for(value: Any, label: str) -> str:
    # Whatever a constant of the space may be, so it is asked for what it can do.
    if hasattr(value, "rvs") and hasattr(value, "dist"):
        return _call_for_scipy(value, label)
    if isinstance(value, np.ndarray) and value.ndim == 1 and len(value) > 1:
        return f"hp.choice({label!r}, {_listed(value.tolist())})"
    if isinstance(value, range | set | frozenset) and len(value) > 1:
        return f"hp.choice({label!r}, {_listed(list(value))})"
    return ""


def _call_for_scipy(frozen: Any, label: str) -> str:
    """Returns the call for a frozen distribution of SciPy, by the name that SciPy gives it."""
    name = getattr(frozen.dist, "name", "")
    if name == "norm":
        return f"hp.normal({label!r}, {float(frozen.mean()):g}, {float(frozen.std()):g})"
    low, high = (float(end) for end in frozen.support())
    if name == "uniform":
        return f"hp.uniform({label!r}, {low:g}, {high:g})"
    if name in ("loguniform", "reciprocal"):
        return f"hp.loguniform({label!r}, math.log({low:g}), math.log({high:g}))"
    if name == "randint":
        return f"hp.randint({label!r}, {low:.0f}, {high + 1:.0f})"
    return f"a distribution of hp, such as hp.uniform({label!r}, low, high)"


def _listed(options: list[Any]) -> str:
    shown = ", ".join(f"{option!r:.40}" for option in options[:_SHOWN])
    return f"[{shown}, ...]" if len(options) > _SHOWN else f"[{shown}]"
