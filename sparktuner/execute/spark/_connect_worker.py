"""The task of a trial on Spark Connect: what Spark calls in the worker process.

Shipped by value with every task, so it is small; what it needs more, beside it or in an
artifact, a worker process unpickles once.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pyspark import SparkFiles, TaskContext

from sparktuner.execute.spark._worker import REFUSED, is_refused, run_trial

# A worker process keeps this many objectives: two searches may take turns in it.
_KEPT = 2


def run_batches(
    name: str,
    inline: list[Any] | None,
    in_driver: bool,
    copies: bool,
    task: bytes,
    batches: Iterable[object],
) -> Iterator[Any]:
    """Run the trial whose pickled argument is ``task``; for ``mapInArrow``.

    Args:
        name: tells this search from others.
        inline: what ``pack_objective`` made; None where an artifact of this name holds it.
        in_driver: whether the server's JVM is the only executor (``local[...]``).
        copies: see :func:`is_refused`.
        task: the pickled argument.
        batches: the partition.

    Yields:
        One batch of one row, the encoded report; :data:`REFUSED` where Spark tries again by
        itself.
    """
    import pyarrow

    for _ in batches:  # Spark reuses a worker only if its task read the input to the end
        pass
    context = TaskContext.get()
    report = REFUSED
    if context is not None and not is_refused(context, copies):
        serve, shipped = _shipment(name, inline)
        report = run_trial(serve, shipped, task, in_driver)
    yield pyarrow.RecordBatch.from_pydict({"report": pyarrow.array([report], pyarrow.binary())})


def _shipment(name: str, inline: list[Any] | None) -> tuple[Any, list[Any]]:
    """Return the worker's part of sparktuner, and the list that holds the objective."""
    # This function comes anew with every task; `sys` stays for as long as the process.
    kept: dict[str, tuple[Any, list[Any]]] = vars(sys).setdefault("_sparktuner_shipments", {})
    if name not in kept:
        while len(kept) >= _KEPT:
            del kept[next(iter(kept))]
        serve, objective = inline or _artifact(name)
        kept[name] = (pickle.loads(serve), [objective])
    return kept[name]


def _artifact(name: str) -> list[Any]:
    with open(SparkFiles.get(name), "rb") as file:
        packed: list[Any] = pickle.load(file)
    return packed
