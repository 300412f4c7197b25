"""Hyperopt's import path for :class:`sparktuner.SparkTrials`.

The constants are what ``trials._fmin_cancelled_reason`` is compared with, in programs that
Databricks AutoML wrote; ``trials.fmin_cancelled_reason`` says more.
"""

from sparktuner.trials import HYPEROPTS_REASONS, SparkTrials

FMIN_CANCELLED_REASON_TIMEOUT = HYPEROPTS_REASONS["timeout"]
FMIN_CANCELLED_REASON_EARLY_STOPPING = HYPEROPTS_REASONS["early_stop_fn"]
FMIN_CANCELLED_REASON_USER = "fmin run cancelled by user"

__all__ = [
    "SparkTrials",
    "FMIN_CANCELLED_REASON_TIMEOUT",
    "FMIN_CANCELLED_REASON_EARLY_STOPPING",
    "FMIN_CANCELLED_REASON_USER",
]
