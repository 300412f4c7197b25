"""What Spark Connect calls in the worker process.

Shipped with every task, so it is small; what it needs more, beside it or in an artifact, a
worker process unpickles once.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from sparktuner.execute.worker._left import take
from sparktuner.execute.worker._process import NOT_RUN, is_repeated_by_spark, run_trial

if TYPE_CHECKING:
    import pyarrow

    # `serve`, and the list that holds the objective.
    Unpacked: TypeAlias = tuple[Callable[..., bytes], list[Any]]

# A worker process keeps this many objectives: two searches may take turns in it.
_KEPT = 2


def run_connect_task(
    name: str,
    inline: list[bytes] | None,
    in_driver: bool,
    speculates: bool,
    task: bytes,
    batches: Iterable[object],
) -> Iterator[pyarrow.RecordBatch]:
    """Runs the trial that ``task`` describes; for ``mapInArrow``.

    Args:
        name: tells this search from others.
        inline: what ``pack_objective`` made; None where an artifact of this name holds it.
        in_driver: whether the server's JVM is the only executor (``local[...]``).
        speculates: see :func:`is_repeated_by_spark`.
        task: what ``pack_task`` made.
        batches: the partition.

    Yields:
        One batch of one row and one column: the encoded outcome, or :data:`NOT_RUN` where Spark
        tries again by itself.
    """
    import pyarrow
    from pyspark import TaskContext

    for _ in batches:  # Spark reuses a worker only if its task read the input to the end
        pass
    context = TaskContext.get()
    outcome = NOT_RUN
    if context is not None and not is_repeated_by_spark(context, speculates):
        serve, shipped = _unpacked(name, inline)
        outcome = run_trial(serve, shipped, task, in_driver)
    yield pyarrow.RecordBatch.from_pydict({"outcome": pyarrow.array([outcome], pyarrow.binary())})


def run_connect_take(request: bytes, batches: Iterable[object]) -> Iterator[pyarrow.RecordBatch]:
    """Takes a piece of a file that a trial has left; for ``mapInArrow``.

    Args:
        request: what :func:`take` is called with, pickled.
        batches: the partition.

    Yields:
        One batch of one row and one column, or nothing where the file is not here.
    """
    import pyarrow

    for _ in batches:  # as above
        pass
    piece = take(*pickle.loads(request))
    if piece:
        yield pyarrow.RecordBatch.from_pydict(
            {"outcome": pyarrow.array([piece], pyarrow.binary())}
        )


def _unpacked(name: str, inline: list[bytes] | None) -> Unpacked:
    # This function comes anew with every task; `sys` stays for as long as the process.
    kept: dict[str, Unpacked] = vars(sys).setdefault("_sparktuner_shipments", {})
    if name not in kept:
        while len(kept) >= _KEPT:
            del kept[next(iter(kept))]
        serve, objective = inline or _artifact(name)
        kept[name] = (pickle.loads(serve), [objective])
    return kept[name]


def _artifact(name: str) -> list[bytes]:
    from pyspark import SparkFiles

    with open(SparkFiles.get(name), "rb") as file:
        packed: list[bytes] = pickle.load(file)
    return packed
