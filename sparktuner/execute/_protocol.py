"""The seam between the driver's loop and whatever runs the objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Execution:
    """Where and when a trial ran.

    Attributes:
        host: name of the machine.
        executor: the Spark executor's id, or ``"driver"``; empty where it is not known.
        pid: process id of the Python process that called the objective; 0 where that died.
        started: naive UTC, when the objective was called, by the worker's clock. Where the
            worker died: when the trial was submitted.
        duration: seconds inside the objective. Where the worker died: of the last attempt.
        queue_time: seconds from submission to the objective's start.
        attempt: 0 for the first attempt.
        earlier: the attempts before this one, whose worker died or was lost: ``host`` (empty
            where it is not known), ``duration`` in seconds, and ``reason``.
    """

    host: str
    executor: str
    pid: int
    started: datetime
    duration: float
    queue_time: float
    attempt: int = 0
    earlier: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Started:
    """A trial was handed over to be run.

    Comes again, any number of times, when it becomes known that the trial waits for a slot of
    the cluster, or has one: ``waits`` is the news.
    """

    tid: Any
    waits: bool = False


@dataclass(frozen=True)
class Finished:
    """The objective returned; ``value`` is just what it returned, not yet checked."""

    tid: Any
    value: Any
    execution: Execution


@dataclass(frozen=True)
class Failed:
    """The objective raised, its result could not travel, or its worker died.

    Attributes:
        tid: the trial.
        error_type: qualified name of the exception's type, e.g. ``"ValueError"``.
        message: the exception's text.
        traceback: the traceback from where the objective ran; may be empty.
        execution: None where nothing is known of it.
        exception: the exception itself, where it was raised in this process.
    """

    tid: Any
    error_type: str
    message: str
    traceback: str
    execution: Execution | None = None
    exception: BaseException | None = None


@dataclass(frozen=True)
class Cancelled:
    """A trial ended without a result because :meth:`Executor.cancel` asked for it."""

    tid: Any


Event = Started | Finished | Failed | Cancelled


class Executor(ABC):
    """Runs one objective for many trials, a bounded number at a time.

    Made for one search and one objective. All methods are called by one thread, the
    driver's loop. Each submitted trial ends in exactly one of :class:`Finished`,
    :class:`Failed` or :class:`Cancelled`.
    """

    @abstractmethod
    def free_slots(self) -> int:
        """How many trials may be submitted now; never negative.

        Follows the cluster where the executor does, but changes only in :meth:`wait`.
        """

    @abstractmethod
    def submit(self, tid: Any, argument: Any, description: str = "", seed: int = 0) -> None:
        """Start the objective on ``argument``; returns at once.

        Args:
            tid: the trial's id, not in flight now.
            argument: the configuration as the objective receives it.
            description: one line for people, e.g. for the Spark UI.
            seed: what :func:`current_trial` tells the objective.

        Raises:
            RuntimeError: no slot is free, or the executor is closed.
        """

    @abstractmethod
    def wait(self, timeout: float | None) -> list[Event]:
        """Block until there are events, then return all there are, oldest first.

        Returns an empty list after ``timeout`` seconds (None: no limit), at once when nothing
        is in flight, and when the number of slots changes.
        """

    @abstractmethod
    def cancel(self, tids: Iterable[Any]) -> None:
        """Ask that these trials end; returns at once.

        A result that still arrives is delivered as :class:`Finished`. Asking again is
        harmless; so is naming a trial that is not in flight.
        """

    @abstractmethod
    def elapsed(self, tid: Any) -> float | None:
        """Seconds this trial has been running; None while it waits for a slot.

        Never asks the cluster itself: None too where nobody has looked yet, and asking makes
        somebody look.
        """

    @abstractmethod
    def close(self) -> None:
        """Cancel what is in flight, release threads and shipped data; may be called twice.

        :meth:`wait` still returns the end of each trial that was in flight: a result that
        arrived in time, or :class:`Cancelled`, even if its thread could not be stopped.
        """

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
