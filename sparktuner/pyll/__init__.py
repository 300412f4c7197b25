"""Hyperopt's import path for expressions: ``from sparktuner.pyll import scope``.

The nodes and functions themselves live in :mod:`sparktuner.space`.
"""

from sparktuner.pyll import base, stochastic
from sparktuner.pyll.base import (
    Apply,
    Literal,
    as_apply,
    clone,
    clone_merge,
    dfs,
    rec_eval,
    scope,
    toposort,
)

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
    "base",
    "stochastic",
]
