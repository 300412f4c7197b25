"""Writes entries to a tracking server from a thread of its own, whatever the server does."""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sparktuner.mlflow._entries import PARENT, Entry, cut
from sparktuner.mlflow._kept import keep, kept_path, without_password
from sparktuner.mlflow._tracking import Target, Tracking

_log = logging.getLogger("sparktuner")

THREAD = "sparktuner-mlflow"
_USER = re.compile(r"//[^/@\s]+@")
# Seconds before a request that has failed is sent again; twice as many each time.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# Seconds between two requests for the parent, while there are trials to be written.
_PARENT_EVERY = 1.0
# How long the end of a search waits for one answer of the server.
PATIENCE = 5.0
_LAST_CHANCE = 2.0
# A server that is far away takes its time for each.
_THREADS = 4
# What trying again does not mend, by the names of MLflow's error codes.
_REFUSALS = frozenset(
    {
        "INVALID_PARAMETER_VALUE",
        "BAD_REQUEST",
        "RESOURCE_DOES_NOT_EXIST",
        "RESOURCE_ALREADY_EXISTS",
        "INVALID_STATE",
        "PERMISSION_DENIED",
        "ENDPOINT_NOT_FOUND",
        "FEATURE_DISABLED",
        "QUOTA_EXCEEDED",
    }
)


class Sender:
    """Sends entries in threads; those of one run that wait become one.

    Args:
        target: where to write; may hold a password.
        capacity: for how many runs entries may wait.
        patience: seconds that the end waits for one answer; None is :data:`PATIENCE` for a
            server, and no limit for a database or a folder, which the first search has to make.
        threads: how many requests are under way at a time, at most; None is 4 for a server.
        tracking: gives what writes; None makes it.
    """

    def __init__(
        self,
        target: Target,
        capacity: int = 10_000,
        patience: float | None = None,
        threads: int | None = None,
        tracking: Callable[[Target], Tracking] | None = None,
    ) -> None:
        is_server = target.is_server
        self._target = target
        self._capacity = capacity
        self._patience = (PATIENCE if is_server else math.inf) if patience is None else patience
        self._tracking = Tracking(target) if tracking is None else tracking(target)
        self._changed = threading.Condition()
        # Everything below belongs to the condition.
        self._waiting: dict[str, Entry] = {}
        self._sending: dict[str, Entry] = {}
        self._left_out = 0
        self._is_closing = False
        self._is_abandoned = False
        self._progress = time.monotonic()
        self._parent_due = 0.0
        self._said: set[str] = set()
        # Daemons, so that a request that hangs does not keep the interpreter from its end.
        self._threads = [
            threading.Thread(target=self._work, name=f"{THREAD}-{i}", daemon=True)
            for i in range((_THREADS if is_server else 1) if threads is None else threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def run_id(self) -> str | None:
        """The id of the search's run, where it is known."""
        return self._tracking.runs.get(PARENT)

    def put(self, entry: Entry) -> None:
        """Lets an entry be sent; never waits for the server."""
        if entry == Entry():
            return
        with self._changed:
            known = self._waiting.get(entry.run)
            if known is None and len(self._waiting) >= self._capacity and entry.run != PARENT:
                self._leave_out()
                return
            if not self._waiting and not self._sending:
                self._progress = time.monotonic()
            self._waiting[entry.run] = entry if known is None else known.merged(entry)
            self._changed.notify()

    def close(self, timeout: float | None) -> None:
        """Waits until all is sent, and keeps in a file what the server does not take.

        Args:
            timeout: seconds at most. It does not wait that long for a server that does not
                answer.
        """
        rest = self._drained(math.inf if timeout is None else time.monotonic() + timeout)
        if rest:
            self._keep(rest)
        else:
            for thread in self._threads:
                thread.join(PATIENCE)
        if self._left_out:
            _log.warning(
                "MLflow was not told of %d trials, as %d waited to be written already",
                self._left_out,
                self._capacity,
            )

    def _drained(self, end: float) -> list[Entry]:
        """What is not sent by then, or when the server has not answered for too long."""
        with self._changed:
            self._is_closing = True
            # However long it was away, it may be back.
            self._progress = max(self._progress, time.monotonic() - self._patience + _LAST_CHANCE)
            self._changed.notify_all()
            while self._waiting or self._sending:
                still = min(self._progress + self._patience, end) - time.monotonic()
                if still <= 0 or not any(thread.is_alive() for thread in self._threads):
                    break
                self._changed.wait(min(still, threading.TIMEOUT_MAX))
            self._is_abandoned = True
            self._changed.notify_all()
            rest = [*self._sending.values(), *self._waiting.values()]
            self._waiting.clear()
            return rest

    # --- the threads

    def _work(self) -> None:
        with without_noise():
            while (run := self._take()) is not None:
                self._send_all(run)

    def _take(self) -> str | None:
        """Takes the next entry to be sent, and returns whose it is; None when all is done."""
        with self._changed:
            while not self._is_abandoned:
                run = self._next()
                if run is not None:
                    entry = self._waiting.pop(run)
                    if run == PARENT:
                        entry = self._part_of_parent(entry)
                    self._sending[run] = entry
                    return run
                if self._is_closing and not self._waiting:
                    return None
                self._changed.wait()
            return None

    def _next(self) -> str | None:
        """The run whose entry is to be sent next; None where all have to wait."""
        if PARENT not in self._tracking.runs:
            # First of all, as the others name it.
            return PARENT if PARENT in self._waiting and not self._sending else None
        others = (run for run in self._waiting if run != PARENT and run not in self._sending)
        run = next(others, None)
        if PARENT not in self._waiting or PARENT in self._sending:
            return run
        # Now and then, so that its entries become one.
        is_due = time.monotonic() > self._parent_due and not self._waiting[PARENT].refers
        return PARENT if is_due or (run is None and not self._sending) else run

    def _part_of_parent(self, entry: Entry) -> Entry:
        """What is to be said now of the parent; what names other runs, when they are there."""
        self._parent_due = time.monotonic() + _PARENT_EVERY
        if not self._waiting and not self._sending:
            return entry
        first, last = entry.split()
        if last != Entry():
            self._waiting[PARENT] = last
        return first

    def _send_all(self, run: str) -> None:
        pause = _FIRST_PAUSE
        while (entry := self._sending.get(run)) is not None and not self._is_abandoned:
            try:
                left = self._tracking.send(entry)
            except Exception as error:  # a border: whatever MLflow and its plugins raise
                if not _is_refusal(error):
                    self._say_failing(error)
                    self._pause(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    continue
                left = self._refused(entry, error)
            pause = _FIRST_PAUSE
            with self._changed:
                if not self._is_abandoned:
                    self._progress = time.monotonic()
                    if left is None:
                        del self._sending[run]
                        self._changed.notify_all()
                    else:
                        self._sending[run] = left

    def _pause(self, seconds: float) -> None:
        with self._changed:
            was_closing = self._is_closing
            # At the end there is no time for long pauses.
            most = min(seconds, _FIRST_PAUSE) if was_closing else seconds
            self._changed.wait_for(
                lambda: self._is_abandoned or self._is_closing is not was_closing, most
            )

    def _refused(self, entry: Entry, error: Exception) -> Entry | None:
        self._say(
            "refused",
            "MLflow refuses what it is told of %s, which is left out: %s",
            "the search" if entry.run == PARENT else f"trial {entry.run}",
            _first_line(error),
        )
        return self._tracking.skip(entry)

    # --- words

    def _say_failing(self, error: Exception) -> None:
        self._say(
            "failing",
            "MLflow at %s cannot be written to (%s); the search goes on, and it is tried again. "
            "What it is not told by the end is kept in %s, and is sent by: "
            "sparktuner mlflow replay FILE",
            without_password(self._target.uri),
            _first_line(error),
            kept_path(self._target.search_id),
        )

    def _say(self, what: str, text: str, *facts: object) -> None:
        if what not in self._said:
            self._said.add(what)
            _log.warning(text, *facts)

    def _leave_out(self) -> None:
        self._left_out += 1
        if self._left_out == 1:
            _log.warning(
                "MLflow at %s is %d trials behind the search; it is not told of those that come "
                "meanwhile",
                without_password(self._target.uri),
                self._capacity,
            )

    def _keep(self, rest: list[Entry]) -> None:
        path = kept_path(self._target.search_id)
        count = len({entry.run for entry in rest})
        try:
            keep(path, self._target, self._tracking.runs, rest)
        except OSError as error:
            _log.warning(
                "MLflow was not told of %d runs, nor could a file be: %s", len(rest), error
            )
            return
        # Once is enough, where it was said while the search went on.
        level = logging.INFO if "failing" in self._said else logging.WARNING
        _log.log(
            level,
            "MLflow at %s was not told all of %d runs; to send it, once it answers: "
            "sparktuner mlflow replay %s",
            without_password(self._target.uri),
            count,
            path,
        )


def _is_refusal(error: Exception) -> bool:
    """Whether trying again is in vain; a store of others' need not know all that MLflow's does."""
    return getattr(error, "error_code", "") in _REFUSALS or isinstance(error, NotImplementedError)


def _first_line(error: Exception) -> str:
    """What an error says, shortened, and without the password that an address in it may have."""
    text = str(error).strip().partition("\n")[0]
    return cut(f"{type(error).__name__}: {_USER.sub('//', text)}", 300)


class _WithoutNoise(logging.Filter):
    """Lets urllib3 say nothing of this thread's requests: the server's state is said here."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.threadName).startswith(THREAD)


@contextmanager
def without_noise() -> Iterator[None]:
    """Lets urllib3 say nothing of the requests of threads whose name begins with ``THREAD``."""
    noise, log = _WithoutNoise(), logging.getLogger("urllib3.connectionpool")
    log.addFilter(noise)
    try:
        yield
    finally:
        log.removeFilter(noise)
