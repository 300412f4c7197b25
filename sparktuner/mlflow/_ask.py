"""Whether a tracking server answers."""

from __future__ import annotations

from sparktuner.mlflow._tracking import library


def ask(tracking_uri: str) -> str:
    """Returns the name of an experiment that a tracking server has, or nothing; changes nothing.

    Raises:
        MissingExtra: mlflow is not installed.
        Exception: the server does not answer, or refuses, and whatever MLflow raises then.
    """
    client = library().MlflowClient(tracking_uri=tracking_uri)
    return "".join(str(each.name) for each in client.search_experiments(max_results=1))
