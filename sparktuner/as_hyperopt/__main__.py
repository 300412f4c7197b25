"""Runs a script or a module for which ``import hyperopt`` is sparktuner."""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path

from sparktuner.as_hyperopt import as_hyperopt

_USAGE = "python -m sparktuner.as_hyperopt [-m module | script.py] [argument ...]"


def main(arguments: list[str]) -> None:
    """Runs the script, or after ``-m`` the module, with the arguments that follow it."""
    if not arguments or arguments == ["-m"]:
        sys.exit(f"usage: {_USAGE}")
    if arguments[0] == "-m":
        _run_module(arguments[1:])
    else:
        _run_script(arguments)


def _run_module(arguments: list[str]) -> None:
    module = arguments[0]
    # As with Python's own -m, modules are looked for in the directory of the caller.
    sys.path[0] = str(Path.cwd())
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        sys.exit(f"sparktuner.as_hyperopt: there is no module {module!r}")
    sys.argv = arguments
    as_hyperopt()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _run_script(arguments: list[str]) -> None:
    script = Path(arguments[0])
    if not script.is_file():
        sys.exit(f"sparktuner.as_hyperopt: there is no script {str(script)!r}")
    sys.argv = arguments
    sys.path[0] = str(script.resolve().parent)
    as_hyperopt()
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
