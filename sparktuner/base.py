"""Hyperopt's import path for trials, documents, states and statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sparktuner.domain import Ctrl, Domain
from sparktuner.driver import check_loss_threshold, check_seconds
from sparktuner.errors import (
    AllTrialsFailed,
    DuplicateLabel,
    InvalidLoss,
    InvalidResultStatus,
    InvalidTrial,
)
from sparktuner.records import TRIAL_KEYS, TRIAL_MISC_KEYS, miscs_to_idxs_vals
from sparktuner.records import configuration_of as _configuration_of
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

JOB_VALID_STATES = JOB_STATES


def validate_timeout(timeout: object) -> None:
    """Refuse what is no positive number of seconds; None is no limit."""
    check_seconds("timeout", timeout)


def validate_loss_threshold(loss_threshold: object) -> None:
    """Refuse what is no real number; None is no threshold."""
    check_loss_threshold(loss_threshold)


def spec_from_misc(misc: dict[str, object]) -> dict[str, object]:
    """The active labels' values in a trial's ``misc``."""
    return _configuration_of({"misc": misc})


def miscs_update_idxs_vals(
    miscs: Sequence[dict[str, Any]],
    idxs: Mapping[str, Sequence[Any]],
    vals: Mapping[str, Sequence[Any]],
    assert_all_vals_used: bool = True,
    idxs_map: Mapping[Any, Any] | None = None,
) -> Sequence[dict[str, Any]]:
    """Write columns of values into the miscs of the trials that they belong to.

    Args:
        miscs: of trial documents, each with its ``tid``; changed in place.
        idxs: by label, the ids of the trials in which it is active.
        vals: by label, its values there.
        assert_all_vals_used: refuse an id that none of ``miscs`` has.
        idxs_map: the ids in ``idxs`` -> the ids in ``miscs``, where they differ.

    Returns:
        ``miscs``.

    Raises:
        InvalidTrial: an id is unknown.
    """
    by_tid = {misc["tid"]: misc for misc in miscs}
    for misc in miscs:
        misc["idxs"] = {label: [] for label in idxs}
        misc["vals"] = {label: [] for label in idxs}
    for label, tids in idxs.items():
        for tid, value in zip(tids, vals[label], strict=True):
            owner = by_tid.get((idxs_map or {}).get(tid, tid))
            if owner is not None:
                owner["idxs"][label], owner["vals"][label] = [owner["tid"]], [value]
            elif assert_all_vals_used:
                raise InvalidTrial(f"idxs[{label!r}] names trial {tid!r}, which has no misc here")
    return miscs


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
