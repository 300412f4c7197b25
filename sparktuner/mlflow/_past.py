"""Reads the trials of a search that was written to MLflow, by this package or by Databricks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from sparktuner.history import PastTrial, SpaceFit
from sparktuner.mlflow._entries import key_of
from sparktuner.mlflow._tracking import PARENT_TAG, library
from sparktuner.mlflow._words import OURS, OUTCOME, SOURCE, TID, VALUE

_STATES = {"success": "done", "failure": "failed", "cancelled": "cancelled"}
# Of runs that do not say how their trial ended.
_BY_STATUS = {"FINISHED": "done", "FAILED": "failed", "KILLED": "cancelled"}


def trials_of_experiment(
    experiment: str, fit: SpaceFit | None, tracking_uri: str | None
) -> list[PastTrial]:
    """Returns the trials of the searches in an experiment, in the order in which they started.

    Args:
        experiment: its name, or the id of the run of one search.
        fit: the space; None takes the values of choices as indices.
        tracking_uri: the server; None is the one that is set in MLflow.

    Raises:
        ValueError: there is no such experiment, nor run, or there are no trials in it.
        MissingExtra: mlflow is not installed.
    """
    client: Any = library().MlflowClient(tracking_uri=tracking_uri)
    runs = sorted(_runs(client, experiment), key=_order)
    if not runs:
        raise ValueError(
            f"experiment {experiment!r} has no trials of a search that sparktuner, or Databricks' "
            f"logging of Hyperopt, has written: runs with the tags {PARENT_TAG} and "
            f"runSource={SOURCE}"
        )
    return [_past(run, fit) for run in runs]


def _runs(client: Any, experiment: str) -> Iterator[Any]:
    found = client.get_experiment_by_name(experiment)
    only = f"tags.runSource = '{SOURCE}'"
    if found is not None:
        where = found.experiment_id
    else:
        where, parent = _run_of_search(client, experiment)
        only += f" and tags.`{PARENT_TAG}` = '{parent}'"
    token = None
    while True:
        page = client.search_runs([where], only, max_results=1000, page_token=token)
        yield from (run for run in page if PARENT_TAG in run.data.tags)
        token = page.token
        if not token:
            return


def _run_of_search(client: Any, run_id: str) -> tuple[str, str]:
    try:
        info = client.get_run(run_id).info
    except Exception as error:  # MLflow's own, of many kinds
        if getattr(error, "error_code", "") not in (
            "RESOURCE_DOES_NOT_EXIST",
            "INVALID_PARAMETER_VALUE",
        ):
            raise
        raise ValueError(
            f"experiment must be the name of an experiment, or the id of a search's run, and "
            f"there is neither by {run_id!r}"
        ) from error
    return str(info.experiment_id), str(info.run_id)


def _order(run: Any) -> tuple[int, int]:
    tid = run.data.tags.get(TID, "")
    return run.info.start_time, int(tid) if tid.isdecimal() else 0


def _past(run: Any, fit: SpaceFit | None) -> PastTrial:
    tags, metrics = run.data.tags, dict(run.data.metrics)
    state = _STATES.get(tags.get("trial_status", ""), _BY_STATUS.get(run.info.status, "running"))
    facts: dict[str, object] = {"state": state, "start": _time(run.info.start_time)}
    if run.info.end_time:
        facts["end"] = _time(run.info.end_time)
        facts["duration"] = (run.info.end_time - run.info.start_time) / 1000
    if f"{OURS}host" in tags:
        facts["host"] = tags[f"{OURS}host"]
    if state in ("failed", "cancelled") and (f"{OURS}error" in tags or state == "failed"):
        facts |= _error(tags)
    loss = metrics.pop("loss", None)
    values, by_index = _values(run.data.params, fit)
    return PastTrial(values, loss, facts, metrics, by_index)


def _error(tags: Mapping[str, str]) -> dict[str, object]:
    text = tags.get(f"{OURS}error", "the trial failed")
    kind, colon, _ = text.partition(":")
    named = "TrialTimeout" if tags.get(OUTCOME) == "timed_out" else kind
    return {"error": named if colon and named.isidentifier() else "Failed", "traceback": text}


def _values(params: Mapping[str, str], fit: SpaceFit | None) -> tuple[dict[str, object], bool]:
    """Values by label, and whether those of choices are indices."""
    if fit is None:
        own = {name: _number(text) for name, text in params.items() if not _is_value(name, params)}
        return own, True
    labels = fit.space.labels
    # What else the objective has logged in its run is no parameter of the search.
    given = {label: params[key_of(label)] for label in labels if key_of(label) in params}
    options = {
        label: params[key_of(f"{label}{VALUE}")]
        for label in given
        if key_of(f"{label}{VALUE}") in params and f"{label}{VALUE}" not in labels
    }
    return {**given, **options}, not options


def _is_value(name: str, params: Mapping[str, str]) -> bool:
    return name.endswith(VALUE) and name.removesuffix(VALUE) in params


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
