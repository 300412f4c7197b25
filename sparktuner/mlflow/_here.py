"""Where MLflow writes in this process, while the objective of a search runs in it."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sparktuner.execute.worker import join_runs, set_variables
from sparktuner.mlflow._tracking import library
from sparktuner.mlflow._words import TID

# MLflow sets them for processes that this one starts.
_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID")


@dataclass(frozen=True)
class Settings:
    """Where MLflow writes in this process; None is what it would take by itself.

    Attributes:
        uri: of the tracking server.
        experiment: the id of the experiment.
        variables: of the environment, by name.
    """

    uri: str | None
    experiment: str | None
    variables: dict[str, str | None]


class Here:
    """Lets MLflow write to a search's server and experiment in this process, and then no more.

    Both are settings of the process, not of a thread: runs that an objective starts in threads
    of the driver would go elsewhere otherwise, and MLflow refuses to make a run active that is
    not of the experiment that is set.

    Args:
        uri: of the tracking server.
        experiment: the id of the experiment.
    """

    def __init__(self, uri: str, experiment: str) -> None:
        self._uri = uri
        self._experiment = experiment
        self._lock = threading.Lock()
        self._before: Settings | None = None
        self._undo: Callable[[], None] | None = None

    def enter(self) -> None:
        """Sets both, unless that is done, and lets ``start_run()`` go on in a trial's run.

        Raises:
            Exception: whatever MLflow and the network raise.
        """
        with self._lock:
            if self._undo is not None:
                return
            if self._before is None:
                self._before = settings()
            mlflow = library()
            mlflow.set_tracking_uri(self._uri)
            mlflow.set_experiment(experiment_id=self._experiment)
            self._undo = join_runs(TID)

    def leave(self) -> None:
        """Sets everything to what it was before, where it was set here."""
        with self._lock:
            undo, self._undo = self._undo, None
            before, self._before = self._before, None
            if undo is not None:
                undo()
            if before is not None:
                restore(before)


def _fluent() -> Any:
    return importlib.import_module("mlflow.tracking.fluent")


def settings() -> Settings:
    """Returns where MLflow writes now."""
    mlflow = library()
    return Settings(
        mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None,
        # MLflow has no way to ask for it without a request, nor to unset it.
        _fluent()._active_experiment_id,
        {name: os.environ.get(name) for name in _VARIABLES},
    )


def restore(before: Settings) -> None:
    """Lets MLflow write where it did before.

    Args:
        before: what :func:`settings` said then.
    """
    library().set_tracking_uri(before.uri)
    _fluent()._active_experiment_id = before.experiment
    set_variables(before.variables)
