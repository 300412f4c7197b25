"""Runs a script for which ``import hyperopt`` is sparktuner."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from sparktuner.as_hyperopt import as_hyperopt


def main(arguments: list[str]) -> None:
    """Runs the script that comes first with the arguments that follow it."""
    if not arguments:
        sys.exit("usage: python -m sparktuner.as_hyperopt script.py [argument ...]")
    script = Path(arguments[0])
    if not script.is_file():
        sys.exit(f"sparktuner.as_hyperopt: there is no script {str(script)!r}")
    sys.argv = arguments
    sys.path[0] = str(script.resolve().parent)
    as_hyperopt()
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
