"""Hyperopt's import path for expressions: ``from sparktuner.pyll import scope``.

The nodes and functions themselves live in :mod:`sparktuner.space`.

Example:
    >>> from sparktuner import hp
    >>> from sparktuner.pyll import rec_eval, scope
    >>> n = hp.quniform("n", 1, 9, 1)
    >>> rec_eval(scope.int(n / 2), memo={n: 7})
    3
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
