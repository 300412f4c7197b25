"""When a search ends before its ``max_evals``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sparktuner.errors import AllTrialsFailed, ObjectiveFailed
from sparktuner.execute import Failed
from sparktuner.records import Document, finite_loss
from sparktuner.status import JOB_STATE_DONE


class StopRules:
    """The search's time limit, its loss threshold and the user's early stop.

    Args:
        deadline: on the loop's clock, or None.
        loss_threshold: a loss that is good enough, or None.
        early_stop_fn: ``fn(trials, *args) -> (stop, args)``, asked after each trial
            once one has a result.
        deadline_margin: a trial needs this many times the shortest duration seen; None
            starts trials until the time is up.
    """

    def __init__(
        self,
        deadline: float | None,
        loss_threshold: float | None,
        early_stop_fn: Callable[..., Any] | None,
        deadline_margin: float | None = None,
    ) -> None:
        self.deadline = deadline
        self._deadline_margin = deadline_margin
        self._shortest: float | None = None
        self._has_results = False
        self._loss_threshold = loss_threshold
        self._early_stop_fn = early_stop_fn
        self._early_stop_args: Any = ()
        self._reason: str | None = None

    def after(self, document: Document, trials: Any) -> None:
        """Take note of a trial that ended; what the user's function raises passes through."""
        if document["state"] == JOB_STATE_DONE:
            self._has_results = True
            duration = document["misc"]["execution"]["duration"]
            self._shortest = duration if self._shortest is None else min(self._shortest, duration)
        loss = finite_loss(document)
        if self._loss_threshold is not None and loss is not None and loss <= self._loss_threshold:
            self._reason = f"loss_threshold: {loss:g} is at most {self._loss_threshold:g}"
        # Users look at the last loss, so there must be one.
        if self._early_stop_fn is not None and self._has_results:
            self._ask(self._early_stop_fn, trials)

    def _ask(self, early_stop_fn: Callable[..., Any], trials: Any) -> None:
        trials.refresh()
        try:
            answer = early_stop_fn(trials, *self._early_stop_args)
        except AllTrialsFailed:  # of trials.best_trial: there is nothing to judge yet
            return
        try:
            stop, self._early_stop_args = answer
        except (TypeError, ValueError):
            raise TypeError(
                "early_stop_fn(trials, *args) must return (stop, args), a bool and a list of "
                f"arguments for its next call, got {answer!r}"
            ) from None
        if stop:
            name = getattr(early_stop_fn, "__name__", "early_stop_fn")
            self._reason = f"early_stop_fn: {name} asked to stop"

    def may_start(self, now: float) -> bool:
        """Whether a trial that starts now could end in time, by the durations seen so far."""
        if self.deadline is None or self._shortest is None or self._deadline_margin is None:
            return True
        return now + self._deadline_margin * self._shortest <= self.deadline

    def reason(self, now: float) -> str | None:
        """Why to stop now, or None to go on."""
        if self._reason is None and self.deadline is not None and now >= self.deadline:
            return "timeout: the search's time is used up"
        return self._reason


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
        """A trial returned a result: whatever fails later is that trial's own matter."""
        self._works = True

    def failed(self, event: Failed) -> None:
        """Count a failure.

        Raises:
            ObjectiveFailed: it is one too many; the message holds the remote traceback.
        """
        signature = _signature(event)
        if self._works or (self._count and signature != self._signature):
            self._works = True
            return
        self._signature = signature
        self._count += 1
        if self._count >= self._patience:
            raise ObjectiveFailed(
                f"the objective failed in each of the first {self._count} trials with the same "
                f"error, so the search was stopped (catch_eval_exceptions=True goes on):\n"
                + (event.traceback.rstrip() or f"{event.error_type}: {event.message}")
            ) from event.exception


def _signature(event: Failed) -> tuple[str, str]:
    # The place in the code tells errors apart; a message may name the parameters' values.
    places = [line for line in event.traceback.splitlines() if line.lstrip().startswith("File ")]
    return event.error_type, "\n".join(places) or event.message
