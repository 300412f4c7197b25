"""Spark's own output, which would end up in the cells of a notebook."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path

_log = logging.getLogger("sparktuner")

# Characters of the end of the file that an error quotes.
_QUOTED = 2000


def in_kernel() -> bool:
    """Returns whether this process is the kernel of a notebook."""
    # Asked of what is loaded already, because it may not be installed.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def launch_quietly() -> None:
    """Launches Spark's JVM in this process, with its output in a file.

    A kernel shows whatever its process and those that it has launched write, in the cell that
    runs just then: Spark's warnings, what objectives print on local workers, and the
    complaints of workers whose trial was stopped.

    Raises:
        RuntimeError: it does not start; the message has the end of the file.
    """
    from pyspark import SparkContext
    from pyspark.java_gateway import launch_gateway

    descriptor, name = tempfile.mkstemp(prefix="sparktuner-spark-", suffix=".log")
    with os.fdopen(descriptor, "wb") as file:
        try:
            gateway = launch_gateway(  # type: ignore[no-untyped-call]
                popen_kwargs={"stdout": file, "stderr": file}
            )
        except Exception as error:  # pyspark's own, which says no more than that it failed
            text = Path(name).read_text(errors="replace")[-_QUOTED:].strip()
            raise RuntimeError(f"{error}; its output ends with:\n{text}") from error
    SparkContext._ensure_initialized(gateway=gateway)
    _log.info("what Spark and its local workers print is in %s", name)
