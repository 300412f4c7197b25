"""Parallel searches that give the same trials whatever order their results arrive in."""

from __future__ import annotations

from typing import Any

from sparktuner.status import JOB_STATE_DONE, JOB_STATE_RUNNING, STATUS_NEW


class OrderedView:
    """What suggestion i may know: the results of trials 0 to i - window, and nothing of the rest.

    The algorithm is shown trials of its own, in which later ones are still running however
    they ended, so that its answer depends on the seed and the objective alone.

    Args:
        trials: the search's trials.
        window: how many trials are in flight at most.
    """

    def __init__(self, trials: Any, window: int) -> None:
        self._source = trials
        self._window = window
        self._view = trials.emptied()
        self._revealed = 0

    def is_ready(self) -> bool:
        """Whether all results that the next suggestion is to know are in."""
        documents = self._source._dynamic_trials
        needed = documents[self._revealed : self._needed()]
        return all(document["state"] >= JOB_STATE_DONE for document in needed)

    def trials(self) -> Any:
        """The trials as the next suggestion is to see them; only when it :meth:`is_ready`."""
        documents = self._source._dynamic_trials
        shown = self._view._dynamic_trials
        hidden = {"state": JOB_STATE_RUNNING, "result": {"status": STATUS_NEW}}
        self._view.insert_trial_docs([{**d, **hidden} for d in documents[len(shown) :]])
        while self._revealed < self._needed():
            shown[self._revealed].update(documents[self._revealed])
            self._revealed += 1
        self._view.refresh()
        return self._view

    def _needed(self) -> int:
        return max(self._revealed, len(self._source._dynamic_trials) - self._window + 1)
