"""The task of one trial on a worker, from its bytes to the bytes of its outcome."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any, TypeAlias, TypedDict, cast

from sparktuner.execute.worker._attached import Attachments
from sparktuner.execute.worker._current import CurrentTrial, entered, task_addresses
from sparktuner.execute.worker._native_threads import limit_threads
from sparktuner.execute.worker._opened import OpenedObjective
from sparktuner.execute.worker._outcome import Outcome, call, encode
from sparktuner.execute.worker._probe import probe

# In place of a task: do not call the objective, only see whether it could be called.
PROBE_TASK = b""

# Its last item is the pickled objective and, from the first task of the process on, the
# objective itself. pyspark keeps a broadcast's list, so the list is the place to keep it.
Shipped: TypeAlias = list[Any]


class Ticket(TypedDict, total=False):
    """The trial that a task runs, in the words of :class:`CurrentTrial`."""

    tid: int
    seed: int
    attempt: int


# The objective, its argument, and whose it is.
_Work: TypeAlias = tuple[OpenedObjective, object, Ticket]
_NO_TICKET: Ticket = {"tid": -1, "seed": 0}


def pack_task(argument: bytes, tid: int, seed: int, attempt: int) -> bytes:
    """Returns what :func:`serve` takes: a pickled argument, and the trial whose it is."""
    ticket: Ticket = {"tid": tid, "seed": seed, "attempt": attempt}
    return argument + pickle.dumps(ticket)


def serve(
    shipped: Shipped,
    task: bytes,
    executor: str,
    omp: str = "",
    packages: Iterable[str] = (),
) -> bytes:
    """Runs one trial on a worker and returns its encoded outcome.

    Args:
        shipped: its last item is the pickled objective, and from the first call on, for as
            long as this process keeps the list, the objective itself.
        task: what :func:`pack_task` made, or :data:`PROBE_TASK`, for which the outcome's value
            is what :func:`probe` returns.
        executor: id of the Spark executor, for the outcome.
        omp: ``OMP_NUM_THREADS`` as the user set it; empty if not at all.
        packages: top-level modules that the pickled objective names.
    """
    limit_threads(omp)  # before the objective brings libraries with it
    opened = call(_open, (shipped, task), executor)
    if "error" in opened:
        return encode(_unopened(opened))
    held, argument, ticket = cast("_Work", opened["value"])
    if task == PROBE_TASK:
        return encode(call(partial(probe, packages=packages), held.objective, executor))
    attached = Attachments()
    with entered(CurrentTrial(**ticket, addresses=task_addresses(), _keep=attached.keep)):
        outcome = call(held.objective, argument, executor)
    attached.go_with(outcome)
    if held.has_changed():
        outcome["changed"] = True
    return encode(outcome)


def _open(received: tuple[Shipped, bytes]) -> _Work:
    shipped, packed = received
    if isinstance(shipped[-1], bytes):
        shipped[-1] = OpenedObjective(shipped[-1])
    if packed == PROBE_TASK:
        return shipped[-1], None, {}
    # Two pickles, one after the other: the argument was pickled before its ticket was known.
    task = io.BytesIO(packed)
    argument = pickle.load(task)
    ticket = task.read()
    return shipped[-1], argument, pickle.loads(ticket) if ticket else _NO_TICKET


def _unopened(outcome: Outcome) -> Outcome:
    name, message, text = outcome["error"]
    outcome["kind"] = "argument"
    outcome["error"] = (
        name,
        f"The objective, or its argument, could not be unpickled on the worker {outcome['host']} "
        f"by {sys.executable}: {message}. What it imports must be installed there, in the "
        "versions that the driver has. Modules of your own can be sent along: spark-submit "
        "--py-files, or cloudpickle.register_pickle_by_value(module) before the search.",
        text,
    )
    return outcome
