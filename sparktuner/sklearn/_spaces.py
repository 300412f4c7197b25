"""The space that a user of scikit-learn has written, as sparktuner's nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from sparktuner import hp
from sparktuner.checks import shown
from sparktuner.errors import BadSearchSpace
from sparktuner.space import Node, Parameter, as_node, nodes


class Frozen(Protocol):
    """What is asked of a distribution of scipy with its numbers, as ``uniform(0, 1)`` is."""

    def support(self) -> tuple[float, float]:
        """Returns the lowest and the highest value."""

    def mean(self) -> float:
        """Returns the mean."""

    def std(self) -> float:
        """Returns the standard deviation."""

    def median(self) -> float:
        """Returns the median."""


Translated: TypeAlias = Callable[[str, Frozen], Node]

_WRITE = "write hp.uniform, hp.loguniform, hp.randint, hp.normal or another of sparktuner.hp"


def space_of(space: object) -> object:
    """Returns a space for ``fmin`` from one in the words of either library.

    Args:
        space: a dictionary from parameters of the estimator to nodes of ``hp``, to scipy's
            distributions, to lists of which one is chosen, or to constants; several
            dictionaries in a list, of which one is chosen; or a node that becomes a
            dictionary.

    Raises:
        BadSearchSpace: it is something else, or a distribution has no counterpart.
    """
    if isinstance(space, Node):
        return space
    if isinstance(space, Mapping):
        _check_names(space)
        return {name: _parameter(name, value) for name, value in space.items()}
    if isinstance(space, Sequence) and space and all(isinstance(s, Mapping) for s in space):
        return hp.choice("space", [space_of(each) for each in space])
    raise BadSearchSpace(
        "space must be a dictionary from parameters of the estimator to what they may be, such "
        "as {'C': hp.loguniform('C', -7, 7)}, a list of such dictionaries, or hp.choice of them, "
        f"got {shown(space)}"
    )


def _check_names(space: Mapping[str, object]) -> None:
    for name in space:
        if not isinstance(name, str):
            raise BadSearchSpace(
                f"space must have names of the estimator's parameters as keys, got {shown(name)}"
            )


def _parameter(name: str, value: object) -> object:
    if isinstance(value, Node):
        return value
    if hasattr(value, "rvs"):
        return _of_distribution(name, value)
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, list | tuple | range):
        return value
    # A list that holds nodes is a value in parts: hidden_layer_sizes=(hp.randint(...), ...).
    if any(isinstance(each, Parameter) for each in nodes(as_node(value))):
        return value
    if not value:
        raise BadSearchSpace(
            f"space[{name!r}] must have something to choose from, got an empty list"
        )
    return hp.choice(name, value)


def _of_distribution(name: str, value: object) -> Node:
    kind = getattr(getattr(value, "dist", None), "name", type(value).__name__)
    translated = _TRANSLATED.get(kind)
    if translated is None:
        raise BadSearchSpace(
            f"space[{name!r}] must be one of scipy's {', '.join(_TRANSLATED)}, or a node, got "
            f"scipy's {kind}: {_WRITE}"
        )
    return translated(name, value)  # type: ignore[arg-type]


def _uniform(name: str, value: Frozen) -> Node:
    low, high = value.support()
    return hp.uniform(name, float(low), float(high))


def _loguniform(name: str, value: Frozen) -> Node:
    low, high = value.support()
    if low <= 0:
        raise BadSearchSpace(
            f"space[{name!r}] is a loguniform from {low:g} to {high:g}; with a loc that reaches "
            f"0 it has no logarithm: {_WRITE}"
        )
    return hp.loguniform(name, math.log(low), math.log(high))


def _randint(name: str, value: Frozen) -> Node:
    low, high = value.support()
    return hp.randint(name, int(low), int(high) + 1)


def _norm(name: str, value: Frozen) -> Node:
    return hp.normal(name, float(value.mean()), float(value.std()))


def _lognorm(name: str, value: Frozen) -> Node:
    if value.support()[0] != 0:
        raise BadSearchSpace(f"space[{name!r}] is a lognorm with a loc other than 0: {_WRITE}")
    median = value.median()
    return hp.lognormal(name, math.log(median), math.sqrt(2 * math.log(value.mean() / median)))


_TRANSLATED: Mapping[str, Translated] = {
    "uniform": _uniform,
    "loguniform": _loguniform,
    "reciprocal": _loguniform,
    "randint": _randint,
    "norm": _norm,
    "lognorm": _lognorm,
}
