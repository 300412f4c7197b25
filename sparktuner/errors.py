"""sparktuner's own exceptions; a wrong argument is a plain ``ValueError`` or ``TypeError``.

Each is a ``ValueError`` or a ``RuntimeError`` too, so that code which does not know
sparktuner can still catch it by what went wrong.
"""

from __future__ import annotations

from collections.abc import Sequence


class SparktunerError(Exception):
    """The base of all errors below."""


class BadSearchSpace(SparktunerError, ValueError):
    """A search space, or one of its nodes, is ill-formed."""


class DuplicateLabel(BadSearchSpace):
    """One label names two parameters that can be active in the same configuration."""


class InvalidAnnotatedParameter(SparktunerError, ValueError):
    """``space="annotated"``: a parameter of the objective has no search space as annotation."""


class InvalidTrial(SparktunerError, ValueError):
    """A trial document lacks a key, or a value in it is not of its form."""


class StaleTrial(InvalidTrial):
    """A trial was changed or deleted by another search since it was read.

    Attributes:
        tids: the ids of those trials.
    """

    def __init__(self, tids: Sequence[object]) -> None:
        self.tids = list(tids)
        names = ", ".join(map(repr, self.tids))
        super().__init__(
            f"trial {names} was changed or deleted by somebody else since it was read; "
            "refresh() shows what is there now"
        )

    def __reduce__(self) -> tuple[type[StaleTrial], tuple[list[object]]]:
        return StaleTrial, (self.tids,)


class InvalidResultStatus(SparktunerError, ValueError):
    """The objective returned something that carries no valid ``status``."""


class InvalidLoss(SparktunerError, ValueError):
    """The objective returned a loss that is not a real number."""


class SpaceChanged(SparktunerError, ValueError):
    """Trials are of another search space than the one that is to be searched."""


class AllTrialsFailed(SparktunerError, RuntimeError):
    """There is no finished trial to choose a best one from."""


class UnpicklableObjective(SparktunerError, ValueError):
    """The objective cannot be sent to the workers; the message names what it holds on to."""


class UnpicklableArgument(SparktunerError, ValueError):
    """A configuration cannot be sent to the workers; the message names the option."""


class UnpicklableResult(SparktunerError, ValueError):
    """The objective's result cannot be sent back; the message names the field."""


class ObjectiveFailed(SparktunerError, RuntimeError):
    """The objective failed alike in each of the first trials; holds the remote traceback."""


class TrialTimeout(SparktunerError, RuntimeError):
    """A trial ran longer than ``trial_timeout`` and was cancelled."""


class JobCancelled(SparktunerError, RuntimeError):
    """Somebody else cancelled the trial's Spark job."""


class WorkerDied(SparktunerError, RuntimeError):
    """The worker process ended while it ran a trial (exit, signal, out of memory)."""


class WorkersNotReady(SparktunerError, RuntimeError):
    """The workers cannot run the objective at all; found out before the first trial."""


class TrialsBusy(SparktunerError, RuntimeError):
    """A second ``fmin`` was started on a ``Trials`` object that is already being searched."""


class WorkerFailed(SparktunerError, RuntimeError):
    """So many trials have failed one after another that their worker may be what is wrong."""


class SparkUnavailable(SparktunerError, RuntimeError):
    """No Spark session can be used: none is there, it was stopped, or Java is missing."""


class StoreError(SparktunerError, RuntimeError):
    """What a store holds cannot be read, or it cannot be written; the message names it."""


class StoreUnavailable(StoreError):
    """A store does not answer now, or has no room; the same call may succeed later."""


class MissingExtra(SparktunerError, ImportError, RuntimeError):
    """An optional dependency is not installed; the message names the extra to install."""
