"""``import hyperopt`` means sparktuner inside the block, as for a program that is moved over."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys
from collections.abc import Iterator

import sparktuner


def modules() -> list[str]:
    """Every public module of sparktuner, below its top, by dotted name."""
    found = pkgutil.walk_packages(sparktuner.__path__, "sparktuner.")
    return [m.name for m in found if "._" not in m.name and "pytest" not in m.name]


@contextlib.contextmanager
def hyperopt_is_sparktuner(submodules: bool = True) -> Iterator[None]:
    """Alias the package, and with ``submodules`` each of its modules, until the block ends."""
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_hyperopt(name)}
    function = sparktuner.fmin
    sys.modules["hyperopt"] = sparktuner
    if submodules:
        for name in modules():
            alias = name.replace("sparktuner", "hyperopt", 1)
            sys.modules[alias] = importlib.import_module(name)
    sparktuner.fmin = function
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_hyperopt(name)]:
            del sys.modules[name]
        sys.modules.update(hidden)
        sparktuner.fmin = function


def _is_hyperopt(name: str) -> bool:
    return name == "hyperopt" or name.startswith("hyperopt.")
