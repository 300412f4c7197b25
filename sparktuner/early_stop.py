"""Rules that end a search early: ``early_stop_fn=no_progress_loss(20)``.

In reading order: :func:`no_progress_loss` counts trials, :func:`regret_bound` estimates what is
left to find, :func:`expected_gain` weighs what the next trial may find against its time.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sparktuner.checks import check_number, check_whole, is_real
from sparktuner.driver import EarlyStop
from sparktuner.errors import AllTrialsFailed
from sparktuner.records import TrialDocument, has_ended, is_better
from sparktuner.suggest import Outlook, outlook_of
from sparktuner.trials import Trials

_log = logging.getLogger("sparktuner")

# How often a rule looks at the trials: after so many, and this share of all there are. A look
# takes some 20 ms.
_LOOK_EVERY = 4
_LOOK_SHARE = 0.05
# A process that is fitted anew at each look is too sure for once by chance, so the best loss has
# to rest as well. The numbers were chosen on the even tasks of tests/benchmarks/stopping.py.
_REST = 25
_REST_SHARE = 0.1
# The pace of a search is that of its last trials.
_PACE = 30


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


def regret_bound(percent: float = 1.0, min_trials: int = 20) -> EarlyStop:
    """Returns a rule that stops when the best trial is, in all likelihood, nearly the optimum.

    A Gaussian process of the losses knows how much the best configuration that was tried may be
    worse than the best one of the space: the regret. The search stops

    - when the regret is likely to be at most ``percent`` of what was gained, which is the
      difference between the median of the first 20 losses and the best one. Likely is its
      median among functions drawn from the process (Wilson, 2024, "Stopping Bayesian
      optimization with probabilistic regret bounds"). The last 25 trials must not have gained a
      tenth of that either;
    - when its bound, which holds with high probability (Makarova et al., 2022, "Automatic
      termination for hyperparameter optimization"), is at most the standard error of the best
      loss, where that is known: by its result's ``loss_variance``, or ``fold_losses``, the
      losses of its cross-validation's folds.

    The rule looks at the trials after every fourth one, and less often later. A space of many
    parameters is hardly ever known so well, and a search over it goes on.

    Args:
        percent: how much need not be found.
        min_trials: so many trials with a finite loss are made in any case.

    Returns:
        A function for fmin's ``early_stop_fn``.

    Raises:
        ValueError, TypeError: a number is out of its range, or none.

    Example:
        >>> from sparktuner import Trials, fmin, hp
        >>> from sparktuner.early_stop import regret_bound
        >>> trials = Trials()
        >>> best = fmin(
        ...     lambda x: (x - 1) ** 2, hp.uniform("x", -5, 5), max_evals=200, trials=trials,
        ...     early_stop_fn=regret_bound(), rstate=0, verbose=False,
        ... )
        >>> len(trials) < 50, trials.fmin_cancelled_reason
        (True, 'early_stop_fn: regret_bound asked to stop')
    """
    check_number("percent", percent, above=0)
    check_whole("min_trials", min_trials, least=1)

    def stop_fn(trials: Trials, next_look: int = 0) -> tuple[bool, list[Any]]:
        outlook, next_look = _look(trials, min_trials, next_look)
        if outlook is None:
            return False, [next_look]
        aim = outlook.gained * percent / 100
        error = _standard_error(trials.best_trial["result"])
        likely, most = outlook.likely_regret, outlook.regret
        _log.debug("the regret is likely %g, at most %g; %g would be little", likely, most, aim)
        little = likely <= aim and _rests(trials, _REST_SHARE * aim)
        return little or most <= error, [next_look]

    return _named(stop_fn, "regret_bound")


def expected_gain(seconds_per_percent: float, min_trials: int = 20) -> EarlyStop:
    """Returns a rule that stops when going on is expected to gain less than it is worth.

    A Gaussian process of the losses says how much better the next trial will make the best
    loss: its expected improvement (Jones, Schonlau, Welch, 1998). The last trials say how many
    seconds of the search a trial takes, with as many at a time as there were. A search of which
    another hour would gain less than an hour's worth is stopped.

    Args:
        seconds_per_percent: how many seconds of the search one percent is worth, of the
            difference between the median of the first 20 losses and the best one: 3600 if
            you would wait an hour for it.
        min_trials: so many trials with a finite loss are made in any case.

    Returns:
        A function for fmin's ``early_stop_fn``.

    Raises:
        ValueError, TypeError: a number is out of its range, or none.

    Example:
        >>> import time
        >>> from sparktuner import Trials, fmin, hp
        >>> from sparktuner.early_stop import expected_gain
        >>> trials = Trials()
        >>> def objective(x):
        ...     time.sleep(0.001)
        ...     return (x - 1) ** 2
        >>> best = fmin(
        ...     objective, hp.uniform("x", -5, 5), max_evals=200, trials=trials,
        ...     early_stop_fn=expected_gain(0.01), rstate=0, verbose=False,
        ... )
        >>> len(trials) < 50, trials.fmin_cancelled_reason
        (True, 'early_stop_fn: expected_gain asked to stop')
    """
    check_number("seconds_per_percent", seconds_per_percent, above=0)
    check_whole("min_trials", min_trials, least=1)

    def stop_fn(trials: Trials, next_look: int = 0) -> tuple[bool, list[Any]]:
        outlook, next_look = _look(trials, min_trials, next_look)
        seconds = None if outlook is None else _seconds_per_trial(trials.all_trials)
        if outlook is None or seconds is None:
            return False, [next_look]
        if not outlook.gained > 0:
            return True, [next_look]  # all losses are equal
        percent = 100 * outlook.gain / outlook.gained
        _log.debug("the next trial, of %g s, is expected to gain %g %%", seconds, percent)
        return percent * seconds_per_percent < seconds, [next_look]

    return _named(stop_fn, "expected_gain")


def _named(stop_fn: EarlyStop, name: str) -> EarlyStop:
    # By which a search says why it ended.
    stop_fn.__name__ = name
    return stop_fn


def _look(trials: Trials, min_trials: int, next_look: int) -> tuple[Outlook | None, int]:
    """The outlook, where it is time to look at it, and when the next look is due."""
    space = trials.columns
    history = trials.history(space)
    ended = history.n + len(history.failed)
    if history.n < min_trials or ended < next_look:
        return None, next_look
    return outlook_of(space, history), ended + max(_LOOK_EVERY, int(_LOOK_SHARE * ended))


def _rests(trials: Trials, least: float) -> bool:
    """Whether the last trials have improved the best loss by no more than ``least``."""
    losses = trials.history(trials.columns).losses / 8  # of which differences are finite
    before = losses[:-_REST]
    return len(before) > 0 and float(before.min() - losses.min()) <= least / 8


def _standard_error(result: Mapping[str, Any]) -> float:
    """The standard error of a result's loss, 0 where nothing is known of it."""
    folds = result.get("fold_losses")
    if (
        isinstance(folds, list | tuple | np.ndarray)
        and len(folds) > 1
        and all(map(is_real, folds))
    ):
        # Nadeau and Bengio (2003), as Makarova et al. use it: folds share their data, so their
        # mean varies by more than a k-th of their variance.
        k = len(folds)
        variance = float(np.var(folds, ddof=1)) * (1 / k + 1 / (k - 1))
    else:
        given = result.get("loss_variance")
        variance = float(given) if is_real(given) else 0.0  # type: ignore[arg-type]
    return math.sqrt(variance) if 0 < variance < math.inf else 0.0


def _seconds_per_trial(documents: Iterable[TrialDocument]) -> float | None:
    """How many seconds of the search each of its last trials took, None where it is not known."""
    spans: list[tuple[datetime, datetime]] = []
    for document in documents:
        execution = document["misc"].get("execution") or {}
        started, duration = execution.get("started"), execution.get("duration")
        # Trials of other tools may have neither.
        if has_ended(document) and isinstance(started, datetime) and duration is not None:
            spans.append((started + timedelta(seconds=float(duration)), started))
    last = sorted(spans)[-_PACE:]
    if not last:
        return None
    whole = last[-1][0] - min(started for _, started in last)
    return whole.total_seconds() / len(last)
