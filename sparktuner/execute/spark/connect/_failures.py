"""What went wrong with a Spark job, as the Spark Connect client's exceptions say it."""

from __future__ import annotations

from sparktuner.execute.spark._failures import classify, failed_in_driver
from sparktuner.execute.spark._transport import JobFailed


def connect_failed(error: Exception) -> JobFailed:
    """Returns what ``error``, raised by pyspark's Connect client or grpc, means for the trial."""
    here = failed_in_driver(error)
    if here is not None:
        return here
    said = str(error).split("\nJVM stacktrace:")[0].strip()
    text = f"{type(error).__name__}: {said}"
    # grpc's, e.g. StatusCode.UNAVAILABLE, which the words need not name.
    code = getattr(error, "getGrpcStatusCode", lambda: None)()
    return classify(f"{text}\n{code}", [(type(error).__name__, said)])
