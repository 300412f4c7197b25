"""What an operator wants to read of a search: one line in the log for each thing that happened."""

from __future__ import annotations

import logging
from collections import Counter

from sparktuner.driver._callbacks import Callback
from sparktuner.driver._protocol import TrialsView
from sparktuner.records import Incumbent, TrialDocument, TrialLog, finite_loss
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_DONE

_log = logging.getLogger("sparktuner")


class EventLog(Callback):
    """Writes a search to ``logging.getLogger("sparktuner")`` at level INFO.

    Each line has its facts as fields of the record too, ``event`` first, so that a formatter of
    JSON shows them.

    Args:
        log: the trials that are there.
        parameters: how many there are to search over.
        window: how many trials run at a time.
        max_evals: as given to the search.
    """

    def __init__(
        self, log: TrialLog, parameters: int, window: int, max_evals: float | None
    ) -> None:
        self._trials = log
        self._parameters = parameters
        self._window = window
        self._max_evals = max_evals
        self._best = Incumbent()
        # The log leaves out what the present space cannot make, which nothing could improve on.
        best = log.best()
        if best is not None:
            self._best.offer(best)
        self._ended: Counter[str] = Counter()

    def on_search_start(self, trials: TrialsView) -> None:
        there, store = len(self._trials.documents), type(self._trials.store).__name__
        _log.info(
            "search started: %d parameters, %d trials there, max_evals=%s, %d at a time, in %s",
            self._parameters,
            there,
            self._max_evals,
            self._window,
            store,
            extra={
                "event": "search_started",
                "parameters": self._parameters,
                "trials": there,
                "max_evals": self._max_evals,
                "window": self._window,
                "store": store,
            },
        )

    def on_trial_start(self, document: TrialDocument) -> None:
        _log.debug("trial %s started", document["tid"], extra=_fields("trial_started", document))

    def on_trial_end(self, document: TrialDocument) -> None:
        outcome = _outcome(document)
        self._ended[outcome] += 1
        self._tell_attempts(document)
        if outcome == "ok":
            self._tell_result(document)
        else:
            _log.info(
                "trial %s %s: %s",
                document["tid"],
                outcome,
                _why(document),
                extra={**_fields(f"trial_{outcome}", document), "error": _why(document)},
            )

    def on_search_end(self, reason: str | None) -> None:
        counts = ", ".join(f"{n} {outcome}" for outcome, n in sorted(self._ended.items()))
        _log.info(
            "search ended: %s; %s; best loss %s",
            reason or "all of max_evals was run",
            counts or "no trial was run",
            "?" if self._best.loss is None else f"{self._best.loss:.6g}",
            extra={
                "event": "search_ended",
                "reason": reason,
                "best_loss": self._best.loss,
                **{f"trials_{outcome}": n for outcome, n in self._ended.items()},
            },
        )

    def _tell_result(self, document: TrialDocument) -> None:
        execution = document["misc"].get("execution", {})
        _log.info(
            "trial %s ok: loss %.6g, %.2f s on %s",
            document["tid"],
            document["result"]["loss"],
            execution.get("duration", 0.0),
            execution.get("host", "?"),
            extra=_fields("trial_ok", document),
        )
        if self._best.offer(document):
            _log.info(
                "new best: trial %s, loss %.6g",
                document["tid"],
                self._best.loss,
                extra=_fields("new_best", document),
            )

    def _tell_attempts(self, document: TrialDocument) -> None:
        for attempt in document["misc"].get("execution", {}).get("earlier", ()):
            _log.info(
                "trial %s was run again: %s",
                document["tid"],
                attempt["reason"],
                extra={**_fields("trial_retried", document), "error": attempt["reason"]},
            )


def _outcome(document: TrialDocument) -> str:
    if document["state"] == JOB_STATE_CANCEL:
        return "cancelled"
    return "ok" if finite_loss(document) is not None else "failed"


def _why(document: TrialDocument) -> str:
    """The error's type, its last words and the place in the code, in one line."""
    if "error" in document["misc"]:
        kind, text = document["misc"]["error"]
        lines = [line.strip() for line in text.strip().splitlines()] or [""]
        places = [line for line in lines if line.startswith('File "')]
        last = lines[-1] if lines[-1].startswith(kind) else f"{kind}: {lines[-1]}"
        return f"{last} ({places[-1]})" if places else last
    if document["state"] != JOB_STATE_DONE:
        return "the search ended"
    return str(document["result"].get("failure", "its result says so"))


def _fields(event: str, document: TrialDocument) -> dict[str, object]:
    """What a formatter may show of a trial, beside the line itself."""
    execution = document["misc"].get("execution", {})
    return {
        "event": event,
        "tid": document["tid"],
        "status": document["result"].get("status"),
        "loss": document["result"].get("loss"),
        "seconds": execution.get("duration"),
        "host": execution.get("host"),
        "attempt": execution.get("attempt"),
    }
