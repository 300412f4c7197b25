"""The driver: turns the arguments of ``fmin`` into a search and runs it.

In reading order: the checked arguments, a search from arguments to answer, the loop, the
rules that stop it, and what observes it (checkpoint file, progress bar).
"""

from sparktuner.driver._loop import Loop, describe
from sparktuner.driver._minimise import minimise
from sparktuner.driver._observers import Checkpoint, Observer
from sparktuner.driver._options import (
    SearchOptions,
    Seeds,
    check_loss_threshold,
    check_parallelism,
    check_seconds,
)
from sparktuner.driver._progress import Progress, no_bar, tqdm_bar
from sparktuner.driver._stopping import SameFailure, StopRules

__all__ = [
    "SearchOptions",
    "Seeds",
    "check_seconds",
    "check_loss_threshold",
    "check_parallelism",
    "minimise",
    "Loop",
    "describe",
    "StopRules",
    "SameFailure",
    "Observer",
    "Checkpoint",
    "Progress",
    "tqdm_bar",
    "no_bar",
]
