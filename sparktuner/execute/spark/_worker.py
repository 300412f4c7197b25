"""The task of a trial on Spark Classic: what Spark calls in the worker process.

Shipped by value with every task, so it is small; what it needs more is in the broadcast,
which a worker process unpickles once.
"""

from __future__ import annotations

import base64
import gc
import os
import pickle
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pyspark import TaskContext

if TYPE_CHECKING:
    from pyspark import Broadcast

# A job's local properties reach its task. So one RDD, pickled and analysed once, serves all
# trials, and only this property differs.
ARGUMENT_PROPERTY = "sparktuner.argument"
# The window decides what is tried again, by why it ended; Spark would try everything, 4 times
# on a cluster, and in local mode nothing.
REFUSED = b""
# A large report comes in pieces of this size: as one string, four of 50 MB are too much for a
# driver's JVM of 1 GB.
PIECE = 2**20
_FREEZES = 2


def run_task(
    broadcast: Broadcast[list[Any]], in_driver: bool, copies: bool, rows: Iterable[object]
) -> list[bytes]:
    """Run the trial whose argument is in the job's local properties.

    Args:
        broadcast: what ``pack_objective`` made.
        in_driver: whether the driver is the only executor (``local[...]``).
        copies: see :func:`is_refused`.
        rows: the partition.

    Returns:
        The encoded report in pieces, or :data:`REFUSED` where Spark tries again by itself.
    """
    for _ in rows:  # Spark reuses a worker only if its task read the input to the end
        pass
    context = TaskContext.get()
    if context is None or is_refused(context, copies):
        return [REFUSED]
    packed = base64.b64decode(context.getLocalProperty(ARGUMENT_PROPERTY) or "")
    # pyspark keeps this very list in the worker process as long as tasks ask for it.
    shipped = broadcast.value
    if isinstance(shipped[0], bytes):
        shipped[0] = pickle.loads(shipped[0])
    report = run_trial(shipped[0], shipped, packed, in_driver)
    return [report[i : i + PIECE] for i in range(0, len(report), PIECE)]


def is_refused(context: TaskContext, copies: bool) -> bool:
    """Whether this is an attempt that Spark made of its own accord.

    Args:
        context: of the task.
        copies: Spark may make another attempt while the first one runs, and then takes what
            comes first: the copy must run the trial as well.
    """
    return context.attemptNumber() > 0 and not copies


def run_trial(
    serve: Callable[..., bytes], shipped: list[Any], packed: bytes, in_driver: bool
) -> bytes:
    """Return the encoded report of ``serve``, in a worker process made fit for many trials."""
    _spare_collector(is_first=isinstance(shipped[-1], bytes))
    return serve(shipped, packed, "driver" if in_driver else _executor_id())


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
