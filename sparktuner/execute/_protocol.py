"""The seam between the driver's loop and whatever runs the objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, BinaryIO, Protocol, TypeAlias, TypedDict

from sparktuner.status import FailureKind

# The id of a trial, unique in its store.
Tid: TypeAlias = int
# Takes one argument, the configuration. Its type is the user's affair, so it stays Any.
Objective: TypeAlias = Callable[[Any], object]


def utc_now() -> datetime:
    """Returns the time as naive UTC, as the documents have it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


@dataclass(frozen=True)
class Submission:
    """A trial to run.

    Attributes:
        tid: the trial's id, not in flight now.
        argument: the configuration as the objective receives it.
        description: one line for people, e.g. for the Spark UI.
        seed: what :func:`current_trial` tells the objective.
        submitted: naive UTC; where queue times begin.
    """

    tid: Tid
    argument: object
    description: str = ""
    seed: int = 0
    submitted: datetime = field(default_factory=utc_now)


class EarlierAttempt(TypedDict):
    """An attempt to run a trial whose worker died or was lost.

    Attributes:
        host: where it ran; empty where that is not known.
        duration: seconds.
        reason: why it ended, for people.
    """

    host: str
    duration: float
    reason: str


@dataclass(frozen=True)
class Execution:
    """The place and time at which a trial ran.

    Attributes:
        host: name of the machine.
        executor: the Spark executor's id, or ``"driver"``; empty where it is not known.
        pid: process id of the Python process that called the objective; 0 where that died.
        started: naive UTC, when the objective was called, by the worker's clock. Where the
            worker died: when the last attempt was submitted, by the driver's.
        duration: seconds inside the objective. Where the worker died: of the last attempt.
        queue_time: seconds from submission to the objective's start.
        attempt: 0 for the first attempt.
        earlier: the attempts before this one.
    """

    host: str
    executor: str
    pid: int
    started: datetime
    duration: float
    queue_time: float
    attempt: int = 0
    earlier: list[EarlierAttempt] = field(default_factory=list)


@dataclass(frozen=True)
class Started:
    """News that a trial was handed over to be run.

    Comes once for each trial, before its end; not at all for one that was never handed over,
    because it was cancelled or cannot be sent.
    """

    tid: Tid


@dataclass(frozen=True)
class SlotChanged:
    """News that a trial in flight waits for a slot of the cluster, or has one now.

    Comes any number of times. A trial of which nothing is told is taken to have a slot.
    """

    tid: Tid
    waits: bool


@dataclass(frozen=True)
class Checkpointed:
    """A partial result that an objective in the driver's process keeps of its own trial.

    Attributes:
        tid: the trial.
        result: as the objective would return it; it may be kept, so it is not to be changed.
    """

    tid: Tid
    result: Mapping[str, object]


@dataclass(frozen=True)
class Injected:
    """Finished trials that an objective in the driver's process adds beside its own.

    Attributes:
        tid: the objective's own trial.
        documents: the trials to add.
    """

    tid: Tid
    documents: Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Attached:
    """Bytes that an objective has attached to its own trial.

    Comes any number of times before the trial's end; of the same name the last one counts.

    Attributes:
        tid: the trial.
        name: the attachment's.
        content: the bytes, or where they are many an open file of them, without a name in the
            file system; whoever takes the event closes it.
    """

    tid: Tid
    name: str
    content: bytes | BinaryIO


@dataclass(frozen=True)
class Finished:
    """The end of a trial whose objective returned.

    Attributes:
        tid: the trial.
        value: what the objective returned, not yet checked.
        execution: where and when it ran.
    """

    tid: Tid
    value: object
    execution: Execution


@dataclass(frozen=True)
class Failed:
    """The end of a trial without a result that :meth:`Executor.cancel` did not ask for.

    Attributes:
        tid: the trial.
        kind: why, for code.
        error_type: why, for people and documents: the qualified name of the exception's type,
            e.g. ``"ValueError"``.
        message: the exception's text.
        traceback: the traceback from where the objective ran; may be empty.
        execution: None where nothing is known of it.
        exception: the exception itself, where it was raised in this process.
    """

    tid: Tid
    kind: FailureKind
    error_type: str
    message: str
    traceback: str
    execution: Execution | None = None
    exception: BaseException | None = None


@dataclass(frozen=True)
class Cancelled:
    """The end of a trial without a result that :meth:`Executor.cancel` asked for."""

    tid: Tid


# What ends a trial, and frees its slot. Ask isinstance(event, Ended), never what an event is not:
# there may be more kinds of news.
Ended: TypeAlias = Finished | Failed | Cancelled
# What an objective in the driver's process posts about its own trial.
Posted: TypeAlias = Checkpointed | Injected | Attached
Event: TypeAlias = Started | SlotChanged | Posted | Ended


class Executor(ABC):
    """A way to run one objective for many trials, a bounded number of them at a time.

    Made for one search and one objective. All methods but :meth:`post` and :meth:`wake` are
    called by one thread, the driver's loop. Each submitted trial ends in exactly one of
    :class:`Finished`, :class:`Failed` or :class:`Cancelled`.
    """

    @abstractmethod
    def free_slots(self) -> int:
        """Returns how many trials may be submitted now; never negative.

        Follows the cluster where the executor does, but changes only in :meth:`wait`.
        """

    def capacity(self) -> int | None:
        """Returns how many trials can have a slot at a time, as last seen; asks nobody.

        None where all that are in flight have one, and where it is not known yet.
        """
        return None

    @abstractmethod
    def submit(self, submission: Submission) -> None:
        """Starts a trial; returns at once.

        Raises:
            RuntimeError: no slot is free, the trial is in flight already, or the executor is
                closed.
        """

    @abstractmethod
    def post(self, event: Posted) -> None:
        """Hands over an event about a trial in flight, for the next :meth:`wait`; from any thread.

        What is posted before the trial's end is delivered before it, in order. An event about a
        trial that is not in flight is dropped.
        """

    @abstractmethod
    def wake(self) -> bool:
        """Ends a :meth:`wait` that blocks, or the next one; a signal handler calls it.

        Returns:
            False where :meth:`wait` calls the objective itself, and is inside it now, so that
            only an exception ends it.
        """

    @abstractmethod
    def wait(self, timeout: float | None) -> list[Event]:
        """Blocks until there are events, then returns all there are, oldest first.

        Returns an empty list after ``timeout`` seconds (None: no limit), at once when nothing
        is in flight, and when the number of slots changes.
        """

    @abstractmethod
    def cancel(self, tids: Iterable[Tid]) -> None:
        """Asks that these trials end; returns at once.

        A result that still arrives is delivered as :class:`Finished`. Asking again is
        harmless; so is naming a trial that is not in flight.
        """

    @abstractmethod
    def elapsed(self, tid: Tid) -> float | None:
        """Returns the seconds that this trial has run; None while it waits for a slot.

        Never asks the cluster itself: None too where nobody has looked yet, and asking makes
        somebody look.
        """

    def why_gone(self) -> str:
        """Returns a sentence for people where what runs the trials is gone, else an empty text.

        For the end of a search whose trials should have ended by now: it may block for some
        seconds. Where nothing can be gone, it is the empty text.
        """
        return ""

    @abstractmethod
    def close(self) -> None:
        """Cancels what is in flight, releases threads and shipped data; may be called twice.

        :meth:`wait` still returns the end of each trial that was in flight: a result that
        arrived in time, or :class:`Cancelled`, even if its thread could not be stopped.
        """

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@dataclass(frozen=True)
class Limits:
    """The limits that a runner sets to each search on it, where the search itself sets none.

    Attributes:
        timeout: seconds that a search may take; None: no limit.
        loss_threshold: a loss that is good enough to end a search; None: none is.
        trial_timeout: seconds that a trial may run, waiting for a slot not counted; None: no
            limit.
    """

    timeout: float | None = None
    loss_threshold: float | None = None
    trial_timeout: float | None = None


class Runner(Protocol):
    """A place where the trials of a search run.

    Holds settings only, so that it can be pickled, and opened for one search after another.
    """

    @property
    def asynchronous(self) -> bool:
        """Whether trials run beside the driver.

        If not, an exception in the objective ends the search. The same for as long as the
        runner lives.
        """

    @property
    def limits(self) -> Limits:
        """The limits that it sets to each search, as of now."""

    def open(self, objective: Objective) -> Executor:
        """Ships the objective and returns the executor that runs it; the caller closes that.

        Raises:
            UnpicklableObjective: the objective cannot be sent to where trials run.
            SparkUnavailable: there is no Spark to run them on.
        """
