"""What a worker is, told by itself."""

from __future__ import annotations

import platform
import socket
import sys
from collections.abc import Sequence
from typing import TypedDict

from sparktuner.execute.worker._probe import versions


class WorkerFacts(TypedDict):
    """The machine, the Python and the packages of a worker's process.

    Attributes:
        host: the machine's name.
        python: the version.
        executable: the interpreter's path.
        versions: by top-level module, the version of what is here.
    """

    host: str
    python: str
    executable: str
    versions: dict[str, str]


def worker_facts(packages: Sequence[str]) -> WorkerFacts:
    """Returns what this process is, as an objective can be called to tell.

    Args:
        packages: top-level modules whose versions are told, where they are here.
    """
    return {
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "versions": versions(packages),
    }
