"""What went wrong with a Spark job, told apart by what Spark's exceptions say."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence

from sparktuner.execute.spark._transport import JobFailed
from sparktuner.status import FailureKind

# Told by words, which differ between Spark's versions and between Classic and Connect: most of
# these have no error class.
_STOPPED = re.compile(
    r"SparkContext was shut down|stopped SparkContext|SparkContext has been shutdown"
    r"|SparkContext is stopped|SparkContext was stopped"
    # Spark Connect: the session, the server, or the way to it is gone.
    r"|NO_ACTIVE_SESSION|INVALID_HANDLE\.SESSION|SESSION_CLOSED|closed channel|Channel closed"
    r"|StatusCode\.UNAVAILABLE|RETRIES_EXCEEDED|failed to connect to all addresses"
    r"|Socket closed|RST_STREAM"
)
_CANCELLED = re.compile(
    r"SPARK_JOB_CANCELLED|Job \d+ cancelled|was cancelled|Task was killed|OPERATION_CANCELED"
)
_NO_FILES = re.compile(r"Too many open files|No file descriptors available")
_DIED = re.compile(
    r"Python worker exited unexpectedly|Python worker failed to connect back"
    r"|ExecutorLostFailure|Slave lost|Worker lost|executor .* exited|Connection reset"
)
_LOST = re.compile(
    r"ExecutorLostFailure|Slave lost|Worker lost|executor .* exited|Executor decommission"
    r"|Remote RPC client disassociated|Lost executor"
)
_PLACE = re.compile(r"Lost task [^()]*\(TID \d+\) \((\S+) executor [^)]*\)")
_LAST_REASON = re.compile(r"most recent failure:\s*(?:Lost task [^:]*(?:\([^)]*\))*:)?\s*(.*)")
_ADVICE = re.compile(r"\s*Consider setting 'spark\..*")
_JAVA_CLASS = re.compile(r"^(?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error):\s*")

GONE = (
    "The SparkSession was stopped, or its JVM is gone, while trials were running. Results that "
    "came back are kept; make a new session and go on with the same trials object."
)

# A chain of causes may be a cycle.
_MAX_CAUSES = 10
_RAISE_THE_LIMIT = (
    "The driver's process is out of file descriptors, of which each trial in flight needs some. "
    "Raise the limit before the driver starts (ulimit -n 4096), or lower parallelism. Said: "
)


def failed_in_driver(error: BaseException) -> JobFailed | None:
    """Returns what an error of the driver's own process means; None where it is out of nothing.

    The session may be well, and cannot be asked: that needs a descriptor too.
    """
    said = _chain(error)
    if not _NO_FILES.search(said):
        return None
    last = said.strip().splitlines()[-1]
    return JobFailed(FailureKind.SPARK, _RAISE_THE_LIMIT + last, said, error_type="OSError")


def named(error: BaseException) -> JobFailed:
    """Returns the failure that an error on the driver's side is, under the error's own name.

    py4j hides what was wrong behind an error of the network's.
    """
    cause = error
    for _ in range(_MAX_CAUSES):
        cause = cause.__cause__ or cause
    kind = type(cause).__name__
    return JobFailed(
        FailureKind.SPARK,
        f"The trial could not be handed to Spark: {kind}: {cause}",
        _chain(error),
        error_type=kind,
    )


def _chain(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def classify(text: str, causes: Sequence[tuple[str, str]]) -> JobFailed:
    """Returns what went wrong, by what Spark's exceptions say.

    Args:
        text: all that they say.
        causes: (type, message) of each, the outermost one first.
    """
    # The order matters: "Job 0 cancelled because SparkContext was shut down" is the latter.
    if _STOPPED.search(text) and not _NO_FILES.search(text):
        return JobFailed(FailureKind.SESSION_GONE, GONE, text)
    if _DIED.search(text):
        place = _PLACE.search(text)
        return worker_died(_reason(causes), place.group(1) if place else "")
    if "PythonException" in text and "Traceback" in text:
        return _python_failure(text)
    if _CANCELLED.search(text):
        return JobFailed(
            FailureKind.JOB_CANCELLED, f"The trial's Spark job was cancelled: {_reason(causes)}"
        )
    return JobFailed(FailureKind.SPARK, _reason(causes), text, error_type=causes[-1][0])


def worker_died(reason: str, host: str = "") -> JobFailed:
    """Returns the failure of a trial whose worker process, or executor, ended.

    Args:
        reason: why, in Spark's words; tells a lost executor from a dead process.
        host: where the task ran; empty where that is not known.
    """
    if _LOST.search(reason):
        return JobFailed(
            FailureKind.WORKER_DIED,
            "The executor that ran the trial, or its host, was lost. Spark says: "
            f"{_sentence(reason)}",
            host=host,
            is_lost=True,
        )
    return JobFailed(
        FailureKind.WORKER_DIED,
        "The worker process ended while it ran the trial: the objective exited it, a native "
        "library crashed, or it was killed, most often for memory. Spark says: "
        f"{_sentence(reason)}",
        host=host,
    )


def worker_vanished() -> JobFailed:
    """Returns the failure of a trial whose first attempt ended where Spark does not tell how."""
    return JobFailed(
        FailureKind.WORKER_DIED,
        "The trial's worker process ended while it ran the trial, or its executor was lost: "
        "this kind of session does not tell which.",
    )


def _python_failure(text: str) -> JobFailed:
    """A Python error on the worker outside the objective, e.g. another Python version."""
    remote = text[text.index("Traceback") :]
    # Behind Python's traceback comes the JVM's.
    remote = re.split(r"\n\tat |\n SQLSTATE", remote, maxsplit=1)[0].rstrip()
    last = remote.splitlines()[-1]
    name, _, message = last.partition(":")
    return JobFailed(FailureKind.SPARK, message.strip() or last, remote, error_type=name.strip())


def _reason(causes: Sequence[tuple[str, str]]) -> str:
    """The failure of the task's last attempt, else the innermost cause that says something."""
    for _, message in causes:
        match = _LAST_REASON.search(message)
        if match:
            return _sentence(match.group(1))
    said = [message for _, message in causes if message.strip()]
    return _sentence(said[-1]) if said else causes[-1][0]


def _sentence(text: str) -> str:
    """The first line, without the exception's class and Spark's advice."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    return _ADVICE.sub("", _JAVA_CLASS.sub("", first))
