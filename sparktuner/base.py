"""Hyperopt's import path for trials, documents, states and statuses."""

from sparktuner.domain import Ctrl, Domain
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


def spec_from_misc(misc: dict[str, object]) -> dict[str, object]:
    """The active labels' values in a trial's ``misc``."""
    return _configuration_of({"misc": misc})


__all__ = [
    "Trials",
    "trials_from_docs",
    "Domain",
    "Ctrl",
    "TRIAL_KEYS",
    "TRIAL_MISC_KEYS",
    "miscs_to_idxs_vals",
    "spec_from_misc",
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
