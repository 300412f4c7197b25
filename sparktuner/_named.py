"""What a command's user names as ``module:name``."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any


def imported(path: str) -> Any:
    """Returns what ``module:name`` names; modules of the current folder can be imported.

    Raises:
        ValueError: it is of another form, or the module has no such name.
        ImportError: the module cannot be imported.
    """
    module, colon, name = path.partition(":")
    if not module or not colon or not name:
        raise ValueError(f"expected module:name, got {path!r}")
    # As `python -m` has it: modules beside the user, not beside the command.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"module {module!r} has no {name!r}")
        found = getattr(found, part)
    return found
