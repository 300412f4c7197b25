"""``import hyperopt`` is sparktuner: in this process, and on its Spark workers."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any

from sparktuner.pyll import base as nodes

# The release whose interface this is; programs compare it with older ones.
VERSION = "0.3.0"
_HOME = "hyperopt.pyll.base"
# Hyperopt has none of these. Packages are the inside of sparktuner, but for these two.
_NOT_HYPEROPTS = frozenset({"cli", "describing", "pytest_plugin", "testing"})
_PACKAGES = frozenset({"plotting", "pyll"})
# Needs a library that a program for Hyperopt may do without.
_LATER = "hyperopt.sklearn"


class as_hyperopt:
    """Lets ``import hyperopt``, and each of its modules, mean sparktuner from now on.

    Whether or not Hyperopt is installed. As a context manager it is undone when the block
    ends. Objectives that run on Spark workers meet it there too, where sparktuner must be
    installed. What is pickled with nodes of a space in it is read under the same name.

    Example:
        >>> import sparktuner
        >>> with sparktuner.as_hyperopt():
        ...     import hyperopt
        ...     from hyperopt.pyll.base import scope
        >>> hyperopt.__version__, hyperopt.Trials is sparktuner.Trials
        ('0.3.0', True)
    """

    def __init__(self) -> None:
        self._hidden = {n: sys.modules.pop(n) for n in list(sys.modules) if _is_hyperopt(n)}
        self._homes = {kind: kind.__module__ for kind in _node_classes()}
        sys.modules.update(_modules())
        # Libraries ask whether "hyperopt" is in a node's class.
        for kind in self._homes:
            kind.__module__ = _HOME

    def __enter__(self) -> as_hyperopt:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in [name for name in sys.modules if _is_hyperopt(name)]:
            del sys.modules[name]
        sys.modules.update(self._hidden)
        for node, home in self._homes.items():
            node.__module__ = home


def _is_hyperopt(name: str) -> bool:
    return name == "hyperopt" or name.startswith("hyperopt.")


def _node_classes() -> list[type]:
    kinds = [each for each in vars(nodes).values() if isinstance(each, type)]
    return [kind for kind in kinds if issubclass(kind, nodes.Apply)]


def _modules() -> dict[str, ModuleType]:
    """Hyperopt's modules by name: the package, and sparktuner's own below it."""
    own = importlib.import_module("sparktuner")
    top = [
        module.name
        for module in pkgutil.iter_modules(own.__path__)
        if module.name in _PACKAGES or not (module.ispkg or module.name in _NOT_HYPEROPTS)
    ]
    names = [*top, "pyll.base", "pyll.stochastic"]
    public = [f"sparktuner.{name}" for name in names if not name.startswith("_")]
    below = {n.replace("sparktuner", "hyperopt", 1): importlib.import_module(n) for n in public}
    package = ModuleType("hyperopt", own.__doc__)
    # First what is not there before it is used; the modules are, by now.
    members = {n: getattr(own, n) for n in own.__all__}
    top_names = {n: each for n, each in vars(own).items() if not n.startswith("_")} | members
    vars(package).update(top_names)
    # Workers get the objective by way of this; see Domain.objective.
    vars(package).update(__version__=VERSION, __path__=[], __all__=own.__all__, _shipped=Shipped)
    return {"hyperopt": package, _LATER: _Later(_LATER), **below}


class _Later(ModuleType):
    """A module of ours that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> object:
        # Whoever looks through all modules asks for these.
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        own = importlib.import_module(self.__name__.replace("hyperopt", "sparktuner", 1))
        return getattr(own, name)


class Shipped:
    """An objective that finds sparktuner under Hyperopt's name wherever it is unpickled."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn
        functools.update_wrapper(self, fn, updated=())

    def __call__(self, *args: Any) -> Any:
        return self.fn(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        # The first argument is unpickled before the objective, which may name a module.
        return _arrived, (_Alias(), self.fn)


class _Alias:
    """Turns the alias on where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _turn_on, ()


def _turn_on() -> None:
    if not hasattr(sys.modules.get("hyperopt"), "_shipped"):
        as_hyperopt()


def _arrived(alias: None, fn: Callable[..., Any]) -> Callable[..., Any]:
    return fn
