"""Draws from a search space without a search: ``sample(space)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparktuner.checks import check_mapping
from sparktuner.pyll.base import rec_eval
from sparktuner.space import DISTRIBUTIONS, Node, RngOrSeed, as_generator, flatten

__all__ = ["sample"]


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)


# The names of the nodes that draw, by which programs find them in a space.
implicit_stochastic_symbols = frozenset(DISTRIBUTIONS)


def sample(
    expr: object,
    rng: RngOrSeed = None,
    *,
    memo: Mapping[Node, object] | None = None,
    deepcopy_inputs: bool = False,
    max_program_len: int | None = None,
    memo_gc: bool = True,
    print_trace: bool = False,
    print_node_on_error: bool = True,
) -> Any:
    """Returns a random draw from a search space, as the objective would receive it.

    Parameters are drawn from their distributions, as random search does, and draws without a
    label too.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.
        rng: a generator, a seed, or None for a draw that cannot be repeated. A generator and
            a ``RandomState`` move on, so that the next draw is another.
        memo: node -> value; these nodes are not drawn.
        deepcopy_inputs: whether the values of ``memo`` are copied first.
        max_program_len: accepted for Hyperopt's sake, as is all that follows.
        memo_gc: has no effect.
        print_trace: has no effect.
        print_node_on_error: has no effect.

    Raises:
        BadSearchSpace: the space is ill-formed.
        TypeError: ``rng`` is no source of random numbers, or ``memo`` is no dictionary.

    Example:
        >>> from sparktuner import hp
        >>> space = {"units": hp.quniform("units", 16, 64, 16), "act": hp.choice("act", ["relu"])}
        >>> sample(space, 0)
        {'act': 'relu', 'units': 48}
    """
    known = {} if memo is None else memo
    check_mapping("memo", known, "{node: 0.5}")
    space = flatten(expr)
    generator = as_generator("rng", rng)
    u = generator.random((len(space.parameters), 1))
    # Inactive ones too: a memo that fixes a choice may need them.
    drawn: dict[Node, object] = {
        parameter: parameter.distribution.native(parameter.distribution.quantile(u[j]).item())
        for j, parameter in enumerate(space.parameters)
    }
    return rec_eval(
        space.root,
        deepcopy_inputs,
        drawn | dict(known),
        max_program_len,
        memo_gc,
        print_trace,
        print_node_on_error,
        rng=generator,
    )
