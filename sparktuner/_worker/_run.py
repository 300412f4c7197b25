"""The process that ``sparktuner worker`` is: takes trials from a store, and runs them."""

from __future__ import annotations

import logging
import os
import random
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from sparktuner._worker._objectives import Objectives
from sparktuner._worker._reservation import Looks, Reservation
from sparktuner.domain import Domain
from sparktuner.errors import (
    InvalidLoss,
    InvalidResultStatus,
    StaleTrial,
    StoreUnavailable,
    WorkerFailed,
)
from sparktuner.execute.worker import CurrentTrial, Outcome, call, entered
from sparktuner.records import (
    FromFile,
    Tid,
    TrialAttachments,
    TrialDocument,
    TrialStore,
    advance,
    configuration_of,
    held_lease,
    normalise_result,
    utcnow,
)
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_RUNNING
from sparktuner.stores import open_store
from sparktuner.trials import Trials

_log = logging.getLogger("sparktuner")

# How many leases a worker tries to write the end of a trial into a store that does not answer.
_PERSISTENCE = 10


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker is to do.

    Attributes:
        store: the store, or its URL.
        exp_key: runs trials of this experiment only; None is all of them.
        objective: ``module:function``; None takes what the search has left in the store, which
            is unpickled.
        space: ``module:space``, for ``objective``.
        poll_interval: seconds from one question for trials to the next, where there are none.
        max_jobs: ends after so many trials; None is no limit.
        max_consecutive_failures: ends when so many trials have failed one after another.
        reserve_timeout: ends when there was nothing to do for so many seconds; None waits.
        workdir: the folder to run in; None is where it was started.
    """

    store: str | TrialStore
    exp_key: str | None = None
    objective: str | None = None
    space: str | None = None
    poll_interval: float = 5.0
    max_jobs: int | None = None
    max_consecutive_failures: int = 4
    reserve_timeout: float | None = 120.0
    workdir: str | None = None


def run(options: WorkerOptions) -> int:
    """Runs trials until there is a reason to end.

    Returns:
        How many trials were run.

    Raises:
        WorkerFailed: too many have failed one after another.
        StoreError: the store cannot be used.
        ValueError, ImportError: the objective or its space cannot be found.
    """
    if options.workdir is not None:
        os.makedirs(options.workdir, exist_ok=True)
        os.chdir(options.workdir)
    objectives = Objectives(options.objective, options.space)
    store = open_store(options.store)
    # Another name each time: what an earlier worker of this machine ran is not this one's.
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    try:
        with held_lease(store, owner):
            _log.info("takes trials from %s, as %s", store.location, owner)
            return _Worker(options, store, owner, objectives).run()
    finally:
        store.close()


class _Worker:
    def __init__(
        self, options: WorkerOptions, store: TrialStore, owner: str, objectives: Objectives
    ) -> None:
        self._options = options
        self._store = store
        self._owner = owner
        self._objectives = objectives
        self._looks = Looks(store, options.exp_key)

    def run(self) -> int:
        ran = failures = 0
        most = self._options.max_jobs
        while most is None or ran < most:
            document = self._reserved()
            if document is None:
                _log.info("there was nothing to do for %g s", self._options.reserve_timeout)
                break
            succeeded = self._run_one(document)
            ran += 1
            if succeeded is not None:
                failures = 0 if succeeded else failures + 1
            if failures >= self._options.max_consecutive_failures:
                _, text = document["misc"]["error"]
                raise WorkerFailed(
                    f"{failures} trials have failed one after another; the last one was trial "
                    f"{document['tid']}: {text.strip().splitlines()[-1]}"
                )
        return ran

    def _reserved(self) -> TrialDocument | None:
        """Takes a trial, as soon as there is one; None where there was none for too long."""
        timeout = self._options.reserve_timeout
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                for document in self._store.claim(self._owner, self._options.exp_key, limit=1):
                    if (begun := self._begun(document)) is not None:
                        return begun
            except StoreUnavailable as error:
                _log.warning("%s; the worker tries again", error)
            left = self._options.poll_interval if end is None else end - time.monotonic()
            if left <= 0:
                return None
            # Not all workers at the same moment.
            pause = self._options.poll_interval * random.uniform(0.5, 1.0)
            time.sleep(min(pause, left))

    def _begun(self, document: TrialDocument) -> TrialDocument | None:
        """Marks a claimed trial as running; None where it is not this worker's any more."""
        try:
            # Before it runs: a worker that lacks a module of the objective's fails no trial.
            self._objectives.of(document, self._store)
        except Exception:
            document["owner"] = None
            with suppress(StaleTrial):
                self._persist(lambda: self._store.update([document]))
            raise
        advance(document, JOB_STATE_RUNNING)
        try:
            self._persist(lambda: self._store.update([document]))
        except StaleTrial:
            # Cancelled at this moment; or written already, and the answer was lost.
            present = self._looks.at(document["tid"])
            mine = (self._owner, JOB_STATE_RUNNING)
            if present is None or (present["owner"], present["state"]) != mine:
                return None
            return present
        return document

    def _run_one(self, document: TrialDocument) -> bool | None:
        """Runs a trial and writes how it went; whether it succeeded, None where it was lost."""
        tid = document["tid"]
        _log.info("trial %s begins", tid)
        with Reservation(self._looks, document, self._store.lease) as reservation:
            outcome = self._called(document)
        if reservation.lost:
            _log.warning("trial %s is not this worker's any more; its result is dropped", tid)
            return None
        error = self._ended(document, outcome)
        try:
            self._persist(lambda: self._store.update([document]))
        except StaleTrial as stale:
            _log.warning("%s; its result is dropped", stale)
            return None
        _log.info("trial %s ends%s", tid, f": {error}" if error else "")
        return error is None

    def _called(self, document: TrialDocument) -> Outcome:
        seed = _seed_of(document)
        domain = self._objectives.of(document, self._store)
        stop = (KeyboardInterrupt,)
        restarts = document["misc"].get("restarts", 0)
        keep = partial(self._keep, document["tid"])
        with entered(CurrentTrial(document["tid"], seed, restarts, _keep=keep)):
            if not isinstance(domain, Domain):
                # Hyperopt's own, where Hyperopt is installed.
                evaluate = partial(domain.evaluate, ctrl=None, attach_attachments=False)
                return call(evaluate, configuration_of(document), "worker", stop)
            made = call(partial(domain.argument, document), seed, "worker", stop)
            if "error" in made:
                return made
            trials = Trials(document["exp_key"], refresh=False, store=self._store)
            channel = _Channel(self._store, document, self._persist)
            return call(domain.objective(trials, channel), made["value"], "worker", stop)

    def _ended(self, document: TrialDocument, outcome: Outcome) -> str | None:
        """Moves a trial on to its end; the type of what went wrong, if anything did."""
        booked = document["book_time"] or outcome["started"]
        execution: dict[str, Any] = {
            "host": outcome["host"],
            "executor": outcome["executor"],
            "pid": outcome["pid"],
            "started": outcome["started"],
            "duration": outcome["duration"],
            "queue_time": max(0.0, (outcome["started"] - booked).total_seconds()),
            "attempt": document["misc"].get("restarts", 0),
            "earlier": [],
            "seed": _seed_of(document),
        }
        error = outcome.get("error")
        if error is None:
            try:
                result = normalise_result(outcome["value"])
            except (InvalidLoss, InvalidResultStatus) as wrong:
                error = (type(wrong).__name__, str(wrong), "")
        if error is not None:
            pair = (error[0], error[2] or error[1])
            advance(document, JOB_STATE_ERROR, error=pair, execution=execution)
            return error[0]
        self._attach(document["tid"], result.pop("attachments", None))
        advance(document, JOB_STATE_DONE, result=result, execution=execution)
        return None

    def _keep(self, tid: Tid, name: str, content: bytes | BinaryIO) -> None:
        """Writes what the objective attaches, at once: it may be a log of what goes wrong."""
        of_trial = TrialAttachments(self._store.attachments, tid)
        value = content if isinstance(content, bytes) else FromFile(content)
        self._persist(lambda: of_trial.keep(name, value))

    def _attach(self, tid: Tid, attachments: Mapping[str, object] | None) -> None:
        if attachments:
            of_trial = TrialAttachments(self._store.attachments, tid)
            self._persist(lambda: of_trial.update(attachments))

    def _persist(self, write: Callable[[], None]) -> None:
        """Writes, and does so again while the store does not answer: it took time to compute."""
        end = time.monotonic() + _PERSISTENCE * self._store.lease
        while True:
            try:
                write()
                return
            except StoreUnavailable as error:
                if time.monotonic() > end:
                    raise
                _log.warning("%s; the result is kept, and written again", error)
                time.sleep(min(self._options.poll_interval, self._store.lease))


class _Channel:
    """How an objective that asked for a ctrl writes of its trial, which is its worker's."""

    def __init__(
        self,
        store: TrialStore,
        document: TrialDocument,
        persist: Callable[[Callable[[], None]], None],
    ) -> None:
        self._store = store
        self._document = document
        self._persist = persist

    def checkpoint(self, tid: Tid, result: Mapping[str, object]) -> None:
        """Keeps a partial result, until the objective returns its own."""
        self._document["result"] = dict(result)
        self._document["refresh_time"] = utcnow()
        self._persist(lambda: self._store.update([self._document]))

    def inject(self, tid: Tid, documents: Sequence[TrialDocument]) -> None:
        """Inserts trials that the objective has made."""
        self._persist(lambda: self._store.insert(documents))


def _seed_of(document: TrialDocument) -> int:
    """What the search has noted for the objective; 0 where it has not."""
    noted: object = document["misc"].get("execution")
    seed = noted.get("seed", 0) if isinstance(noted, dict) else 0
    return seed if isinstance(seed, int) else 0
