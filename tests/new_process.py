"""Programs in a Python of their own: those that stop or kill their Spark, or need another one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from sparktuner.testing import conf_directory

PRELUDE = """
import os, signal, sys, threading, time
from sparktuner.execute import Cancelled, Failed, Finished, SlotChanged, Submission
from sparktuner.execute.spark import active_session, make_executor
from sparktuner.testing import local_spark
from tests.waiting import last_events, wait_until_running

def start_two(spark):
    executor = make_executor(spark, lambda seconds: time.sleep(seconds), 2)
    executor.submit(Submission(0, 0.0))
    last_events(executor, 1)
    for tid in (1, 2):
        executor.submit(Submission(tid, 600.0))
    wait_until_running(executor, 1, 2)
    return executor
"""


def in_new_process(
    program: str, environment: Mapping[str, str] | None = None, timeout: float = 240.0
) -> subprocess.CompletedProcess[str]:
    """Run a program after ``PRELUDE``, and return what it printed.

    Args:
        program: Python.
        environment: variables beside this process's own.
        timeout: seconds.
    """
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + program],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={
            # Thread limits of this process are no setting of the program's user.
            **{k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")},
            "SPARK_CONF_DIR": str(conf_directory()),
            "PYTHONPATH": os.pathsep.join([path for path in sys.path if path]),
            **(environment or {}),
        },
        check=False,
    )
