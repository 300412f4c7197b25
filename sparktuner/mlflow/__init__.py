"""Searches in MLflow.

``fmin(..., callbacks=[MLflowCallback()])``; on by itself where a run is active. :func:`replay`
sends what a server that was away could not be told, as ``sparktuner mlflow replay`` does.

In reading order: what is said (``_words``), as plain data (``_entries``); who writes it, one
request at a time (``_tracking``), from a thread of its own (``_sender``); what is kept for later
(``_kept``); the callback; and when it is on by itself (``_activation``).
"""

from sparktuner.mlflow._activation import tracked as tracked
from sparktuner.mlflow._callback import MLflowCallback
from sparktuner.mlflow._kept import replay

__all__ = ["MLflowCallback", "replay"]
