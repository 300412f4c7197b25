"""One call of the objective, on a worker or in this process, and what became of it."""

from __future__ import annotations

import os
import pickle
import socket
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Literal, TypedDict

from sparktuner.execute.worker._left import LeftFile
from sparktuner.execute.worker._pickling import find_unpicklable_part, type_name

_HALF = 20_000  # of the characters that are kept of a message


class Outcome(TypedDict, total=False):
    """A plain dict, which any process can unpickle, of what became of one call of the objective.

    Exactly one of ``value``, ``pickled`` and ``error`` is there.

    Attributes:
        host: name of the machine.
        executor: id of the Spark executor, or ``"driver"``.
        pid: process id.
        started: when the objective was called, naive UTC, by this machine's clock.
        duration: seconds inside the objective.
        value: what the objective returned.
        pickled: the same on its way to the driver.
        error: qualified type, message and traceback of what was raised.
        kind: beside ``error``, a value of ``FailureKind``, which workers lack: what was it that
            failed?
        exception: the exception itself, only where it was raised in this process.
        attached: by name, the bytes that the objective has attached.
        left: by name, what else it has attached, which is on the worker's disk.
        changed: True where the trial is seen to have changed what the objective captures.
    """

    host: str
    executor: str
    pid: int
    started: datetime
    duration: float
    value: object
    pickled: bytes
    error: tuple[str, str, str]
    kind: Literal["objective", "result", "argument"]
    attached: dict[str, bytes]
    left: dict[str, LeftFile]
    exception: BaseException
    changed: bool


def call(
    objective: Callable[[Any], object],
    argument: object,
    executor: str = "driver",
    stop: tuple[type[BaseException], ...] = (),
) -> Outcome:
    """Calls the objective and returns what became of it; its exceptions do not pass.

    Args:
        objective: the objective.
        argument: its only argument.
        executor: where this is, as the outcome shall say.
        stop: exceptions that pass nevertheless.
    """
    outcome: Outcome = {
        "host": socket.gethostname(),
        "executor": executor,
        "pid": os.getpid(),
        "started": datetime.now(timezone.utc).replace(tzinfo=None),
    }
    start = time.monotonic()
    try:
        outcome["value"] = objective(argument)
    except stop:
        raise
    except BaseException as error:
        # SystemExit and KeyboardInterrupt too: `sys.exit()` in an objective is the end of a
        # trial, not of the worker.
        outcome["error"] = describe(error)
        outcome["kind"] = "objective"
        outcome["exception"] = error
    outcome["duration"] = time.monotonic() - start
    return outcome


def describe(error: BaseException) -> tuple[str, str, str]:
    """Returns qualified type, message and traceback of ``error``, without our frames above it."""
    try:
        message = str(error)
    except BaseException as failure:  # a user's __str__ may raise, and call sys.exit()
        message = f"<its message could not be made: {failure!r}>"
    # The package that holds this one: the executors of the driver's process call us too.
    ours = os.path.dirname(os.path.dirname(describe.__code__.co_filename))
    inner = error.__traceback__
    while inner and inner.tb_frame.f_code.co_filename.startswith(ours + os.sep):
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


def encode(outcome: Outcome) -> bytes:
    """Returns the outcome as bytes; a value that cannot be pickled becomes an error."""
    outcome.pop("exception", None)
    if "value" in outcome:
        value = outcome.pop("value")
        try:
            outcome["pickled"] = _dumps(value)
        except Exception:  # whatever __reduce__ raises
            outcome["error"] = ("UnpicklableResult", _why_unpicklable(value), "")
            outcome["kind"] = "result"
    return pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)


def _why_unpicklable(value: object) -> str:
    found = find_unpicklable_part(value, _dumps)
    if found is None:
        return "The objective's result could not be pickled."
    return (
        f"The objective's result cannot be sent back: result{found.path} is a "
        f"{type_name(found.part)}, which cannot be pickled ({found.error}). Leave it out "
        "of the result, or return what describes it."
    )


def _dumps(value: object) -> bytes:
    """Pickle ``value``; classes and functions of the user's script travel by value."""
    try:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:  # pickle raises at least four kinds
        # On a worker, this module must do without the installed one.
        from pyspark import cloudpickle

        by_value: Callable[[object], bytes] = cloudpickle.dumps
        return by_value(value)


def decode(packed: bytes) -> Outcome:
    """Returns the outcome that :func:`encode` packed, with its value.

    A value that cannot be unpickled here becomes an error.
    """
    outcome: Outcome = pickle.loads(packed)
    if "pickled" in outcome:
        try:
            outcome["value"] = pickle.loads(outcome.pop("pickled"))
        except Exception as error:  # whatever __setstate__ raises
            name, message, text = describe(error)
            outcome["error"] = (
                "UnpicklableResult",
                f"The objective's result could not be unpickled on the driver: {name}: {message}",
                text,
            )
            outcome["kind"] = "result"
    return outcome
