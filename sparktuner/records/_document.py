"""The trial document: a dictionary in Hyperopt's layout, and the only code that moves it on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from numbers import Integral
from typing import Any, TypeAlias, TypedDict

import numpy as np

from sparktuner.checks import shown
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

# Documents of other tools may have ids of any hashable kind; they are kept as they are.
Tid: TypeAlias = int
# The active parameters of one trial: {"lr": 0.01, "clf": 1}.
Configuration: TypeAlias = dict[str, Any]


class _RequiredMisc(TypedDict):
    tid: Tid
    cmd: object
    workdir: str | None
    idxs: dict[str, list[Tid]]
    vals: dict[str, list[Any]]


class TrialMisc(_RequiredMisc, total=False):
    """What belongs to a trial beside its state and its result.

    Attributes:
        tid: the trial's id.
        cmd: Hyperopt's word for how to run the trial; nothing here reads it.
        workdir: Hyperopt's; not used.
        idxs: label -> ``[tid]`` where the parameter is active, ``[]`` where it is not.
        vals: label -> ``[value]`` or ``[]``; a choice's value is the index of its option.
        error: (type, traceback or message) of a trial that failed or was cancelled.
        execution: where and when the trial ran: the fields of
            :class:`sparktuner.execute.Execution`, and ``seed``: what the objective was told as
            ``current_trial().seed``, and what draws without a label in the space were made
            with.
        from_tid: the trial in which an objective made this one.
        imported_tid: the id that it had where it was imported from, if it has another one here.
        restarts: how often it was begun again because its driver was gone.
        space: the digest of the space whose trial it is; the store's attachments hold its
            description.
    """

    error: tuple[str, str]
    execution: dict[str, Any]
    from_tid: Tid
    imported_tid: Tid
    restarts: int
    space: str


class TrialDocument(TypedDict):
    """One trial, in the layout that Hyperopt's users read and write.

    Attributes:
        state: one of ``JOB_STATE_NEW``, ``_RUNNING``, ``_DONE``, ``_ERROR``, ``_CANCEL``.
        tid: the trial's id.
        spec: Hyperopt's; None.
        result: what the objective returned, with ``status`` and, where that is ok, ``loss``.
        misc: its values, and how it went.
        exp_key: the experiment that it belongs to, or None.
        owner: the search that made it or runs it, or None.
        version: counted up by each write to a store.
        book_time: when it was last handed over to be run, naive UTC.
        refresh_time: when it was last changed, naive UTC.
    """

    state: int
    tid: Tid
    spec: object
    result: dict[str, Any]
    misc: TrialMisc
    exp_key: str | None
    owner: str | None
    version: int
    book_time: datetime | None
    refresh_time: datetime | None


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


# A trial that was running each time when its driver died may be what killed it.
MOST_RESTARTS = 3


def utcnow() -> datetime:
    """Returns the time as naive UTC to the millisecond, the finest that every store keeps."""
    # MongoDB keeps milliseconds, and Hyperopt's documents are naive.
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def new_document(
    tid: Tid,
    configuration: Mapping[str, Any],
    labels: Iterable[str] = (),
    exp_key: str | None = None,
) -> TrialDocument:
    """Returns the document of a trial in state NEW.

    Args:
        tid: its id.
        configuration: values of the active labels.
        labels: all labels of the space; the inactive ones get empty lists.
        exp_key: the experiment that it belongs to.
    """
    # Inactive labels are there too, with empty lists: Hyperopt's tools make tables of them.
    # In the alphabet's order, by which programs take values from `best`.
    every = sorted({*labels, *configuration}, key=str)
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


def copy_document(document: TrialDocument) -> TrialDocument:
    """Returns a copy whose dictionaries and lists are its own; what they hold is shared.

    Results may hold fitted models and arrays, which are never copied.
    """
    # By hand: copy.deepcopy would copy the users' models too, and takes far longer.
    copy = document.copy()
    copy["result"] = dict(document["result"])
    misc = copy["misc"] = document["misc"].copy()
    misc["idxs"] = {label: [*tids] for label, tids in misc["idxs"].items()}
    misc["vals"] = {label: [*values] for label, values in misc["vals"].items()}
    return copy


def renumbered(document: TrialDocument, tid: Tid) -> TrialDocument:
    """Returns a copy that has another id."""
    copy = copy_document(document)
    copy["tid"] = copy["misc"]["tid"] = tid
    copy["misc"]["idxs"] = {
        label: [tid] if len(tids) else [] for label, tids in copy["misc"]["idxs"].items()
    }
    return copy


def configuration_of(document: TrialDocument) -> Configuration:
    """Returns the active labels' values of a trial document."""
    return active_values(document["misc"])


def active_values(misc: TrialMisc) -> Configuration:
    """Returns the active labels' values of a trial's ``misc``."""
    return {label: values[0] for label, values in misc["vals"].items() if len(values)}


def validate_document(document: TrialDocument) -> TrialDocument:
    """Returns the document itself, if it has every key of a trial.

    Raises:
        InvalidTrial: a key is missing, or a value is not of its form.
    """
    if not isinstance(document, Mapping):
        raise InvalidTrial(f"a trial is a dictionary, got {type(document).__name__}")
    _require(document, TRIAL_KEYS, "trial")
    _require(document["misc"], TRIAL_MISC_KEYS, "trial's misc")
    misc = document["misc"]
    for name in ("tid", "owner", "exp_key"):
        _require_key(name, document.get(name))
    if not _is_same(document["tid"], misc["tid"]):
        raise InvalidTrial(
            f"tid is {shown(document['tid'])} but misc['tid'] is {shown(misc['tid'])}"
        )
    _require_values(document)
    _require_columns("idxs", misc["idxs"])
    _require_columns("vals", misc["vals"])
    return document


def _require_values(document: TrialDocument) -> None:
    state = document["state"]
    if isinstance(state, bool) or not isinstance(state, Integral) or state not in JOB_STATES:
        raise InvalidTrial(f"state must be one of {JOB_STATES}, got {shown(state)}")
    if not isinstance(document["result"], Mapping):
        raise InvalidTrial(f"result must be a dictionary, got {shown(document['result'])}")
    if not isinstance(document.get("version", 0), Integral):
        raise InvalidTrial(f"version must be an integer, got {shown(document['version'])}")


def _require_key(name: str, value: object) -> None:
    # Ids of other tools are of many kinds, but each is looked up.
    try:
        hash(value)
    except TypeError:
        raise InvalidTrial(f"{name} must be a number or text, got {shown(value)}") from None


def _is_same(one: object, other: object) -> bool:
    try:
        return bool(one is other or one == other)
    except Exception:  # whatever a foreign object raises; two of them are not the same then
        return False


def _require_columns(key: str, columns: object) -> None:
    if not isinstance(columns, Mapping):
        raise InvalidTrial(f"misc[{key!r}] must be a dictionary, got {shown(columns)}")
    # At most one value: Hyperopt's lists are there for batches that nobody makes any more.
    for label, values in columns.items():
        listed = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str | bytes)
        if not listed or getattr(values, "ndim", 1) == 0 or len(values) > 1:
            raise InvalidTrial(
                f"misc[{key!r}][{label!r}] must be a list of at most one value, got "
                f"{shown(values)}"
            )


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


def has_ended(document: TrialDocument) -> bool:
    """Returns whether nothing more happens to this trial."""
    return not _NEXT_STATES[document["state"]]


def advance(
    document: TrialDocument,
    state: int,
    *,
    result: Mapping[str, Any] | None = None,
    error: tuple[str, str] | None = None,
    execution: Mapping[str, Any] | None = None,
) -> None:
    """Moves a trial on to ``state``.

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
        # Hyperopt's tools read result['status'] of every trial.
        result = {"status": STATUS_FAIL}
    if result is not None:
        document["result"] = dict(result)
    misc = document["misc"]
    if error is not None:
        misc["error"] = error
    if execution is not None:
        misc["execution"] = dict(execution)


def begin_again(document: TrialDocument, owner: str) -> bool:
    """Hands a trial in state NEW or RUNNING whose owner is gone to another one.

    Whoever ran it cannot tell any more how it went, so it becomes NEW; after
    :data:`MOST_RESTARTS` times it has failed.

    Returns:
        Whether it is NEW.
    """
    document["owner"] = owner
    if document["state"] == JOB_STATE_NEW:
        return True
    restarts = document["misc"]["restarts"] = document["misc"].get("restarts", 0) + 1
    if restarts <= MOST_RESTARTS:
        advance(document, JOB_STATE_NEW)
        return True
    message = f"its driver was gone {restarts} times while it ran, so it is not run again"
    advance(document, JOB_STATE_ERROR, error=("TrialLost", message))
    return False
