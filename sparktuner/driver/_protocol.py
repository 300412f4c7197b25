"""What the driver hands to the user's own functions."""

from __future__ import annotations

from typing import Protocol, TypeVar

from sparktuner.domain import CtrlTrials
from sparktuner.records import TrialLog
from sparktuner.suggest import SearchedTrials

Self = TypeVar("Self", bound="TrialsView")


class TrialsView(SearchedTrials, CtrlTrials, Protocol):
    """The :class:`sparktuner.Trials` of a search, as far as the driver knows it.

    Algorithms, early stops and callbacks are handed one; the driver itself reads and writes
    the :class:`TrialLog`.
    """

    def refresh(self) -> None:
        """Shows what the log holds by now."""

    def over(self: Self, log: TrialLog) -> Self:
        """Returns trials of the same kind and settings that show another log."""
