"""Optional dependencies, imported when they are used."""

from __future__ import annotations

import importlib
from typing import Any

from sparktuner.errors import MissingExtra


def optional(name: str) -> Any:
    """Returns an optional package, whose extra has its name.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra(f"{name} is not installed: pip install 'sparktuner[{name}]'") from error
