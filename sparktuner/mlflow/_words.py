"""What is said of a search and its trials, by the names under which Databricks logs them."""

from __future__ import annotations

import json
import logging
import platform
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from numbers import Real
from typing import Any

import cloudpickle
import numpy

from sparktuner.driver import SearchSettings
from sparktuner.errors import TrialTimeout
from sparktuner.history import Spaces
from sparktuner.mlflow._entries import (
    MOST_PARAM,
    MOST_TAG,
    PARENT,
    Entry,
    Metric,
    cut,
    key_of,
)
from sparktuner.records import (
    Incumbent,
    MemoryAttachments,
    TrialDocument,
    configuration_of,
    describe_space,
    finite_loss,
    has_ended,
    utcnow,
)
from sparktuner.status import JOB_STATE_CANCEL

_log = logging.getLogger("sparktuner")

SOURCE = "hyperoptAutoTracking"
OURS = "sparktuner."
SEARCH_ID = f"{OURS}search_id"
TID = f"{OURS}tid"
OUTCOME = f"{OURS}outcome"
# Of a choice: its index has the label, as on Databricks, and its value the label and this.
VALUE = ".value"
_MOST_NAME = 120

# outcome -> (what Databricks calls it, the run's status, what is counted on the parent)
_OUTCOMES: Mapping[str, tuple[str, str, str]] = {
    "ok": ("success", "FINISHED", "successful"),
    "failed": ("failure", "FAILED", "failed"),
    "cancelled": ("cancelled", "KILLED", "cancelled"),
    "timed_out": ("cancelled", "KILLED", "cancelled"),
}


class Words:
    """Makes entries of what happens in one search.

    Args:
        settings: what it was asked to do.
        search_id: by which it is found again.
    """

    def __init__(self, settings: SearchSettings, search_id: str) -> None:
        self._settings = settings
        self.search_id = search_id
        self._record = describe_space(settings.space)
        self._spaces = Spaces(MemoryAttachments(), self._record)
        self._choices = {c.label for c in self._record.columns if c.options}
        self._best = Incumbent()
        self._ended: Counter[str] = Counter()
        self._said_cut = False

    @property
    def fmin_uuid(self) -> str:
        """Six characters that tell searches in one run apart."""
        return self.search_id[:6]

    def search_start(self) -> Entry:
        """Returns what is said of the search before its first trial."""
        settings, params = self._settings, self._arguments()
        # These names are left for `mlflow.log_params(best)`: a parameter cannot change.
        labels = {key_of(column.label) for column in self._record.columns}
        versions = _versions()
        space = "\n".join(column.code for column in self._record.columns)
        facts = {"params": params, "objective": settings.objective, "versions": versions}
        return Entry(
            PARENT,
            name=f"{settings.objective} by {settings.algorithm.rpartition('.')[2]}",
            start=milliseconds(utcnow()),
            params={name: str(value) for name, value in params.items() if name not in labels},
            tags={
                **{f"{OURS}{name}": str(params[name]) for name in params if name in labels},
                "runSource": SOURCE,
                "space": self._tag("space", space),
                "fmin_uuid": self.fmin_uuid,
                SEARCH_ID: self.search_id,
                **{f"{OURS}{name}": text for name, text in versions.items()},
            },
            texts={
                "space.json": self._record.dumps().decode(),
                "search.json": json.dumps(facts, indent=2, default=str),
            },
        )

    def _arguments(self) -> dict[str, object]:
        """What the search was asked to do, by Databricks' names."""
        settings = self._settings
        params: dict[str, object] = {
            "max_evals": settings.max_evals,
            "actual_parallelism": settings.window,
            "parallelism": settings.parallelism,
            "timeout": settings.timeout,
            "algo": settings.algorithm,
            "max_queue_len": settings.max_queue_len,
        }
        if settings.seed is not None:
            params["seed"] = settings.seed
        return params

    def take_earlier(self, document: TrialDocument) -> None:
        """Takes into account a trial that was there before the search."""
        if not has_ended(document):
            return
        self._ended[_OUTCOMES[outcome_of(document)][2]] += 1
        # One of another space may have a loss that this one cannot reach.
        if document["misc"].get("space") in (None, self._record.digest):
            self._best.offer(document)

    def trial_start(self, document: TrialDocument) -> Entry:
        """Returns what is said of a trial when it starts."""
        return Entry(
            run_of(document),
            name=self._name(document),
            start=_started(document),
            tags={"fmin_uuid": self.fmin_uuid, "runSource": SOURCE, TID: run_of(document)},
        )

    def trial_end(self, document: TrialDocument) -> Entry:
        """Returns what is said of a trial when it has ended, whether its start was told or not."""
        outcome = outcome_of(document)
        said, status, _ = _OUTCOMES[outcome]
        end = milliseconds(document["refresh_time"] or utcnow())
        error = document["misc"].get("error")
        texts = {} if error is None else {"traceback.txt": f"{error[0]}\n\n{error[1]}"}
        ended = Entry(
            run_of(document),
            params=self._params(document),
            metrics=_metrics(document, end) if outcome == "ok" else (),
            tags={"trial_status": said, OUTCOME: outcome, **self._facts(document)},
            texts=texts,
            status=status,
            end=end,
        )
        return self.trial_start(document).merged(ended)

    def abandoned(self, run: str) -> Entry:
        """Returns what is said of a trial whose end this search will never be told."""
        tags = {"trial_status": "cancelled", OUTCOME: "cancelled"}
        return Entry(run, tags=tags, status="KILLED", end=milliseconds(utcnow()))

    def progress(self, document: TrialDocument) -> Entry:
        """Returns what is said of the search when a trial has ended."""
        self._ended[_OUTCOMES[outcome_of(document)][2]] += 1
        is_new = self._best.offer(document)
        if self._best.loss is None:
            return Entry()
        step = sum(self._ended.values())
        end = milliseconds(document["refresh_time"] or utcnow())
        metrics: list[Metric] = [("loss", self._best.loss, end, step)]
        if is_new:
            metrics.append(("best_trial_loss", self._best.loss, end, step))
        return Entry(metrics=tuple(metrics))

    def search_end(self, reason: str | None) -> Entry:
        """Returns what is said of the search at its end."""
        now, total = milliseconds(utcnow()), sum(self._ended.values())
        counts = {
            f"{word}_trials_count": self._ended[word]
            for word in ("successful", "failed", "cancelled")
        }
        metrics = [
            (k, float(n), now, 0) for k, n in {**counts, "total_trials_count": total}.items()
        ]
        tags = {f"{OURS}stopped": self._tag("stopped", reason or "all of max_evals was run")}
        best, said = self._best.document, Entry()
        if best is not None and self._best.loss is not None:
            metrics.append(("best_trial_loss", self._best.loss, now, total))
            said = Entry(refers={"best_trial": run_of(best)}, models_of=run_of(best))
            values = self.values(best)
            tags |= {f"best.{key_of(k)}": self._tag(k, str(v)) for k, v in values.items()}
        return said.merged(Entry(metrics=tuple(metrics), tags=tags))

    def values(self, document: TrialDocument) -> dict[str, object]:
        """Returns a trial's active parameters, of choices the options."""
        view = self._spaces.of(document)
        configuration = configuration_of(document)
        if view is None:
            return dict(configuration)
        return {label: view.value(label, raw, document) for label, raw in configuration.items()}

    def _params(self, document: TrialDocument) -> dict[str, str]:
        params = {}
        values = self.values(document)
        for label, raw in configuration_of(document).items():
            params[key_of(label)] = self._param(label, raw)
            if label in self._choices:
                params[key_of(f"{label}{VALUE}")] = self._param(label, values[label])
        return params

    def _facts(self, document: TrialDocument) -> dict[str, str]:
        """What else is known of how a trial went."""
        execution = document["misc"].get("execution", {})
        known = {
            name: str(execution[name])
            for name in ("host", "attempt", "seed")
            if execution.get(name) not in (None, "")
        }
        error = document["misc"].get("error")
        if error is not None:
            last = (error[1].strip().splitlines() or [""])[-1]
            text = last if last.startswith(error[0]) else f"{error[0]}: {last}"
            known["error"] = self._tag("error", text)
        elif "failure" in document["result"]:
            known["error"] = self._tag("failure", str(document["result"]["failure"]))
        return {f"{OURS}{name}": text for name, text in known.items()}

    def _name(self, document: TrialDocument) -> str:
        shown = ", ".join(
            f"{label}={value:.4g}" if isinstance(value, float) else f"{label}={value}"
            for label, value in self.values(document).items()
        )
        return cut(f"trial {document['tid']}: {shown}", _MOST_NAME)

    def _param(self, label: str, value: object) -> str:
        return self._cut(f"the value of {label!r}", str(value), MOST_PARAM)

    def _tag(self, name: str, text: str) -> str:
        return self._cut(name, text, MOST_TAG)

    def _cut(self, what: str, text: str, most: int) -> str:
        if len(text) > most and not self._said_cut:
            self._said_cut = True
            _log.warning(
                "MLflow takes at most %d characters: %s has %d and is cut, as are others like it",
                most,
                what,
                len(text),
            )
        return cut(text, most)


def run_of(document: TrialDocument) -> str:
    """Returns the name of a trial's run among entries."""
    return str(document["tid"])


def outcome_of(document: TrialDocument) -> str:
    """Returns ``ok``, ``failed``, ``cancelled`` or ``timed_out``."""
    if document["state"] == JOB_STATE_CANCEL:
        error = document["misc"].get("error")
        return "timed_out" if error and error[0] == TrialTimeout.__name__ else "cancelled"
    return "ok" if finite_loss(document) is not None else "failed"


def milliseconds(time: datetime) -> int:
    """Returns a time, naive UTC, as MLflow has it."""
    return round(time.replace(tzinfo=timezone.utc).timestamp() * 1000)


def _started(document: TrialDocument) -> int:
    execution = document["misc"].get("execution", {})
    # By the driver's clock where the trial was told of when it started, as it was not over then.
    return milliseconds(document["book_time"] or execution.get("started") or utcnow())


def _metrics(document: TrialDocument, end: int) -> tuple[Metric, ...]:
    """The loss, and what other numbers the objective has returned."""
    found: dict[str, float] = {}
    for name, value in document["result"].items():
        if isinstance(value, Real) and not isinstance(value, bool):
            found[key_of(name)] = float(value)
    return tuple((name, value, end, 0) for name, value in found.items())


def _versions() -> dict[str, str]:
    known: dict[str, Any] = {
        "version": getattr(sys.modules["sparktuner"], "__version__", "?"),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "cloudpickle": cloudpickle.__version__,
    }
    pyspark = sys.modules.get("pyspark")
    if pyspark is not None:
        known["pyspark"] = getattr(pyspark, "__version__", "?")
    return {name: str(text) for name, text in known.items()}
