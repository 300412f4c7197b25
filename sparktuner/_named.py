"""What a command's user names as ``module:name``."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any


def imported(argument: str, path: str) -> Any:
    """Returns what ``module:name`` names; modules of the current folder can be imported.

    Args:
        argument: the command's, for messages.
        path: ``module:name``.

    Raises:
        ValueError: it is of another form, or the module has no such name.
        ImportError: the module cannot be imported.
    """
    module, colon, name = path.partition(":")
    if not module or not colon or not name:
        raise ValueError(f"{argument} must be module:name, such as model:space, got {path!r}")
    # As `python -m` has it: modules beside the user, not beside the command.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{argument}: module {module!r} cannot be imported here ({error}); it is looked for "
            "among the installed packages and in the current folder"
        ) from error
    for part in name.split("."):
        if not hasattr(found, part):
            close = difflib.get_close_matches(part, dir(found), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"{argument}: module {module!r} has no {name!r}{hint}")
        found = getattr(found, part)
    return found
