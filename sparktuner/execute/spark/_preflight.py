"""One look at a worker before the first trial, instead of a failure on each slot."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from sparktuner import errors
from sparktuner.execute.spark._attempts import Attempts
from sparktuner.execute.spark._preflight_settings import MEMORY, WorkerSettings
from sparktuner.execute.spark._transport import JobFailed, Transport
from sparktuner.execute.worker import PROBE_TASK, ProbeResult, decode
from sparktuner.execute.worker import versions as driver_versions
from sparktuner.status import FailureKind

_log = logging.getLogger("sparktuner")
# Seconds that the probe may have a slot. Large libraries take a minute on a cold machine.
PROBE_SECONDS = 300.0
_LOOK = 1.0
# What a job says that ended for other reasons than the state of the workers.
_NOT_THE_WORKERS = (FailureKind.SESSION_GONE, FailureKind.JOB_CANCELLED)
# Errors that an interpreter other than the intended one ends with.
_OF_THE_PYTHON = ("ModuleNotFoundError", "ImportError", "PySparkRuntimeError")
_OTHER_PYTHON = (
    " The driver's Python is {}. If the workers should run another one than they do, set "
    "PYSPARK_PYTHON (on a cluster also: spark.pyspark.python) before the session starts; on "
    "Spark Connect, where the server starts."
)
# What libraries say that could not be loaded into the memory which a process may have.
_OUT_OF_MEMORY = re.compile(
    r"MemoryError|failed to map segment|[Cc]annot allocate memory|std::bad_alloc"
)
_MORE_MEMORY = (
    "The worker lacks memory, not a module: what the objective imports did not fit into what its "
    f"process may have. {MEMORY} is {{}}; it limits the address space of an executor's Python "
    "processes, which share it evenly among the executor's cores. Raise it, or leave it out, "
    "before the session starts; or give each task more of it: fewer spark.executor.cores, more "
    "spark.task.cpus."
)


class Preflight:
    """A first task that unpickles the objective, for which the trials of the first window wait.

    The worker process that it starts, and the objective in it, serve the first trial.

    Attributes:
        is_done: whether the probe has gone well; no trial runs before.
    """

    def __init__(
        self,
        transport: Transport,
        max_retries: int = 1,
        settings: Callable[[], WorkerSettings] = WorkerSettings,
        time_limit: float = PROBE_SECONDS,
    ) -> None:
        """Notes what to run the probe on.

        Args:
            transport: what runs the task.
            max_retries: how often it is run again where its worker process died.
            settings: asks for those of the workers, in the thread of the first trial.
            time_limit: seconds that the probe may have a slot.
        """
        self._transport = transport
        self._max_retries = max_retries
        self._ask_settings = settings
        self._time_limit = time_limit
        self._settings: WorkerSettings | None = None
        self._lock = threading.Lock()
        self.is_done = False
        self._refusal: JobFailed | None = None

    def check(self, tag: str, is_cancelled: Callable[[], bool] = bool) -> None:
        """Waits until the probe has run, or runs it under this tag if nobody has.

        A probe that is cancelled together with its trial is left to the next trial.

        Args:
            tag: the trial's.
            is_cancelled: whether the trial shall end, and so must not begin a probe.

        Raises:
            JobFailed: the workers cannot run the objective (each time the same), or this
                trial's probe ended for a reason of its own.
        """
        if self.is_done:
            return
        # The trials that come meanwhile wait here, each in its own thread.
        with self._lock:
            if is_cancelled():
                raise JobFailed(FailureKind.JOB_CANCELLED, "The search ended while the probe ran.")
            if not self.is_done and self._refusal is None:
                self._probe(tag)
        if self._refusal is not None:
            raise self._refusal

    def _probe(self, tag: str) -> None:
        settings = self._cautioned()
        overdue = threading.Event()
        try:
            with self._watched(tag, overdue):
                outcome = decode(self._run(tag))
        except JobFailed as failure:
            if overdue.is_set():
                self._refusal = _too_slow(self._time_limit, settings.memory)
                return
            if failure.kind in _NOT_THE_WORKERS:
                raise
            said = (failure.error_type, failure.message, failure.traceback)
            self._refusal = _refusal(*said, settings.memory)
            return
        if "error" in outcome:
            self._refusal = _refusal(*outcome["error"], settings.memory)
            return
        _warn(outcome["host"], cast(ProbeResult, outcome["value"]))
        self.is_done = True

    @contextmanager
    def _watched(self, tag: str, overdue: threading.Event) -> Iterator[None]:
        """Cancels the probe when it has had a slot for too long, and sets ``overdue``."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(_LOOK):
                # None while it waits for a slot, infinite while that is not known.
                since = self._transport.running_since(tag)
                if since is not None and time.time() - since > self._time_limit:
                    overdue.set()
                    # Again and again: one that comes too early hits nothing.
                    self._transport.cancel(tag)

        thread = threading.Thread(target=watch, name="sparktuner-probe", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _cautioned(self) -> WorkerSettings:
        """Return the workers' settings; what is to be said of them is said once."""
        if self._settings is None:
            self._settings = self._ask_settings()
            for caution in self._settings.cautions():
                _log.warning(caution)
        return self._settings

    def _run(self, tag: str) -> bytes:
        """Return the probe's outcome. A dead worker is no fault of the probe's, or a trial's."""
        attempts = Attempts(self._max_retries)
        while True:
            try:
                return self._transport.run(PROBE_TASK, tag, "preflight: can workers run this?")
            except JobFailed as failure:
                if not attempts.may_retry_after(failure):
                    raise


def _warn(host: str, found: ProbeResult) -> None:
    """Say what may go wrong in the trials, and may not."""
    missing, versions = found["missing"], found["versions"]
    if missing:
        _log.warning("worker %s lacks what the objective imports: %s", host, ", ".join(missing))
    ours = driver_versions(versions)
    # A part after "+" names a build, e.g. for a kind of GPU.
    differing = [
        f"{name} {versions[name]} (driver: {ours[name]})"
        for name in sorted(ours)
        if ours[name].partition("+")[0] != versions[name].partition("+")[0]
    ]
    if differing:
        _log.warning(
            "worker %s has other versions than the driver of what the objective uses: %s",
            host,
            ", ".join(differing),
        )


def _refusal(error_type: str, message: str, traceback: str, memory: str) -> JobFailed:
    return JobFailed(
        FailureKind.WORKERS_NOT_READY,
        "The workers cannot run the objective, so no trial was started. A first task, which only "
        f"unpickles the objective, ended with {_told(error_type, message, memory)}",
        traceback,
    )


def _too_slow(seconds: float, memory: str) -> JobFailed:
    return JobFailed(
        FailureKind.WORKERS_NOT_READY,
        "The workers cannot run the objective, so no trial was started. A first task, which only "
        f"unpickles the objective, had not ended {seconds:g} s after it had got a slot. Likely "
        "causes: an import that waits for something (a network, a lock, a prompt), or a worker "
        f"with too little memory to load what the objective imports.{_limit(memory)}",
        "",
    )


def _limit(memory: str) -> str:
    return f" {MEMORY} is {memory}." if memory else ""


def _told(error_type: str, message: str, memory: str) -> str:
    """The error, and what to do about it."""
    if _OUT_OF_MEMORY.search(f"{error_type}: {message}"):
        # Around the line that matters libraries, and we, write of what may be missing.
        lines = [line.strip() for line in message.splitlines() if _OUT_OF_MEMORY.search(line)]
        return f"{': '.join([error_type, *lines[:1]])}. {_MORE_MEMORY.format(memory or 'not set')}"
    # An error on a worker names itself, e.g. ModuleNotFoundError or PYTHON_VERSION_MISMATCH.
    is_python = error_type.rpartition(".")[2] in _OF_THE_PYTHON
    advice = _OTHER_PYTHON.format(sys.executable) if is_python else ""
    # A process that cannot even start to import dies without a word of memory.
    died = error_type == errors.WorkerDied.__name__
    return f"{error_type}: {message}{advice}{_limit(memory) if died else ''}"
