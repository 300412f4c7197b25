"""Rules that end a search early: ``early_stop_fn=no_progress_loss(20)``."""

from __future__ import annotations

import logging
from typing import Any

from sparktuner.checks import check_number, check_whole
from sparktuner.driver import EarlyStop
from sparktuner.errors import AllTrialsFailed
from sparktuner.records import is_better
from sparktuner.trials import Trials

_log = logging.getLogger("sparktuner")


def no_progress_loss(iteration_stop_count: int = 20, percent_increase: float = 0.0) -> EarlyStop:
    """Returns a rule that stops when so many trials in a row have not improved the best loss.

    Failed trials count as no improvement.

    Args:
        iteration_stop_count: how many.
        percent_increase: an improvement counts if it is by more than so many percent of the
            best loss's magnitude.

    Returns:
        A function for fmin's ``early_stop_fn``.

    Raises:
        ValueError, TypeError: a number is out of its range, or none.

    Example:
        >>> from sparktuner import Trials, fmin, hp
        >>> from sparktuner.early_stop import no_progress_loss
        >>> trials = Trials()
        >>> best = fmin(
        ...     lambda x: 1.0, hp.uniform("x", 0, 1), max_evals=50, trials=trials, verbose=False,
        ...     early_stop_fn=no_progress_loss(5),
        ... )
        >>> len(trials)
        5
    """

    check_whole("iteration_stop_count", iteration_stop_count, least=1)
    check_number("percent_increase", percent_increase, least=0)

    def stop_fn(
        trials: Trials, best_loss: float | None = None, iteration_no_progress: int = 0
    ) -> tuple[bool, list[Any]]:
        try:
            loss = float(trials.best_trial["result"]["loss"])
        except AllTrialsFailed:
            # Nothing to compare with yet, but the trials count all the same.
            return False, [best_loss, iteration_no_progress + 1]
        if best_loss is None:
            # The first loss counts, as in Hyperopt: of equal losses so many trials are made.
            return False, [loss, 1]
        if is_better(loss, best_loss, by=abs(best_loss) * percent_increase / 100.0):
            return False, [loss, 0]
        count = iteration_no_progress + 1
        _log.debug("no progress for %d of %d trials", count, iteration_stop_count)
        return count >= iteration_stop_count, [best_loss, count]

    return stop_fn
