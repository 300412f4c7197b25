"""Searches in MLflow.

``fmin(..., callbacks=[MLflowCallback()])``; on by itself where a run is active. :func:`replay`
sends what a server that was away could not be told, as ``sparktuner mlflow replay`` does.

In reading order: what is said (``_words``, ``_datasets``), as plain data (``_entries``); who
writes it, one request at a time (``_tracking``, and what is more than values: ``_linked``), from a
thread of its own (``_sender``); what is kept for later (``_kept``); the callback, what users may
name (``_checks``), and where an objective in this process logs
(``_here``); when it is on by itself (``_activation``); whether a server answers (``_ask``); and
how a search is read again (``_past``), for :func:`sparktuner.from_mlflow`.
"""

from sparktuner.mlflow._activation import tracked as tracked
from sparktuner.mlflow._ask import ask as ask
from sparktuner.mlflow._callback import MLflowCallback
from sparktuner.mlflow._kept import replay
from sparktuner.mlflow._past import trials_of_experiment as trials_of_experiment

__all__ = ["MLflowCallback", "replay"]
