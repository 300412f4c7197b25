"""Whether a search is written to MLflow though nobody has passed the callback."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import os
import sys

from sparktuner.driver import SearchArguments
from sparktuner.execute.spark import has_session, read_conf, running_session
from sparktuner.mlflow._callback import MLflowCallback

_log = logging.getLogger("sparktuner")

VARIABLE = "SPARKTUNER_MLFLOW"
# What the variable says where objectives log to the runs of their trials.
WORKERS = "workers"
# Databricks' own, for Hyperopt's runs.
SWITCH = "spark.databricks.mlflow.trackHyperopt.enabled"


def tracked(arguments: SearchArguments) -> SearchArguments:
    """Returns a search's arguments, with a callback for MLflow where it is to be written there.

    That is: where a run is active in this thread; where the environment has
    ``SPARKTUNER_MLFLOW=1``; or where Databricks' switch says so. The environment comes first,
    then the switch. ``SPARKTUNER_MLFLOW=workers`` says that workers have access too. MLflow is
    imported only if it is to be used.

    Raises:
        MissingExtra: the environment says so, and mlflow is not installed.
    """
    if any(_is_tracking(callback) for callback in arguments.callbacks) or not _is_wanted():
        return arguments
    callbacks = [*arguments.callbacks, MLflowCallback(worker_logging=_said() == WORKERS)]
    return dataclasses.replace(arguments, callbacks=callbacks)


def _is_tracking(callback: object) -> bool:
    # It may be in a Background, which it does not need.
    inner = getattr(callback, "_callback", callback)
    return isinstance(inner, MLflowCallback)


def _said() -> str:
    return os.environ.get(VARIABLE, "").strip().lower()


def _is_wanted() -> bool:
    said = _said()
    if said:
        return said not in ("0", "false", "no", "off")
    if "mlflow" not in sys.modules and importlib.util.find_spec("mlflow") is None:
        return False
    switch = _switch()
    return switch == "true" or (switch != "false" and _has_active_run())


def _switch() -> str:
    try:
        session = running_session() if has_session() else None
        return "" if session is None else read_conf(session, SWITCH).lower()
    except Exception:  # whatever a session that is gone raises; the search will say so
        return ""


def _has_active_run() -> bool:
    # A program that has not imported it has no run.
    active_run = getattr(sys.modules.get("mlflow"), "active_run", None)
    try:
        return active_run is not None and active_run() is not None
    except Exception as error:  # a program may have something else by this name
        _log.debug("mlflow.active_run() raised %s: %s", type(error).__name__, error)
        return False
