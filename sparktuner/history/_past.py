"""A trial that another tool has made, and the document that it becomes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from sparktuner.history._cells import Cell, cell_of, is_missing
from sparktuner.history._fit import SpaceFit
from sparktuner.history._table import FACTS, RESULTS, STATES
from sparktuner.records import (
    Configuration,
    DoesNotFit,
    Tid,
    TrialDocument,
    new_document,
    normalise_result,
)
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    STATUS_FAIL,
    STATUS_OK,
    STATUS_STRINGS,
)

_log = logging.getLogger("sparktuner")

_BY_WORD = {word: state for state, word in STATES.items()}
_ENDED = (JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_CANCEL)


@dataclass(frozen=True)
class PastTrial:
    """A trial of another tool, in that tool's values.

    Attributes:
        values: by label, those that it has.
        loss: what is minimised, or None.
        facts: what else is known of it by the names of the table's columns: its state,
            times, host and so on; empty for a trial that is done.
        fields: further fields of its result.
        by_index: whether the values of choices are the indices of their options.
    """

    values: Mapping[str, object]
    loss: object = None
    facts: Mapping[str, object] = field(default_factory=dict)
    fields: Mapping[str, object] = field(default_factory=dict)
    by_index: bool = False

    @property
    def state(self) -> int:
        """The state of its document."""
        return _BY_WORD[str(self.facts.get("state", "done"))]


def sorted_out(cells: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Returns what is said beside parameters and loss: facts of a trial, and result fields.

    Args:
        cells: by the names of a table's columns, of ours or of another tool.
    """
    present = {name: value for name, value in cells.items() if not is_missing(value)}
    # Other tools have words of their own for states: theirs are fields like others.
    ours = present.get("state") in _BY_WORD
    facts = {name: present[name] for name in FACTS if name in present} if ours else {}
    fields = {
        name.removeprefix(RESULTS): value for name, value in present.items() if name not in facts
    }
    if fields.get("status") in STATUS_STRINGS:
        facts["status"] = fields["status"]
    # These have a meaning in a result.
    reserved = ("loss", "status", "attachments")
    return facts, {name: value for name, value in fields.items() if name not in reserved}


@dataclass
class Misfits:
    """Counts, by reason, the trials that are left out; says so in the end.

    Attributes:
        counts: reason -> how often.
        texts: reason -> the first trial's.
    """

    counts: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Counts a trial; texts that differ only in a value are one reason."""
        reason = text.partition(" is ")[0]
        self.counts[reason] = self.counts.get(reason, 0) + 1
        self.texts.setdefault(reason, text)

    def say(self, total: int, fit: SpaceFit | None) -> None:
        """Warns once of all that was left out, if anything was."""
        ignored = {} if fit is None else fit.ignored
        said = [
            f"{label!r} has a value in {n} trials in which it is not active, which is ignored"
            for label, n in ignored.items()
        ]
        if self.counts:
            most = sorted(self.counts, key=lambda reason: -self.counts[reason])
            why = "; ".join(self._reason(reason) for reason in most)
            left_out = sum(self.counts.values())
            said.insert(
                0,
                f"{total - left_out} of {total} trials are taken as history, {left_out} are left "
                f"out ({why})",
            )
        if said:
            _log.warning("%s", "; ".join(said))

    def _reason(self, reason: str) -> str:
        n = self.counts[reason]
        return f"{n}: {self.texts[reason]}" if n == 1 else f"{n} as in: {self.texts[reason]}"


def documents_of(
    past: Sequence[PastTrial],
    fit: SpaceFit | None,
    allocate: Callable[[int], Sequence[Tid]],
    exp_key: str | None,
) -> list[TrialDocument]:
    """Returns the documents of trials that fit; one warning says which do not, and why.

    Args:
        past: the trials.
        fit: the space; None takes the values as they are.
        allocate: gives so many ids.
        exp_key: the experiment that the documents belong to.
    """
    fitting, misfits = [], Misfits()
    for trial in past:
        try:
            fitting.append((trial, _configuration(trial, fit), _result(trial)))
        except DoesNotFit as error:
            misfits.add(str(error))
    misfits.say(len(past), fit)
    tids = allocate(len(fitting))
    return [
        _document(trial, new_document(tid, configuration, labels_of(fit), exp_key), result, fit)
        for tid, (trial, configuration, result) in zip(tids, fitting, strict=True)
    ]


def labels_of(fit: SpaceFit | None) -> Sequence[str]:
    """Returns all labels of a space, where it is known."""
    return () if fit is None else fit.space.labels


def _configuration(trial: PastTrial, fit: SpaceFit | None) -> Configuration:
    if trial.state not in _ENDED:
        raise DoesNotFit("a trial is not finished")
    if fit is None:
        return dict(trial.values)
    return fit.configuration(trial.values, trial.by_index)


def _document(
    trial: PastTrial, document: TrialDocument, result: dict[str, Any], fit: SpaceFit | None
) -> TrialDocument:
    document["state"], document["result"], facts = trial.state, result, trial.facts
    misc = document["misc"]
    if fit is not None:
        misc["space"] = fit.record.digest
    if "error" in facts:
        misc["error"] = str(facts["error"]), str(facts.get("traceback", ""))
    document["book_time"] = _naive(facts.get("start"))
    document["refresh_time"] = _naive(facts.get("end"))
    if document["book_time"] is not None and "duration" in facts:
        misc["execution"] = _execution(document["book_time"], facts)
    return document


def _execution(started: datetime, facts: Mapping[str, object]) -> dict[str, Any]:
    return {
        "host": str(facts.get("host", "")),
        "executor": "",
        "pid": 0,
        "started": started,
        "duration": float(facts["duration"]),  # type: ignore[arg-type]
        "queue_time": 0.0,
        "attempt": int(facts.get("attempts", 1)) - 1,  # type: ignore[call-overload]
        "earlier": [],
    }


def _naive(time: object) -> datetime | None:
    if not isinstance(time, datetime):
        return None
    return time if time.tzinfo is None else time.astimezone(timezone.utc).replace(tzinfo=None)


def _result(trial: PastTrial) -> dict[str, Any]:
    if trial.state != JOB_STATE_DONE:
        return {"status": STATUS_FAIL, **trial.fields}
    loss = _loss(trial.loss)
    if loss is None:
        return {"status": STATUS_FAIL, "failure": "there is no loss", **trial.fields}
    result = {"status": trial.facts.get("status", STATUS_OK), "loss": loss}
    return normalise_result({**trial.fields, **result})


def _loss(value: object) -> float | None:
    cell: Cell = cell_of(value)
    if cell is None:
        return None
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise DoesNotFit(f"the loss is {cell!r}, and must be a number") from None
