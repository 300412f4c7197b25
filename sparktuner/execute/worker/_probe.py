"""What a worker has, and what it lacks, of that which the objective needs."""

from __future__ import annotations

import dis
import functools
import importlib.metadata
import importlib.util
import sys
import types
from collections.abc import Iterable
from typing import TypedDict

_NO_PACKAGES = sys.stdlib_module_names | {"__main__", "sparktuner"}


class ProbeResult(TypedDict):
    """The modules that an unpickled objective finds in this process, and those that it lacks.

    Attributes:
        missing: modules that import statements inside the objective name, and that are not
            here. Some may be optional: an ``import`` in a ``try``, or in a branch that is never
            taken.
        versions: by top-level module, the version of what is here.
    """

    missing: list[str]
    versions: dict[str, str]


def probe(objective: object, packages: Iterable[str]) -> ProbeResult:
    """Returns what an unpickled objective finds here, without calling it.

    Args:
        objective: the objective.
        packages: top-level modules that its pickle names; their versions are told too.
    """
    names = _imported_by(objective)
    return {
        "missing": sorted(name for name in names if not _is_there(name)),
        "versions": versions({*names, *packages}),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Returns the versions of those top-level modules that have one here, by module."""
    found = {name: _version(name, [name]) for name in packages if name not in _NO_PACKAGES}
    unknown = [name for name, version in found.items() if not version and name not in sys.modules]
    if any(_is_there(name) for name in unknown):
        # scikit-learn is the distribution of sklearn; to read them all takes a while.
        distributions = importlib.metadata.packages_distributions()
        found |= {name: _version(name, distributions.get(name, ())) for name in unknown}
    return {name: version for name, version in found.items() if version}


def _version(name: str, distributions: Iterable[str]) -> str:
    known = getattr(sys.modules.get(name), "__version__", None)
    if isinstance(known, str):
        return known
    for distribution in distributions:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def _imported_by(objective: object) -> set[str]:
    # The code is read, not run: an import inside of it is told before the first trial.
    while isinstance(objective, functools.partial):
        objective = objective.func
    if not hasattr(objective, "__code__") and not hasattr(objective, "__func__"):
        objective = type(objective).__call__
    code = getattr(getattr(objective, "__func__", objective), "__code__", None)
    return set() if code is None else _imported(code)


def _imported(code: types.CodeType) -> set[str]:
    """The top-level names of what a function, and those defined in it, import absolutely."""
    names: set[str] = set()
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME" and instruction.argval:
            names.add(str(instruction.argval).split(".")[0])
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _imported(constant)
    return names


def _is_there(name: str) -> bool:
    if name in sys.modules:
        return True  # find_spec raises where a module has no __spec__
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
