"""One call of the objective, on a worker or in this process, and its report.

This module and those that it imports are shipped to the workers by value, so that a worker
needs Python, pyspark and what the objective imports, but no sparktuner. Hence: nothing here may
import the rest of sparktuner, and reports are plain dicts.
"""

from __future__ import annotations

import io
import os
import pickle
import socket
import time
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypedDict

from sparktuner.execute._current import CurrentTrial, entered, task_addresses
from sparktuner.execute._pickling import find_offender, type_name
from sparktuner.execute._probe import look_around
from sparktuner.execute._threads import limit_threads

# In place of an argument: do not call the objective, only see whether it could be.
PROBE = b""
_HALF = 20_000  # of the characters that are kept of a message
_NO_TICKET = {"tid": None, "seed": 0}


class Report(TypedDict, total=False):
    """What is known of one call of the objective.

    Exactly one of ``value``, ``pickled`` (a value that travels) and ``error`` is there.
    """

    host: str
    executor: str
    pid: int
    started: datetime
    duration: float
    value: Any
    pickled: bytes
    error: tuple[str, str, str]  # qualified type, message, traceback
    exception: BaseException  # only where it was raised in this process


def call(
    objective: Callable[[Any], Any],
    argument: Any,
    executor: str = "driver",
    stop: tuple[type[BaseException], ...] = (),
) -> Report:
    """Call the objective and report how it went; its exceptions do not pass.

    Args:
        objective: the objective.
        argument: its only argument.
        executor: where this is, as the report shall say.
        stop: exceptions that pass nevertheless.
    """
    report: Report = {
        "host": socket.gethostname(),
        "executor": executor,
        "pid": os.getpid(),
        "started": datetime.now(timezone.utc).replace(tzinfo=None),
    }
    start = time.monotonic()
    try:
        report["value"] = objective(argument)
    except stop:
        raise
    except BaseException as error:
        # SystemExit and KeyboardInterrupt too: `sys.exit()` in an objective is the end of a
        # trial, not of the worker.
        report["error"] = describe(error)
        report["exception"] = error
    report["duration"] = time.monotonic() - start
    return report


def describe(error: BaseException) -> tuple[str, str, str]:
    """Return (qualified type, message, traceback) of ``error``, without our frames above it."""
    try:
        message = str(error)
    except BaseException as failure:  # a user's __str__ may raise, and call sys.exit()
        message = f"<its message could not be made: {failure!r}>"
    here = os.path.dirname(describe.__code__.co_filename)
    inner = error.__traceback__
    while inner and os.path.dirname(inner.tb_frame.f_code.co_filename) == here:
        inner = inner.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, inner))
    except BaseException:
        text = "".join(traceback.format_tb(inner))
    return type_name(error), _shortened(message), _shortened(text)


def _shortened(text: str) -> str:
    """The beginning and the end of a long text: one of 100 MB would end a driver's JVM."""
    omitted = len(text) - 2 * _HALF
    if omitted <= 0:
        return text
    return f"{text[:_HALF]}\n… ({omitted:,} characters are left out) …\n{text[-_HALF:]}"


def serve(
    shipped: list[Any],
    packed: bytes,
    executor: str,
    omp: str = "",
    packages: Iterable[str] = (),
) -> bytes:
    """Run one trial on a worker.

    Args:
        shipped: its last item is the pickled objective, and from the first call on, for as
            long as this process keeps the list, the objective itself.
        packed: what :func:`pack_task` made, or :data:`PROBE`, to which the report's value is what
            :func:`look_around` returns.
        executor: for the report.
        omp: ``OMP_NUM_THREADS`` as the user set it.
        packages: top-level modules that the pickled objective names.

    Returns:
        An encoded report.
    """
    limit_threads(omp)  # before the objective brings libraries with it
    opened = call(_open, (shipped, packed), executor)
    if "error" in opened:
        return encode(_unopened(opened))
    objective, argument, ticket = opened["value"]
    if packed == PROBE:
        probe = partial(look_around, packages=packages)
        return encode(call(probe, objective, executor))
    with entered(CurrentTrial(**ticket, addresses=task_addresses())):
        return encode(call(objective, argument, executor))


def pack_task(argument: bytes, tid: Any, seed: int, attempt: int) -> bytes:
    """Return what :func:`serve` takes: a pickled argument, and whose it is."""
    return argument + pickle.dumps({"tid": tid, "seed": seed, "attempt": attempt})


def _open(
    shipment: tuple[list[Any], bytes],
) -> tuple[Callable[[Any], Any], Any, dict[str, Any]]:
    shipped, packed = shipment
    if isinstance(shipped[-1], bytes):
        shipped[-1] = pickle.loads(shipped[-1])
    if packed == PROBE:
        return shipped[-1], None, {}
    task = io.BytesIO(packed)
    argument = pickle.load(task)
    ticket = task.read()
    return shipped[-1], argument, pickle.loads(ticket) if ticket else _NO_TICKET


def _unopened(report: Report) -> Report:
    kind, message, text = report["error"]
    report["error"] = (
        kind,
        f"The objective, or its argument, could not be unpickled on the worker {report['host']}: "
        f"{message}. What it imports must be installed there, in the versions that the driver "
        "has. Modules of your own can be sent along: spark-submit --py-files, or "
        "cloudpickle.register_pickle_by_value(module) before the search.",
        text,
    )
    return report


def encode(report: Report) -> bytes:
    """Return the report as bytes; a value that cannot be pickled becomes an error."""
    report.pop("exception", None)
    if "value" in report:
        value = report.pop("value")
        try:
            report["pickled"] = dumps(value)
        except Exception:  # whatever __reduce__ raises
            report["error"] = ("UnpicklableResult", _refusal(value), "")
    return pickle.dumps(report, protocol=pickle.HIGHEST_PROTOCOL)


def _refusal(value: Any) -> str:
    offender = find_offender(value, dumps)
    if offender is None:
        return "The objective's result could not be pickled."
    return (
        f"The objective's result cannot be sent back: result{offender.path} is a "
        f"{type_name(offender.part)}, which cannot be pickled ({offender.error}). Leave it out "
        "of the result, or return what describes it."
    )


def dumps(value: Any) -> bytes:
    """Pickle ``value``; classes and functions of the user's script travel by value."""
    try:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:  # pickle raises at least four kinds
        # On a worker, this module must do without the installed one.
        from pyspark import cloudpickle

        by_value: Callable[[Any], bytes] = cloudpickle.dumps
        return by_value(value)


def decode(packed: bytes) -> Report:
    """Return the report that :func:`encode` made, with its value.

    A value that cannot be unpickled here becomes an error.
    """
    report: Report = pickle.loads(packed)
    if "pickled" in report:
        try:
            report["value"] = pickle.loads(report.pop("pickled"))
        except Exception as error:  # whatever __setstate__ raises
            kind, message, text = describe(error)
            report["error"] = (
                "UnpicklableResult",
                f"The objective's result could not be unpickled on the driver: {kind}: {message}",
                text,
            )
    return report
