"""Modules that are pickled by value for a while, as workers lack them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

import cloudpickle


class ByValue:
    """The modules of one cloudpickle's registry that belong there for a while.

    The registry is the process's, and searches may run side by side: a module stays in it until
    nobody wants it there any more, and what a user has put there stays.

    Args:
        pickler: the cloudpickle; pyspark brings one of its own.
    """

    def __init__(self, pickler: ModuleType) -> None:
        self._register: Callable[[ModuleType], None] = pickler.register_pickle_by_value
        self._unregister: Callable[[ModuleType], None] = pickler.unregister_pickle_by_value
        self._registered: Callable[[], set[str]] = pickler.list_registry_pickle_by_value
        self._wanted: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, modules: Iterable[ModuleType]) -> Iterator[None]:
        """Keeps modules in the registry for a block; a package stands for all modules in it."""
        added = self._add({module.__name__: module for module in modules})
        try:
            yield
        finally:
            self._remove(added)

    def _add(self, modules: dict[str, ModuleType]) -> Sequence[ModuleType]:
        """Registers what the user has not; returns what is to be removed again."""
        with self._lock:
            registered = self._registered()
            added = [
                module
                for name, module in modules.items()
                if self._wanted[name] or name not in registered
            ]
            for module in added:
                self._register(module)
                self._wanted[module.__name__] += 1
            return added

    def _remove(self, added: Sequence[ModuleType]) -> None:
        with self._lock:
            for module in added:
                self._wanted[module.__name__] -= 1
                if not self._wanted[module.__name__] and module.__name__ in self._registered():
                    self._unregister(module)


_INSTALLED = ByValue(cloudpickle)


@contextmanager
def modules_by_value(*modules: ModuleType) -> Iterator[None]:
    """Lets the installed cloudpickle ship modules by value for a block, from any thread."""
    with _INSTALLED.holding(modules):
        yield
