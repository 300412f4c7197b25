"""``import hyperopt`` means sparktuner inside the block, as for a program that is moved over."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import sparktuner


@contextlib.contextmanager
def hyperopt_is_sparktuner(submodules: bool = True) -> Iterator[None]:
    """Alias the package by ``as_hyperopt``; without ``submodules`` by the plainest means."""
    with sparktuner.as_hyperopt():
        if submodules:
            yield
            return
        function, below = sparktuner.fmin, dict(vars(sparktuner))
        for name in [name for name in sys.modules if name.startswith("hyperopt.")]:
            del sys.modules[name]
        sys.modules["hyperopt"] = sparktuner
        try:
            yield
        finally:
            # An import below the alias put copies of modules into the package.
            vars(sparktuner).update(below)
            sparktuner.fmin = function
