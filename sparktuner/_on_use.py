"""Members of a package that are imported when somebody asks for them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType


def import_on_use(package: str, members: Mapping[str, str]) -> None:
    """Lets a package import its members, and its modules, when they are asked for.

    Args:
        package: its name.
        members: name -> the module that it is in.
    """
    # A class, as a function __getattr__ in the package would hide misspelt names from mypy.
    kind = type("Package", (_Package,), {"members": members})
    sys.modules[package].__class__ = kind


class _Package(ModuleType):
    members: Mapping[str, str]

    def __getattr__(self, name: str) -> object:
        if name in self.members:
            value = getattr(importlib.import_module(self.members[name]), name)
            self.__dict__[name] = value
            return value
        if name.startswith("_"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        module = f"{self.__name__}.{name}"
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:  # the module is there, and misses another one
                raise
            raise AttributeError(
                f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self
            ) from None

    def __setattr__(self, name: str, value: object) -> None:
        # Python sets each module that it imports; a member of that name goes before it.
        if not (name in self.members and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> Iterable[str]:
        return sorted({*super().__dir__(), *self.members, *vars(self).get("__all__", ())})

    def __reduce__(self) -> tuple[object, ...]:
        # cloudpickle knows modules, but none of a class derived from theirs.
        return importlib.import_module, (self.__name__,)
