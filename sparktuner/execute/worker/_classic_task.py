"""What Spark Classic calls in the worker process.

Shipped with every task, so it is small; what it needs more is in the broadcast, which a worker
process unpickles once.
"""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sparktuner.execute.worker._left import take
from sparktuner.execute.worker._process import NOT_RUN, is_repeated_by_spark, run_trial

if TYPE_CHECKING:
    from pyspark import Broadcast

# A job's local properties reach its task. So one RDD, pickled and analysed once, serves all
# trials, and only this property differs.
TASK_PROPERTY = "sparktuner.argument"
# A large outcome comes in pieces of this size: as one string, four of 50 MB are too much for a
# driver's JVM of 1 GB.
PIECE_BYTES = 2**20


def run_classic_task(
    broadcast: Broadcast[list[Any]], in_driver: bool, speculates: bool, rows: Iterable[object]
) -> list[bytes]:
    """Runs the trial whose task is in the job's local properties; for ``mapPartitions``.

    Args:
        broadcast: what ``pack_objective`` made.
        in_driver: whether the driver's JVM is the only executor (``local[...]``).
        speculates: see :func:`is_repeated_by_spark`.
        rows: the partition.

    Returns:
        The encoded outcome in pieces, or :data:`NOT_RUN` where Spark tries again by itself.
    """
    from pyspark import TaskContext

    for _ in rows:  # Spark reuses a worker only if its task read the input to the end
        pass
    context = TaskContext.get()
    if context is None or is_repeated_by_spark(context, speculates):
        return [NOT_RUN]
    task = base64.b64decode(context.getLocalProperty(TASK_PROPERTY) or "")
    # pyspark keeps this very list in the worker process as long as tasks ask for it.
    shipped = broadcast.value
    if isinstance(shipped[0], bytes):
        shipped[0] = pickle.loads(shipped[0])
    outcome = run_trial(shipped[0], shipped, task, in_driver)
    return [outcome[i : i + PIECE_BYTES] for i in range(0, len(outcome), PIECE_BYTES)]


def run_classic_take(rows: Iterable[object]) -> list[bytes]:
    """Takes a piece of a file that a trial has left; for ``mapPartitions``.

    Which one is in the job's local properties: what :func:`take` is called with, pickled.

    Returns:
        The piece in pieces, or nothing where the file is not here.
    """
    from pyspark import TaskContext

    for _ in rows:  # as above
        pass
    context = TaskContext.get()
    if context is None:
        return []
    request = base64.b64decode(context.getLocalProperty(TASK_PROPERTY) or "")
    piece = take(*pickle.loads(request))
    return [piece[i : i + PIECE_BYTES] for i in range(0, len(piece), PIECE_BYTES)]
