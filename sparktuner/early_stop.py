"""Rules that end a search early: ``early_stop_fn=no_progress_loss(20)``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sparktuner.errors import AllTrialsFailed

_log = logging.getLogger("sparktuner")


def no_progress_loss(
    iteration_stop_count: int = 20, percent_increase: float = 0.0
) -> Callable[..., tuple[bool, list[Any]]]:
    """Stop when so many trials in a row have not improved the best loss.

    Args:
        iteration_stop_count: how many.
        percent_increase: an improvement counts if it is at least so many percent of the
            best loss's magnitude.

    Returns:
        A function for fmin's ``early_stop_fn``. Failed trials count as no improvement.
    """

    def stop_fn(
        trials: Any, best_loss: float | None = None, iteration_no_progress: int = 0
    ) -> tuple[bool, list[Any]]:
        try:
            loss = trials.best_trial["result"]["loss"]
        except AllTrialsFailed:
            return False, [best_loss, iteration_no_progress + 1]
        if best_loss is None:
            # The first loss counts, as in Hyperopt: of equal losses so many trials are made.
            return False, [loss, 1]
        needed = best_loss - abs(best_loss) * percent_increase / 100.0
        if loss < needed:
            return False, [loss, 0]
        count = iteration_no_progress + 1
        _log.debug("no progress for %d of %d trials", count, iteration_stop_count)
        return count >= iteration_stop_count, [best_loss, count]

    return stop_fn
