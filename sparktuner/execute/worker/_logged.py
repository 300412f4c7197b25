"""An objective whose own calls of MLflow go to the run of its trial."""

from __future__ import annotations

import functools
import inspect
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from sparktuner.execute.worker._current import current_trial


class LoggedObjective:
    """Calls an objective while a run of MLflow, made for the trial, is active in its thread.

    Whatever keeps the run from being made is a warning in the log of this process, and the
    objective is called without.

    Args:
        objective: the objective.
        uri: of the tracking server.
        experiment: the id of the experiment.
        tags: of each run.
        tid_tag: the tag that names the trial.
        here: lets MLflow write to that experiment, and runs join, in the process that makes this
            object, where the settings are everybody's; called before each trial there.
    """

    def __init__(
        self,
        objective: Callable[..., object],
        uri: str,
        experiment: str,
        tags: Mapping[str, str],
        tid_tag: str,
        here: Callable[[], None] | None = None,
    ) -> None:
        self._objective = objective
        self._uri = uri
        self._experiment = experiment
        self._tags = dict(tags)
        self._tid_tag = tid_tag
        self._here = here
        # So that the search is named after the objective.
        self.__name__ = getattr(objective, "__name__", type(objective).__name__)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_here": None}

    def __call__(self, argument: Any) -> object:
        with self._environment():
            return self._call(argument)

    def _call(self, argument: Any) -> object:
        try:
            active = self._active_run()
        except Exception as error:  # whatever MLflow and the network raise
            logging.getLogger("sparktuner").warning(
                "MLflow has no run for trial %s, which goes on without: %s: %s",
                current_trial().tid,
                type(error).__name__,
                error,
            )
            return self._objective(argument)
        # Its end, with the status, is written once more by the driver, who knows it better.
        with active, ExitStack() as stack:
            if self._here is None:
                stack.callback(join_runs(self._tid_tag))
            return self._objective(argument)

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """Lets runs inside the trial's belong to its experiment, in a process of Spark's."""
        names = {
            "MLFLOW_EXPERIMENT_ID": self._experiment,
            # These would say something else, where a cluster sets them.
            "MLFLOW_EXPERIMENT_NAME": None,
            "MLFLOW_RUN_ID": None,
            # The output of workers is a log that nobody clicks on.
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        }
        # In a thread of the driver the environment is everybody's.
        if not _in_spark_task():
            yield
            return
        # The worker may have inherited the driver's, who works on another experiment.
        before = {name: os.environ.get(name) for name in names}
        set_variables(names)
        try:
            yield
        finally:
            set_variables(before)

    def _active_run(self) -> Any:
        # Before the import, which takes seconds in a new process.
        start = round(time.time() * 1000)
        import mlflow

        if self._here is not None:
            self._here()
        mlflow.set_tracking_uri(self._uri)
        if _active_experiment() not in (None, self._experiment):
            # An objective before this one has set another, in this process.
            mlflow.set_experiment(experiment_id=self._experiment)
        client = mlflow.MlflowClient(tracking_uri=self._uri)
        trial = current_trial()
        tags = {**self._tags, self._tid_tag: str(trial.tid)}
        found = []
        if trial.attempt:
            # An attempt before this one has made it, and died.
            same = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
            found = client.search_runs([self._experiment], same)
        run = (
            found[0] if found else client.create_run(self._experiment, start_time=start, tags=tags)
        )
        # Nested, as in this thread the run of the search may be active.
        return mlflow.start_run(run_id=run.info.run_id, nested=True)


def join_runs(tid_tag: str) -> Callable[[], None]:
    """Lets ``mlflow.start_run()`` go on in a trial's run where one is active, as on Databricks.

    MLflow refuses it elsewhere: while a run is active, others would have to be nested.

    Args:
        tid_tag: the tag that a trial's run has.

    Returns:
        What undoes it.
    """
    import mlflow

    start_run = mlflow.start_run
    signature = inspect.signature(start_run)

    @functools.wraps(start_run)
    def joining(*args: Any, **options: Any) -> Any:
        given = signature.bind(*args, **options).arguments
        active = mlflow.active_run()
        is_trials = active is not None and tid_tag in active.data.tags
        if is_trials and not given.get("run_id") and not given.get("nested"):
            given |= {"run_id": active.info.run_id, "nested": True}
        return start_run(**given)

    def undo() -> None:
        mlflow.start_run = start_run

    mlflow.start_run = joining
    return undo


def _active_experiment() -> str | None:
    # MLflow has no way to ask without a request.
    fluent = sys.modules.get("mlflow.tracking.fluent")
    found: str | None = getattr(fluent, "_active_experiment_id", None)
    return found


def set_variables(variables: Mapping[str, str | None]) -> None:
    """Sets variables of this process's environment by name; None takes one out.

    Args:
        variables: their values.
    """
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _in_spark_task() -> bool:
    # Not imported: where it is not, this is no task of Spark's.
    pyspark = sys.modules.get("pyspark")
    return pyspark is not None and pyspark.TaskContext.get() is not None
