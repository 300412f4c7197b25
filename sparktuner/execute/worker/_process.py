"""The Python process of a Spark worker: which attempt it runs, and how it stays fast."""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark import TaskContext

# In place of an outcome: Spark repeated the task of its own accord, and it was not run. The
# executor decides what is tried again, by why it ended; Spark would try everything, 4 times
# on a cluster, and in local mode nothing.
NOT_RUN = b""
_FREEZES = 2


def is_repeated_by_spark(context: TaskContext, speculates: bool) -> bool:
    """Returns whether this is an attempt that Spark made of its own accord, and is not to run.

    Args:
        context: of the task.
        speculates: Spark may make another attempt while the first one runs, and then takes
            what comes first: the copy must run the trial as well.
    """
    return context.attemptNumber() > 0 and not speculates


def run_trial(
    serve: Callable[[list[Any], bytes, str], bytes],
    shipped: list[Any],
    task: bytes,
    in_driver: bool,
) -> bytes:
    """Runs one trial and returns its encoded outcome; makes the process fit for many trials.

    Args:
        serve: the function of that name, unpickled once in this process.
        shipped: the list whose last item is the objective.
        task: which trial to run.
        in_driver: whether the driver's JVM is the only executor (``local[...]``).
    """
    _spare_collector(is_first=isinstance(shipped[-1], bytes))
    return serve(shipped, task, "driver" if in_driver else _executor_id())


def _spare_collector(is_first: bool) -> None:
    """Before an objective's second and third trial, exempt what is there from collection.

    Spark's daemon collects garbage after each task, in 25 ms and more once pyarrow or
    scikit-learn is imported; so nothing that is there before a task is garbage. The third
    trial's turn is for what the objective imports when it is called, where the first task was
    the probe. What an earlier search left behind is exempt no longer.
    """
    kept = vars(sys)
    seen = kept["_sparktuner_seen"] = 0 if is_first else kept.get("_sparktuner_seen", 0) + 1
    if hasattr(gc, "freeze"):  # CPython
        if seen == 0:
            gc.unfreeze()
        elif seen <= _FREEZES:
            gc.freeze()


def _executor_id() -> str:
    """Return the executor's id as far as its environment tells.

    Kubernetes has it in a variable; YARN has the container's id, which is as good; a
    standalone worker starts its executors in ``work/<application>/<id>``.
    """
    for name in ("SPARK_EXECUTOR_ID", "CONTAINER_ID"):
        if os.environ.get(name):
            return os.environ[name]
    folder = re.search(r"/app-[^/]+/(\d+)(?:/|$)", os.getcwd())
    return folder.group(1) if folder else ""
