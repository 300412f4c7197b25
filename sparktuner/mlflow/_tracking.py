"""A tracking server, as this package writes to it: one request at a time."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from sparktuner.errors import MissingExtra
from sparktuner.mlflow._entries import (
    MOST_BYTES,
    MOST_METRICS,
    MOST_PARAMS,
    PARENT,
    Entry,
)
from sparktuner.mlflow._linked import link_models, log_input
from sparktuner.mlflow._words import SEARCH_ID, TID

PARENT_TAG = "mlflow.parentRunId"


def library() -> ModuleType:
    """Returns MLflow.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module("mlflow")
    except ImportError as error:
        raise MissingExtra("mlflow is not installed: pip install 'sparktuner[mlflow]'") from error


@dataclass(frozen=True)
class Target:
    """Where a search is written, as a file can name it: without credentials.

    Attributes:
        uri: the tracking server's.
        experiment: the name of an experiment, which is made if need be; None is the one that
            MLflow would take.
        parent: the id of the run to write into; None makes one, or finds that of the search.
        search_id: by which the search is found again.
        is_resumed: whether the search may have a run already.
        is_nested: whether each trial gets a run of its own.
        by_workers: whether those runs are made where the trials run.
    """

    uri: str
    experiment: str | None
    parent: str | None
    search_id: str
    is_resumed: bool = False
    is_nested: bool = True
    by_workers: bool = False

    @property
    def is_server(self) -> bool:
        """Whether somebody else answers, and may not, instead of a database or a folder."""
        return self.uri.startswith(("http", "databricks"))


class Tracking:
    """Writes entries of one search to its tracking server.

    Nothing is asked of the server before the first entry. Each call sends one request, apart
    from the first ones, so that whoever calls knows what was written when one fails.

    Args:
        target: where to write.
        runs: the runs that are known: an entry's run -> MLflow's id.
    """

    def __init__(self, target: Target, runs: Mapping[str, str] | None = None) -> None:
        self._target = target
        # Only when there is something to send, in the thread that sends it: a local database
        # may have to be made first.
        self._client: Any = None
        self._entities: Any = None
        self._experiment: str | None = None
        # Names get it where another search has written into the same run before.
        self._suffix = ""
        self._params: dict[str, str] = {}
        self._context: dict[str, str] = {}
        self._is_ready = False
        self._is_abandoned = False
        self._preparing = threading.Lock()
        # Runs whose making was asked for, and perhaps done, though no answer came.
        self._asked: set[str] = set()
        self.runs: dict[str, str] = dict(runs or {})
        if target.parent is not None:
            self.runs.setdefault(PARENT, target.parent)

    def send(self, entry: Entry) -> Entry | None:
        """Sends the next request that an entry needs.

        Returns:
            What is left of it; None where nothing is.
        """
        self._be_ready()
        if entry.run not in self.runs:
            return self._make(entry)
        if entry.refers:
            return self._resolved(entry)
        if entry.params or entry.metrics or entry.tags:
            return _unless_empty(self._log_batch(entry))
        if entry.texts:
            [(path, text), *others] = entry.texts.items()
            suffix = self._suffix if entry.run == PARENT else ""
            self._client.log_text(self.runs[entry.run], text, _before_ending(path, suffix))
            return _unless_empty(replace(entry, texts=dict(others)))
        if entry.inputs:
            # One at a time, so that one that is refused leaves the others in their place.
            log_input(self._client, self._entities, self.runs[entry.run], entry.inputs[0])
            return _unless_empty(replace(entry, inputs=entry.inputs[1:]))
        if entry.models_of:
            self._link_models(entry)
            return _unless_empty(replace(entry, models_of=""))
        if entry.status:
            self._update(entry)
        return None

    def skip(self, entry: Entry) -> Entry | None:
        """Returns what is left of an entry without the request that the server refuses."""
        if entry.run not in self.runs:
            return None
        if entry.params:
            # It is these that a server refuses most often: a value that is there cannot change.
            left = replace(entry, params={})
        elif entry.metrics or entry.tags or entry.refers:
            left = replace(entry, metrics=(), tags={}, refers={})
        elif entry.texts:
            left = replace(entry, texts=dict(list(entry.texts.items())[1:]))
        elif entry.inputs:
            left = replace(entry, inputs=entry.inputs[1:])
        elif entry.models_of:
            left = replace(entry, models_of="")
        else:
            left = replace(entry, status="", end=None)
        return _unless_empty(left)

    def open_parent(self, entry: Entry) -> tuple[str, str]:
        """Returns the ids of the experiment and of the parent run, which is made if need be.

        Args:
            entry: what to make it with.
        """
        self._be_ready()
        if PARENT not in self.runs:
            self._make(entry)
        return str(self._experiment), self.runs[PARENT]

    def abandon(self) -> None:
        """Lets a call that is under way in another thread make no run any more."""
        self._is_abandoned = True

    def expect(self, runs: Iterable[str]) -> None:
        """Says that runs may be there which this object has not made."""
        self._asked.update(runs)

    # --- the parent

    def _be_ready(self) -> None:
        # Once, though several threads ask at a time.
        with self._preparing:
            if not self._is_ready:
                self._prepare()

    def _prepare(self) -> None:
        """Finds the experiment, and the parent run where it is there."""
        mlflow = library()
        self._entities = importlib.import_module("mlflow.entities")
        self._client = mlflow.MlflowClient(tracking_uri=self._target.uri)
        if PARENT not in self.runs:
            self._experiment = self._experiment_id()
            if self._target.is_resumed or PARENT in self._asked:
                self._find_parent()
        if PARENT in self.runs:
            self._know(self._client.get_run(self.runs[PARENT]))
        # As `mlflow.start_run` does: who, from where, in which notebook.
        context: Any = importlib.import_module("mlflow.tracking.context.registry")
        self._context = dict(context.resolve_tags())
        self._is_ready = True

    def _experiment_id(self) -> str:
        name = self._target.experiment
        if name is None:
            fluent: Any = importlib.import_module("mlflow.tracking.fluent")
            # By its settings, in the environment and by `mlflow.set_experiment`.
            return str(fluent._get_experiment_id())
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name))
            except Exception as error:  # MLflow's own, of many kinds
                if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
                    raise
            # Another search has made it meanwhile.
            found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id)

    def _find_parent(self) -> None:
        found = self._search(f"tags.`{SEARCH_ID}` = '{self._target.search_id}'")
        if found:
            self.runs[PARENT] = found[0].info.run_id
            # It is under way again.
            self._update(Entry(status="RUNNING"))

    def _know(self, run: Any) -> None:
        """Takes in what a parent run that is there has already."""
        self._experiment = run.info.experiment_id
        ours = self._target.search_id
        tags = run.data.tags
        if tags.get(SEARCH_ID, ours) != ours or ("fmin_uuid" in tags and SEARCH_ID not in tags):
            self._suffix = f"_{ours[:6]}"
        self._params = dict(run.data.params)
        if self._target.is_resumed:
            running = "attributes.status = 'RUNNING'"
            for child in self._search(f"{self._child_of_parent()} and {running}"):
                # Of a driver that is gone: its trials are run again, in the same runs.
                self.runs.setdefault(child.data.tags.get(TID, "?"), child.info.run_id)

    def _as_parent(self, entry: Entry) -> Entry:
        """What one request says of the parent, by the names that are free there."""
        # A later search in this run says as a tag what is another now.
        params, changed = _free(_with_suffix(entry.params, self._suffix), self._params)
        return replace(
            entry,
            params=params,
            metrics=tuple((f"{k}{self._suffix}", v, t, step) for k, v, t, step in entry.metrics),
            tags={**_with_suffix(entry.tags, self._suffix), **changed},
        )

    # --- runs

    def _make(self, entry: Entry) -> Entry | None:
        made_by_worker = self._target.by_workers and entry.run != PARENT
        if entry.run in self._asked or made_by_worker:
            found = self._search(self._of_run(entry.run))
            if found:
                self.runs[entry.run] = found[0].info.run_id
                if made_by_worker:
                    name = {"mlflow.runName": entry.name}
                    # What the objective has logged itself by these names stays.
                    params, changed = _free(entry.params, found[0].data.params)
                    tags = {**self._context, **name, **entry.tags, **changed}
                    entry = replace(entry, params=params, tags=tags)
                return _unless_empty(replace(entry, start=None))
        if self._is_abandoned:
            raise RuntimeError("nobody waits for this run any more")
        self._asked.add(entry.run)
        tags = dict(entry.tags)
        if entry.run != PARENT:
            if PARENT not in self.runs:
                raise RuntimeError("the search's own run could not be made")
            tags[PARENT_TAG] = self.runs[PARENT]
        made = self._client.create_run(
            self._experiment,
            start_time=entry.start,
            tags={**self._context, **tags},
            run_name=entry.name,
        )
        self.runs[entry.run] = made.info.run_id
        return _unless_empty(replace(entry, start=None, tags={}))

    def _log_batch(self, entry: Entry) -> Entry:
        sent, left = _batch(entry)
        sent = self._as_parent(sent) if entry.run == PARENT else sent
        of = self._entities
        self._client.log_batch(
            self.runs[entry.run],
            metrics=[of.Metric(*metric) for metric in sent.metrics],
            params=[of.Param(*param) for param in sent.params.items()],
            tags=[of.RunTag(*tag) for tag in sent.tags.items()],
        )
        return left

    def _update(self, entry: Entry) -> None:
        status = self._entities.RunStatus.from_string(entry.status)
        # Not by `set_terminated`, which asks for the run first, and prints its address.
        self._client._tracking_client.store.update_run_info(
            self.runs[entry.run], status, entry.end, None
        )

    def _resolved(self, entry: Entry) -> Entry:
        """An entry whose tags name the runs that it refers to, as far as they are known."""
        tags = dict(entry.tags)
        for name, run in entry.refers.items():
            if self._target.is_nested and run not in self.runs:
                for found in self._search(self._of_run(run)):
                    self.runs[run] = found.info.run_id
            if run in self.runs:
                tags[name] = self.runs[run]
        return replace(entry, tags=tags, refers={})

    def _link_models(self, entry: Entry) -> None:
        """Lets the models that a trial has logged be those of an entry's run, too."""
        trial = self.runs.get(entry.models_of)
        if trial is not None and self._target.by_workers:
            # Those in runs inside the trial's, such as folds, are the trial's as well.
            inside = self._search(f"tags.`{PARENT_TAG}` = '{trial}'")
            others = [self._client.get_run(trial), *inside]
            link_models(self._client, self._entities, self.runs[entry.run], others)

    def _of_run(self, run: str) -> str:
        if run == PARENT:
            return f"tags.`{SEARCH_ID}` = '{self._target.search_id}'"
        fmin_uuid = f"tags.fmin_uuid = '{self._target.search_id[:6]}'"
        return f"{self._child_of_parent()} and {fmin_uuid} and tags.`{TID}` = '{run}'"

    def _child_of_parent(self) -> str:
        return f"tags.`{PARENT_TAG}` = '{self.runs[PARENT]}'"

    def _search(self, filter_string: str) -> list[Any]:
        return list(self._client.search_runs([self._experiment], filter_string))


def _free(
    params: Mapping[str, str], known: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Parameters that a run can have, and those that it has otherwise: none can change."""
    changed = {k: v for k, v in params.items() if known.get(k, v) != v}
    return {k: v for k, v in params.items() if k not in changed}, changed


def _with_suffix(named: Mapping[str, str], suffix: str) -> dict[str, str]:
    return {f"{name}{suffix}": value for name, value in named.items()}


def _before_ending(path: str, suffix: str) -> str:
    stem, dot, ending = path.rpartition(".")
    return f"{stem}{suffix}{dot}{ending}"


def _batch(entry: Entry) -> tuple[Entry, Entry]:
    """What fits into one request of an entry's parameters, tags and metrics, and the rest."""
    room = MOST_BYTES
    params, room = _fitting(entry.params, room)
    tags, room = _fitting(entry.tags, room)
    # Of metrics, parameters and tags no more than so many together.
    most = MOST_METRICS - len(params) - len(tags)
    longest = max((len(name) for name, *_ in entry.metrics), default=0)
    most = max(0, min(most, room // (4 * longest + 120)))
    sent = Entry(entry.run, params=params, tags=tags, metrics=entry.metrics[:most])
    left = replace(
        entry,
        params={k: v for k, v in entry.params.items() if k not in params},
        tags={k: v for k, v in entry.tags.items() if k not in tags},
        metrics=entry.metrics[most:],
    )
    return sent, left


def _fitting(named: Mapping[str, str], room: int) -> tuple[dict[str, str], int]:
    fitting: dict[str, str] = {}
    for name, value in named.items():
        # As JSON a character may take six bytes, and an emoji twelve.
        size = len(json.dumps(name)) + len(json.dumps(value)) + 40
        if len(fitting) == MOST_PARAMS or size > room:
            break
        fitting[name], room = value, room - size
    return fitting, room


def _unless_empty(entry: Entry) -> Entry | None:
    nothing = Entry(entry.run, name=entry.name, start=entry.start)
    return None if entry == nothing else entry
