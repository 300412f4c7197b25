"""Hyperopt's import path for :mod:`sparktuner.errors`."""

from sparktuner.errors import (
    AllTrialsFailed,
    BadSearchSpace,
    DuplicateLabel,
    InvalidAnnotatedParameter,
    InvalidLoss,
    InvalidResultStatus,
    InvalidTrial,
)

__all__ = [
    "BadSearchSpace",
    "DuplicateLabel",
    "InvalidTrial",
    "InvalidResultStatus",
    "InvalidLoss",
    "AllTrialsFailed",
    "InvalidAnnotatedParameter",
]
