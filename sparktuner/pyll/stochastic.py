"""Drawing from a search space without a search: ``sample(space)``."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from sparktuner.errors import BadSearchSpace
from sparktuner.pyll.base import rec_eval
from sparktuner.space import flatten

_Rng: TypeAlias = np.random.Generator | np.random.RandomState | int | None


def sample(expr: object, rng: _Rng = None, **kwargs: Any) -> Any:
    """A random draw from the prior of a search space, as the objective would receive it.

    Args:
        expr: a node, or any nesting of dicts, lists and tuples of nodes.
        rng: a generator, a seed, or None for a draw that cannot be repeated. A generator and
            a ``RandomState`` move on, so that the next draw is another.
        kwargs: as for :func:`sparktuner.pyll.base.rec_eval`; ``memo`` fixes nodes.
    """
    space = flatten(expr)
    generator = _generator(rng)
    u = generator.random((len(space.parameters), 1))
    # Inactive ones too: a memo that fixes a choice may need them.
    drawn = {
        parameter: parameter.distribution.native(parameter.distribution.quantile(u[j]).item())
        for j, parameter in enumerate(space.parameters)
    }
    memo = {**drawn, **(kwargs.pop("memo", None) or {})}
    return rec_eval(space.root, memo=memo, rng=generator, **kwargs)


def _generator(rng: _Rng) -> np.random.Generator:
    if isinstance(rng, np.random.RandomState):
        return np.random.default_rng(rng.randint(2**32, size=4, dtype=np.uint32))
    if isinstance(rng, bool | str | float):
        raise BadSearchSpace(f"rng must be a numpy Generator, a seed or None, got {rng!r}")
    return np.random.default_rng(rng)
