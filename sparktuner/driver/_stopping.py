"""When a search ends before its ``max_evals``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from sparktuner.checks import shown
from sparktuner.driver._protocol import TrialsView
from sparktuner.errors import AllTrialsFailed, ObjectiveFailed
from sparktuner.execute import Failed
from sparktuner.records import TrialDocument, finite_loss, reaches
from sparktuner.status import JOB_STATE_DONE


class StopRules:
    """A search's time limit, its loss threshold and the user's early stop.

    Args:
        deadline: on the loop's clock, or None.
        loss_threshold: a loss that is good enough, or None.
        early_stop: asked after each trial once one has a result; returns why to stop, or None.
        deadline_margin: a trial needs this many times the shortest duration seen; None
            starts trials until the time is up.
    """

    def __init__(
        self,
        deadline: float | None = None,
        loss_threshold: float | None = None,
        early_stop: Callable[[], str | None] | None = None,
        deadline_margin: float | None = None,
    ) -> None:
        self.deadline = deadline
        self._loss_threshold = loss_threshold
        self._early_stop = early_stop
        self._deadline_margin = deadline_margin
        self._shortest: float | None = None
        self._has_results = False
        self._reason: str | None = None

    def begin(self, best: TrialDocument | None) -> None:
        """Takes note of the best trial that is there before the search."""
        if best is not None:
            self._compare(best)

    def after(self, document: TrialDocument) -> None:
        """Takes note of a trial that ended; what the user's early stop raises passes through."""
        if document["state"] == JOB_STATE_DONE:
            self._has_results = True
            duration = document["misc"]["execution"]["duration"]
            self._shortest = duration if self._shortest is None else min(self._shortest, duration)
        self._compare(document)
        # Users look at the last loss, so there must be one.
        if self._early_stop is not None and self._has_results:
            self._reason = self._early_stop() or self._reason

    def _compare(self, document: TrialDocument) -> None:
        loss = finite_loss(document)
        if reaches(loss, self._loss_threshold):
            self._reason = f"loss_threshold: {loss:g} is at most {self._loss_threshold:g}"

    def may_start(self, now: float) -> bool:
        """Returns whether a trial that starts now could end in time, by the durations so far."""
        # Before the first trial has ended nothing is known, and one has to be tried.
        if self.deadline is None or self._shortest is None or self._deadline_margin is None:
            return True
        return now + self._deadline_margin * self._shortest <= self.deadline

    def reason(self, now: float) -> str | None:
        """Returns why to stop now, or None to go on."""
        if self._reason is None and self.deadline is not None and now >= self.deadline:
            return "timeout: the search's time is used up"
        return self._reason


class EarlyStop:
    """Asks the user's ``early_stop_fn(trials, *args) -> (stop, args)``.

    Args:
        function: the user's.
        trials: what it is handed.
    """

    def __init__(
        self, function: Callable[..., tuple[bool, Sequence[Any]]], trials: TrialsView
    ) -> None:
        self._function = function
        self._trials = trials
        self._args: Sequence[Any] = ()

    def __call__(self) -> str | None:
        """Returns why to stop, or None to go on.

        Raises:
            TypeError: the function's answer is not a pair.
        """
        self._trials.refresh()
        try:
            answer = self._function(self._trials, *self._args)
        except AllTrialsFailed:  # of trials.best_trial: there is nothing to judge yet
            return None
        if not _is_answer(answer):
            raise TypeError(
                "early_stop_fn(trials, *args) must return (stop, args), a bool and a list of "
                f"arguments for its next call, got {shown(answer)}"
            )
        stop, self._args = answer
        name = getattr(self._function, "__name__", "early_stop_fn")
        return f"early_stop_fn: {name} asked to stop" if stop else None


def _is_answer(answer: object) -> bool:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return False
    stop, args = answer
    # Some rules written for Hyperopt return an empty dictionary.
    listed = isinstance(args, tuple | list) or (isinstance(args, Mapping) and not args)
    return listed and isinstance(stop, bool | Integral | np.bool_)


class SameFailure:
    """Notices an objective that cannot work: its first trials all failed, and all alike.

    Args:
        patience: how many such trials it takes.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._signature: tuple[str, str] | None = None
        self._count = 0
        self._works = False

    def succeeded(self) -> None:
        """Takes note of a result: whatever fails later is that trial's own matter."""
        self._works = True

    def failed(self, event: Failed, returned: str = "") -> ObjectiveFailed | None:
        """Counts a failure.

        Args:
            event: the failure.
            returned: the type of what the objective returned, where that is no result.

        Returns:
            What to end the search with, where it is one too many; its message holds the
            remote traceback.
        """
        # What was returned differs from trial to trial, and so does the message that shows it.
        signature = (event.error_type, returned) if returned else _signature(event)
        # Two kinds of failure are no systematic one, and nor is any after a success.
        if self._works or (self._count and signature != self._signature):
            self._works = True
            return None
        self._signature = signature
        self._count += 1
        if self._count < self._patience:
            return None
        error = ObjectiveFailed(
            f"the objective failed in each of the first {self._count} trials with the same "
            f"error, so the search was stopped (catch_eval_exceptions=True goes on):\n"
            + (event.traceback.rstrip() or f"{event.error_type}: {event.message}")
        )
        error.__cause__ = event.exception
        return error


def _signature(event: Failed) -> tuple[str, str]:
    # The place in the code tells errors apart; a message may name the parameters' values.
    places = [line for line in event.traceback.splitlines() if line.lstrip().startswith("File ")]
    return event.error_type, "\n".join(places) or event.message
