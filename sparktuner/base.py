"""Hyperopt's import path for trials, documents, states and statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparktuner import pyll
from sparktuner.checks import check_list, check_loss_threshold, check_mapping, check_seconds, shown
from sparktuner.domain import Ctrl, Domain
from sparktuner.errors import (
    AllTrialsFailed,
    DuplicateLabel,
    InvalidLoss,
    InvalidResultStatus,
    InvalidTrial,
)
from sparktuner.records import (
    TRIAL_KEYS,
    TRIAL_MISC_KEYS,
    Configuration,
    Tid,
    TrialMisc,
    active_values,
    miscs_to_idxs_vals,
)
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    JOB_STATES,
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    STATUS_RUNNING,
    STATUS_STRINGS,
    STATUS_SUSPENDED,
)
from sparktuner.trials import Trials, trials_from_docs
from sparktuner.utils import use_obj_for_literal_in_memo

JOB_VALID_STATES = JOB_STATES


def validate_timeout(timeout: object) -> None:
    """Refuses what is no positive number of seconds; None is no limit.

    Raises:
        ValueError: ``timeout`` is something else.

    Example:
        >>> from sparktuner.base import validate_timeout
        >>> validate_timeout(-1)
        Traceback (most recent call last):
        ValueError: timeout must be None or a number of seconds above 0, got -1
    """
    check_seconds("timeout", timeout)


def validate_loss_threshold(loss_threshold: object) -> None:
    """Refuses what is no real number; None is no threshold.

    Raises:
        ValueError: ``loss_threshold`` is something else.

    Example:
        >>> from sparktuner.base import validate_loss_threshold
        >>> validate_loss_threshold("low")
        Traceback (most recent call last):
        ValueError: loss_threshold must be None or a real number, got 'low'
    """
    check_loss_threshold(loss_threshold)


def spec_from_misc(misc: TrialMisc) -> Configuration:
    """Returns the active labels' values in a trial's ``misc``.

    Example:
        >>> from sparktuner.base import spec_from_misc
        >>> spec_from_misc({"tid": 0, "cmd": None, "idxs": {}, "vals": {"x": [0.5], "y": []}})
        {'x': 0.5}
    """
    check_mapping("misc", misc, "trials.miscs[0]")
    check_mapping("misc['vals']", misc.get("vals"), "{'x': [0.5]}")
    return active_values(misc)


def miscs_update_idxs_vals(
    miscs: Sequence[TrialMisc],
    idxs: Mapping[str, Sequence[Tid]],
    vals: Mapping[str, Sequence[Any]],
    assert_all_vals_used: bool = True,
    idxs_map: Mapping[Tid, Tid] | None = None,
) -> Sequence[TrialMisc]:
    """Writes columns of values into the miscs of the trials that they belong to.

    Args:
        miscs: of trial documents, each with its ``tid``; changed in place.
        idxs: by label, the ids of the trials in which it is active.
        vals: by label, its values there.
        assert_all_vals_used: refuse an id that none of ``miscs`` has.
        idxs_map: the ids in ``idxs`` -> the ids in ``miscs``, where they differ.

    Returns:
        ``miscs``.

    Raises:
        InvalidTrial: an id is unknown, or there is not one value for each id.
        TypeError: an argument is of the wrong type.

    Example:
        >>> from sparktuner.base import miscs_update_idxs_vals
        >>> [misc] = miscs_update_idxs_vals([{"tid": 4}], {"x": [4]}, {"x": [0.5]})
        >>> misc["vals"]
        {'x': [0.5]}
    """
    check_list("miscs", miscs, "trials' miscs")
    check_mapping("idxs", idxs, "{'x': [0]}")
    check_mapping("vals", vals, "{'x': [0.5]}")
    for misc in miscs:
        check_mapping("each of miscs", misc, "{'tid': 0}")
        if "tid" not in misc:
            raise InvalidTrial(f"each of miscs needs a 'tid', got {shown(misc)}")
    by_tid = {misc["tid"]: misc for misc in miscs}
    # Every label is in every misc, with an empty list where it is inactive.
    for misc in miscs:
        misc["idxs"] = {label: [] for label in idxs}
        misc["vals"] = {label: [] for label in idxs}
    for label, tids in idxs.items():
        for tid, value in _column(label, tids, vals.get(label)):
            owner = by_tid.get((idxs_map or {}).get(tid, tid))
            if owner is not None:
                owner["idxs"][label], owner["vals"][label] = [owner["tid"]], [value]
            elif assert_all_vals_used:
                raise InvalidTrial(f"idxs[{label!r}] names trial {tid!r}, which has no misc here")
    return miscs


def _column(label: str, tids: object, values: object) -> list[tuple[Tid, Any]]:
    """The trials in which a label is active, each with its value."""
    for name, column in (("idxs", tids), ("vals", values)):
        if not isinstance(column, Sequence | np.ndarray) or isinstance(column, str):
            raise InvalidTrial(f"{name}[{label!r}] must be a list, got {shown(column)}")
    pairs = list(zip(tids, values, strict=False))  # type: ignore[call-overload]
    if not len(pairs) == len(tids) == len(values):  # type: ignore[arg-type]
        raise InvalidTrial(
            f"vals[{label!r}] must have a value for each trial of idxs[{label!r}], got "
            f"{shown(values)} for {shown(tids)}"
        )
    return pairs


__all__ = [
    "Trials",
    "trials_from_docs",
    "Domain",
    "Ctrl",
    "TRIAL_KEYS",
    "TRIAL_MISC_KEYS",
    "miscs_to_idxs_vals",
    "miscs_update_idxs_vals",
    "spec_from_misc",
    "use_obj_for_literal_in_memo",
    "pyll",
    "validate_timeout",
    "validate_loss_threshold",
    "JOB_STATE_NEW",
    "JOB_STATE_RUNNING",
    "JOB_STATE_DONE",
    "JOB_STATE_ERROR",
    "JOB_STATE_CANCEL",
    "JOB_STATES",
    "JOB_VALID_STATES",
    "STATUS_NEW",
    "STATUS_RUNNING",
    "STATUS_SUSPENDED",
    "STATUS_OK",
    "STATUS_FAIL",
    "STATUS_STRINGS",
    "AllTrialsFailed",
    "DuplicateLabel",
    "InvalidLoss",
    "InvalidResultStatus",
    "InvalidTrial",
]
