"""What a search does with trials that were made in another space."""

from __future__ import annotations

import logging
from collections import Counter

from sparktuner.errors import SpaceChanged
from sparktuner.records import (
    SPACE_PREFIX,
    DoesNotFit,
    SpaceReading,
    TrialDocument,
    TrialLog,
    advance,
    describe_space,
    differences,
)
from sparktuner.space import FlatSpace
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_DONE

_log = logging.getLogger("sparktuner")


def settle_space(log: TrialLog, space: FlatSpace, on_space_change: str) -> int:
    """Makes ``log`` read its trials as those of ``space``, and says how the space has changed.

    Returns:
        How many trials that ended with a result the space cannot make; they are left out.

    Raises:
        SpaceChanged: ``on_space_change`` is ``'refuse'``, and there are trials of another space.
    """
    present = describe_space(space)
    before = None if log.reading is None else log.reading.present.digest
    reading = SpaceReading(present, log.attachments)
    changes = _changes(log, reading)
    if changes and on_space_change == "refuse":
        raise SpaceChanged(
            f"there are trials of another space: {changes}; give this one Trials, or a save "
            "file, of its own, or pass on_space_change='adapt' to learn from those that fit"
        )
    log.attachments.setdefault(f"{SPACE_PREFIX}{present.digest}", present.dumps())
    log.space = present.digest
    log.read_as(None if on_space_change == "keep" else present)
    if on_space_change == "keep":
        return 0
    reasons, left_out = _misfits(log, reading)
    # Once for each change: a search that only goes on has nothing new to say.
    if changes and before != present.digest:
        _say(changes, reasons, len(log.documents))
    return left_out


def _changes(log: TrialLog, reading: SpaceReading) -> str:
    """How the present space differs from those of the trials, in words."""
    others = {}
    for document in log.documents:
        other = reading.space_of(document)
        if other is not reading.present:
            others[other.digest] = other
    said = [text for other in others.values() for text in differences(other, reading.present)]
    return "; ".join(dict.fromkeys(said))


def _misfits(log: TrialLog, reading: SpaceReading) -> tuple[Counter[str], int]:
    """Why trials do not fit, with how often; and how many of them count for ``max_evals``."""
    reasons: Counter[str] = Counter()
    counted = 0
    for document in log.documents:
        try:
            reading.read(document)
        except DoesNotFit as error:
            reasons[str(error)] += 1
            # Failed ones and those in the queue, which are cancelled, do not count anyway.
            counted += document["state"] == JOB_STATE_DONE
    return reasons, counted


def _say(changes: str, reasons: Counter[str], count: int) -> None:
    left_out = sum(reasons.values())
    why = "; ".join(f"{n}: {reason}" for reason, n in reasons.most_common())
    _log.warning(
        "the search space has changed: %s. Of %d earlier trials %d fit it and are used as "
        "history, %d are left out%s. on_space_change='refuse' makes this an error, 'keep' takes "
        "all trials as they are",
        changes,
        count,
        count - left_out,
        left_out,
        f" ({why})" if why else "",
    )


def fitting_queue(log: TrialLog, queue: list[TrialDocument]) -> list[TrialDocument]:
    """Returns the queued trials in the terms of the present space.

    Those that it cannot make are cancelled.
    """
    fitting = []
    for document in queue:
        try:
            if log.reading is not None:
                log.reading.take_over(document)
            fitting.append(document)
        except DoesNotFit as error:
            advance(document, JOB_STATE_CANCEL, error=(SpaceChanged.__name__, str(error)))
            log.update(document)
    return fitting
