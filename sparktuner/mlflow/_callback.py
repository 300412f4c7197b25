"""Writes a search to MLflow: one run for the search, and one in it for each trial."""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from sparktuner.checks import check_flag, check_seconds
from sparktuner.driver import Callback, SearchSettings, TrialsView
from sparktuner.execute import within
from sparktuner.execute.worker import LoggedObjective
from sparktuner.mlflow._checks import check_name
from sparktuner.mlflow._datasets import Datasets, inputs_of
from sparktuner.mlflow._entries import PARENT, Entry
from sparktuner.mlflow._here import Here
from sparktuner.mlflow._sender import THREAD, Sender, without_noise
from sparktuner.mlflow._tracking import PARENT_TAG, Target, Tracking, library
from sparktuner.mlflow._words import SEARCH_ID, SOURCE, TID, Words, milliseconds, run_of
from sparktuner.records import ELSEWHERE_PREFIX, TrialDocument, utcnow

_log = logging.getLogger("sparktuner")
# Seconds that a search waits at most for its run where workers have to know it: a few requests.
_OPENING = 20.0


class MLflowCallback(Callback):
    """Writes a search to MLflow: a run for the search, and in it one for each trial.

    The run of the search is the one that is active in the thread of ``fmin``, or a new one,
    which ends with the search. Names are those under which Databricks logs Hyperopt. The driver
    writes, from a thread of its own: workers need no access, and a server that is slow or away
    neither slows nor ends a search. What it is not told by the end is kept in a file for
    ``sparktuner mlflow replay``.

    A search that goes on with the same trials goes on in the same run.

    Attributes:
        run_id: MLflow's id of the run of the search; None before it is made.

    Example:
        >>> import mlflow, tempfile
        >>> from sparktuner import fmin, hp
        >>> from sparktuner.mlflow import MLflowCallback
        >>> mlflow.set_tracking_uri(f"sqlite:///{tempfile.mkdtemp()}/mlflow.db")
        >>> tracking = MLflowCallback(experiment="quadratic")
        >>> best = fmin(
        ...     lambda x: x**2, hp.uniform("x", -1, 1), max_evals=3, callbacks=[tracking],
        ...     verbose=False,
        ... )
        >>> run = mlflow.get_run(tracking.run_id)
        >>> run.data.params["max_evals"], run.data.metrics["successful_trials_count"]
        ('3', 3.0)
    """

    def __init__(
        self,
        experiment: str | None = None,
        nested: bool = True,
        tracking_uri: str | None = None,
        drain_timeout: float | None = 60.0,
        worker_logging: bool = False,
        datasets: Datasets | None = None,
    ) -> None:
        """Asks nothing of a server before the search.

        Args:
            experiment: the name of an experiment, which is made if need be: the search gets a
                run of its own there. None takes the active run; without one, a new run in the
                experiment that MLflow would take.
            nested: whether each trial gets a run, which takes three requests; False leaves
                the search's run alone.
            tracking_uri: the server, or another store of MLflow's; None is the one that is set
                in MLflow.
            drain_timeout: seconds that the end of the search waits at most until all is
                written, and a server that does not answer gets a few; None is no limit.
            worker_logging: whether what the objective itself logs (``mlflow.log_metric``,
                ``autolog``, ``log_model``) goes to its trial's run. The workers then make those
                runs, so they need mlflow, and access to the server.
            datasets: MLflow's data sets that the search uses, by what for:
                ``{"training": mlflow.data.from_pandas(frame)}``; a list has no such word.
                They become inputs of the search's run.

        Raises:
            MissingExtra: mlflow is not installed.
            TypeError, ValueError: an argument is ill-formed.
        """
        check_name("experiment", experiment)
        check_name("tracking_uri", tracking_uri)
        check_flag("nested", nested)
        check_seconds("drain_timeout", drain_timeout)
        check_flag("worker_logging", worker_logging)
        if worker_logging and not nested:
            raise ValueError("worker_logging=True needs nested=True: each trial logs to its run")
        # Here, where somebody waits anyway: it takes seconds.
        self._mlflow: Any = library()
        self._inputs = inputs_of(datasets)
        self._experiment = experiment
        self._is_nested = bool(nested)
        self._uri = tracking_uri
        self._drain_timeout = drain_timeout
        self._settings: SearchSettings | None = None
        self._words: Words | None = None
        self._sender: Sender | None = None
        self._by_workers = bool(worker_logging)
        self._target: Target | None = None
        self._tracking: Tracking | None = None
        self._here: Here | None = None
        self._open: set[str] = set()
        self._is_own_run = True

    @property
    def run_id(self) -> str | None:
        return None if self._sender is None else self._sender.run_id

    def around_objective(
        self, objective: Callable[..., object], trials: TrialsView
    ) -> Callable[..., object]:
        target = self._target = self._target_of(trials)
        self._tracking = None
        if not self._by_workers:
            return objective
        tags = {"fmin_uuid": target.search_id[:6], "runSource": SOURCE}
        own = {**tags, SEARCH_ID: target.search_id}
        start = Entry(
            name=getattr(objective, "__name__", "fmin"), start=milliseconds(utcnow()), tags=own
        )
        tracking = self._tracking = Tracking(target)
        try:
            # The workers have to know it, so the search waits for it.
            patience = _OPENING if target.is_server else math.inf
            experiment, parent = within(
                patience, lambda: _opened(tracking, start), f"{THREAD}-open"
            )
        except Exception as error:  # a border: whatever MLflow and its plugins raise
            _log.warning(
                "MLflow cannot be written to, so the objective's own calls of it go nowhere near "
                "its trial's run (%s: %s)",
                type(error).__name__,
                error,
            )
            tracking.abandon()
            self._by_driver(replace(target, by_workers=False))
            return objective
        tags[PARENT_TAG] = parent
        self._here = Here(target.uri, experiment)
        return LoggedObjective(objective, target.uri, experiment, tags, TID, self._here.enter)

    def _by_driver(self, target: Target) -> None:
        self._target, self._tracking = target, Tracking(target)
        # The run may have been made, though no answer came.
        self._tracking.expect([PARENT])

    def on_search_settings(self, settings: SearchSettings) -> None:
        self._settings = settings

    def on_search_start(self, trials: TrialsView) -> None:
        assert self._settings is not None and self._target is not None
        words = self._words = Words(self._settings, self._target.search_id)
        # Of trials that a driver which is gone has left, it is not known here who runs them.
        for document in cast("Sequence[TrialDocument]", getattr(trials, "all_trials", ())):
            words.take_earlier(document)
        self._open.clear()
        tracking = self._tracking
        self._sender = Sender(
            self._target, tracking=None if tracking is None else lambda target: tracking
        )
        self._sender.put(words.search_start().merged(Entry(inputs=self._inputs)))

    def _target_of(self, trials: TrialsView) -> Target:
        search_id, is_resumed = _search_id(trials)
        active = None if self._experiment is not None else self._mlflow.active_run()
        self._is_own_run = active is None
        return Target(
            uri=self._mlflow.get_tracking_uri() if self._uri is None else self._uri,
            experiment=self._experiment,
            parent=None if active is None else active.info.run_id,
            search_id=search_id,
            is_resumed=is_resumed,
            is_nested=self._is_nested,
            by_workers=self._by_workers,
        )

    def on_trial_start(self, document: TrialDocument) -> None:
        if self._is_nested and self._words is not None:
            self._open.add(run_of(document))
            if self._target is not None and self._target.by_workers:
                return  # the worker makes it
            self._put(self._words.trial_start(document))

    def on_trial_end(self, document: TrialDocument) -> None:
        if self._words is None:
            return
        if self._is_nested:
            self._open.discard(run_of(document))
            self._put(self._words.trial_end(document))
        self._put(self._words.progress(document))

    def on_search_end(self, reason: str | None) -> None:
        if self._here is not None:
            self._here.leave()
        words, sender = self._words, self._sender
        if words is None or sender is None:
            return
        for run in sorted(self._open):  # somebody else's now
            self._put(words.abandoned(run))
        end = words.search_end(reason)
        if self._is_own_run:
            status = "FAILED" if (reason or "").startswith("error:") else "FINISHED"
            end = end.merged(Entry(PARENT, status=status, end=milliseconds(utcnow())))
        self._put(end)
        sender.close(self._drain_timeout)

    def _put(self, entry: Entry) -> None:
        if self._sender is not None:
            self._sender.put(entry)


def _opened(tracking: Tracking, start: Entry) -> tuple[str, str]:
    with without_noise():
        return tracking.open_parent(start)


def _search_id(trials: TrialsView) -> tuple[str, bool]:
    """By which the search of these trials is found again, and whether it was written before."""
    name = f"{ELSEWHERE_PREFIX}mlflow::{trials.exp_key or ''}"
    made = uuid.uuid4().hex.encode()
    known = trials.attachments.setdefault(name, made)
    return known.decode(), known != made
