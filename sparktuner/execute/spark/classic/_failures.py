"""What went wrong with a Spark job, as py4j's exceptions say it."""

from __future__ import annotations

from sparktuner.execute.spark._environment import JavaObject
from sparktuner.execute.spark._failures import GONE, classify, named
from sparktuner.execute.spark._transport import JobFailed
from sparktuner.status import FailureKind

# A chain of causes may be a cycle.
_MAX_CAUSES = 10


def job_failed(error: Exception) -> JobFailed:
    """Returns what ``error``, raised by py4j or pyspark, means for the trial.

    Args:
        error: while the session is known to be well.
    """
    from py4j.protocol import Py4JJavaError

    if not isinstance(error, Py4JJavaError):
        return named(error)
    try:
        causes = _causes(error.java_exception)
    except Exception as broken:  # the JVM died between the error and the question
        return JobFailed(FailureKind.SESSION_GONE, GONE, f"{type(broken).__name__}: {broken}")
    text = "\n".join(f"{kind}: {message}" for kind, message in causes)
    return classify(text, causes)


def _causes(java_exception: JavaObject) -> list[tuple[str, str]]:
    causes: list[tuple[str, str]] = []
    while java_exception is not None and len(causes) < _MAX_CAUSES:
        causes.append((java_exception.getClass().getName(), java_exception.getMessage() or ""))
        java_exception = java_exception.getCause()
    return causes
