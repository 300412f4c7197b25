"""The trial document: a dictionary in Hyperopt's layout, and the only code that moves it on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, TypeAlias

import numpy as np

from sparktuner.errors import InvalidTrial
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    JOB_STATES,
    STATUS_FAIL,
    STATUS_NEW,
)

Document: TypeAlias = dict[str, Any]

TRIAL_KEYS = (
    "state",
    "tid",
    "spec",
    "result",
    "misc",
    "exp_key",
    "owner",
    "book_time",
    "refresh_time",
)
TRIAL_MISC_KEYS = ("tid", "cmd", "idxs", "vals")
# What Hyperopt writes for a trial of fmin; old tools look at it, nothing here does.
COMMAND = ("domain_attachment", "FMinIter_Domain")


def utcnow() -> datetime:
    """Now, as naive UTC to the millisecond: the finest that every store keeps."""
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def new_document(
    tid: Any,
    configuration: Mapping[str, Any],
    labels: Iterable[str] = (),
    exp_key: str | None = None,
) -> Document:
    """A trial in state NEW.

    Args:
        tid: its id.
        configuration: values of the active labels.
        labels: all labels of the space; the inactive ones get empty lists.
        exp_key: the experiment that it belongs to.
    """
    every = dict.fromkeys([*labels, *configuration])
    active = {label: label in configuration for label in every}
    return {
        "state": JOB_STATE_NEW,
        "tid": tid,
        "spec": None,
        "result": {"status": STATUS_NEW},
        "misc": {
            "tid": tid,
            "cmd": COMMAND,
            "workdir": None,
            "idxs": {label: [tid] if active[label] else [] for label in every},
            "vals": {label: [configuration[label]] if active[label] else [] for label in every},
        },
        "exp_key": exp_key,
        "owner": None,
        "version": 0,
        "book_time": None,
        "refresh_time": None,
    }


def configuration_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The active labels' values of a trial document."""
    vals = document["misc"]["vals"]
    return {label: value[0] for label, value in vals.items() if len(value)}


def validate_document(document: Document) -> Document:
    """The document itself, if it has every key of a trial.

    Raises:
        InvalidTrial: a key is missing, or a value is not of its form.
    """
    if not isinstance(document, Mapping):
        raise InvalidTrial(f"a trial is a dictionary, got {type(document).__name__}")
    _require(document, TRIAL_KEYS, "trial")
    _require(document["misc"], TRIAL_MISC_KEYS, "trial's misc")
    if document["tid"] != document["misc"]["tid"]:
        raise InvalidTrial(
            f"tid is {document['tid']!r} but misc['tid'] is {document['misc']['tid']!r}"
        )
    if document["state"] not in JOB_STATES:
        raise InvalidTrial(f"state must be one of {JOB_STATES}, got {document['state']!r}")
    for key in ("idxs", "vals"):
        for label, values in document["misc"][key].items():
            if not isinstance(values, Sequence | np.ndarray) or len(values) > 1:
                raise InvalidTrial(
                    f"misc[{key!r}][{label!r}] must be a list of at most one value, got {values!r}"
                )
    return document


def _require(mapping: object, keys: Iterable[str], what: str) -> None:
    if not isinstance(mapping, Mapping):
        raise InvalidTrial(f"a {what} is a dictionary, got {type(mapping).__name__}")
    missing = [key for key in keys if key not in mapping]
    if missing:
        raise InvalidTrial(f"a {what} needs the keys {list(keys)}; missing: {missing}")


# A trial moves along these arrows only. RUNNING -> NEW: what a driver that died was running.
_NEXT_STATES = {
    JOB_STATE_NEW: (JOB_STATE_RUNNING, JOB_STATE_CANCEL),
    JOB_STATE_RUNNING: (JOB_STATE_NEW, JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_CANCEL),
    JOB_STATE_DONE: (),
    JOB_STATE_ERROR: (),
    JOB_STATE_CANCEL: (),
}


def advance(
    document: Document,
    state: int,
    *,
    result: Mapping[str, Any] | None = None,
    error: tuple[str, str] | None = None,
    execution: Mapping[str, Any] | None = None,
) -> None:
    """Move a trial on to ``state``; only the driver's loop calls this.

    Args:
        document: changed in place.
        state: the next state.
        result: the new result; a failed trial without one gets ``{"status": "fail"}``.
        error: (type, traceback or message) for ``misc["error"]``.
        execution: where and when it ran, for ``misc["execution"]``.

    Raises:
        InvalidTrial: no arrow leads from the present state to ``state``.
    """
    if state not in _NEXT_STATES[document["state"]]:
        raise InvalidTrial(
            f"trial {document['tid']!r} cannot go from state {document['state']} to {state}"
        )
    document["state"] = state
    now = utcnow()
    document["refresh_time"] = now
    if state == JOB_STATE_RUNNING:
        document["book_time"] = now
    if result is None and state in (JOB_STATE_ERROR, JOB_STATE_CANCEL):
        result = {"status": STATUS_FAIL}
    if result is not None:
        document["result"] = dict(result)
    if error is not None:
        document["misc"]["error"] = error
    if execution is not None:
        document["misc"]["execution"] = dict(execution)
