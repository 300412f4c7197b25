"""Trials as one-partition DataFrame jobs, on a Spark Connect session."""

from __future__ import annotations

import functools
import math
import os
import pickle
import tempfile
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from sparktuner.execute._protocol import Objective
from sparktuner.execute.spark._environment import ConnectSession, Environment
from sparktuner.execute.spark._failures import worker_vanished
from sparktuner.execute.spark._shipping import pack_objective, pickle_by_value
from sparktuner.execute.spark._transport import Transport
from sparktuner.execute.spark.connect._failures import connect_failed
from sparktuner.execute.spark.connect._session import answers, attach, clone
from sparktuner.execute.worker import NOT_RUN, run_connect_take, run_connect_task
from sparktuner.status import FailureKind

if TYPE_CHECKING:
    from pyspark.resource import ResourceProfile
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.shell.progress import StageInfo

# An objective of up to this many bytes travels with each trial, which costs less than the
# Python workers that a session of its own would have to start.
_SMALL = 2**17
# Servers report an operation's progress every two seconds (spark.connect.progress.reportInterval).
# One that has never told anything by then is not going to.
_SILENT = 10.0


class ConnectTransport(Transport):
    """A transport on Spark Connect: each trial is a ``mapInArrow`` job on a DataFrame of one row.

    A small objective travels with each trial, as bytes that a worker process unpickles once. A
    large one is shipped once, as an artifact of a clone of the user's session (Spark 4.1 and
    later), so that it ends with the search. Older servers, and those that refuse to clone,
    keep the artifact until the user's session ends.

    Attributes:
        session: the one that the jobs run in.
    """

    def __init__(
        self,
        session: ConnectSession,
        objective: Objective,
        environment: Environment,
        resource_profile: ResourceProfile | None = None,
    ) -> None:
        """Pickles the objective, and ships it if it is large.

        Args:
            session: a Spark Connect session.
            objective: what the workers call.
            environment: what kind it is.
            resource_profile: what one trial's task needs.

        Raises:
            UnpicklableObjective: the objective cannot be pickled.
        """
        from pyspark.sql.types import BinaryType, StructField, StructType

        packed = pack_objective(objective, environment.omp)
        is_small = sum(map(len, packed)) <= _SMALL
        self._own = attach(session) if is_small else clone(session)
        self.session = self._own.session
        self._gone = threading.Event()
        # When a trial's task got a slot, as far as reported; None: it waits for one. Infinity:
        # nothing was reported yet, and it may well wait for a cancelled trial's process to end.
        self._since: dict[str, float | None] = {}
        self._sent: dict[str, float] = {}
        self._is_told = False  # whether the server reports anything
        self._mine = threading.local()  # .tag: of the trial that this thread runs
        self._client = self._own.client
        name = f"sparktuner-{uuid.uuid4().hex}.pickle"
        try:
            self._follow_progress(environment.version)
            if not is_small:
                _ship(self.session, name, packed)
            self._frame = self.session.range(0, 1, 1, 1)
        except BaseException:  # Ctrl-C too: nobody else could end the session
            self.close()
            raise
        inline = packed if is_small else None
        in_driver, speculates = environment.in_driver, environment.speculates
        self._function = _ByValue(
            functools.partial(run_connect_task, name, inline, in_driver, speculates)
        )
        self._in_driver = in_driver
        self._taker = _ByValue(run_connect_take)
        self._schema = StructType([StructField("outcome", BinaryType())])
        self._options = {} if resource_profile is None else {"profile": resource_profile}

    def run(self, task: bytes, tag: str, description: str) -> bytes:
        with self._operation(tag):
            job = self._frame.mapInArrow(
                _Trial(self._function, task), self._schema, **self._options
            )
            outcome = _values(job, self._client.collects_tables)[0]
        if outcome == NOT_RUN:
            raise worker_vanished()
        return outcome

    def take(self, request: bytes, tag: str, description: str, spread: int) -> bytes:
        spread = 1 if self._in_driver else spread
        with self._operation(tag):
            job = self.session.range(0, spread, 1, spread).mapInArrow(
                _Trial(self._taker, request), self._schema, **self._options
            )
            return b"".join(_values(job, self._client.collects_tables))

    @contextmanager
    def _operation(self, tag: str) -> Iterator[None]:
        """Tags this thread's jobs, follows them, and raises what goes wrong as what it is."""
        session = self.session
        session.addTag(tag)  # for this thread
        self._mine.tag = tag
        self._sent[tag] = time.time()
        self._since[tag] = math.inf
        try:
            yield
        except Exception as error:  # pyspark's dozen kinds, grpc's, and ValueError once closed
            failure = connect_failed(error)
            _forget_frames(error)
            if failure.kind is FailureKind.SESSION_GONE:
                self._gone.set()
            raise failure from None
        finally:
            del self._since[tag], self._sent[tag]
            self._mine.tag = None
            session.removeTag(tag)

    def cancel(self, tag: str) -> None:
        if self._gone.is_set():
            return
        try:
            self.session.interruptTag(tag)
        except Exception:  # the server is gone, and the job with it
            return

    def running_since(self, tag: str) -> float | None:
        """Returns when the server first reported that the trial's task has a slot.

        Servers before Spark 4.0 report nothing: there it is when the job was sent.
        """
        since, sent = self._since.get(tag), self._sent.get(tag)
        silent = sent is not None and (self._never_told or time.time() - sent >= _SILENT)
        return sent if since == math.inf and silent and not self._is_told else since

    def _follow_progress(self, version: tuple[int, int]) -> None:
        self._never_told = True
        if self._client.tells_progress:
            with suppress(Exception):  # whatever a platform's own kind of client raises
                self.session.registerProgressHandler(self._on_progress)
                self._never_told = version < (4, 0)

    def _on_progress(
        self, *, stages: Iterable[StageInfo], inflight_tasks: int, done: bool, **_: object
    ) -> None:
        """Take note of what the server says of the operation in whose thread this is called."""
        self._is_told = True
        tag = getattr(self._mine, "tag", None)
        if tag not in self._since or done or any(s.num_completed_tasks for s in stages):
            return
        if not inflight_tasks:
            self._since[tag] = None
        elif self._since[tag] in (None, math.inf):
            self._since[tag] = time.time()

    def is_gone(self) -> bool:
        # Its client tries again for 20 s before it says so, a server that hangs for ever.
        if not self._gone.is_set() and not answers(self.session):
            self._gone.set()  # nothing else is to wait for it
        return self._gone.is_set()

    def close(self) -> None:
        if self._client.tells_progress:
            with suppress(Exception):  # as above
                self.session.removeProgressHandler(self._on_progress)
        self._own.close(self._gone.is_set())


def _forget_frames(error: BaseException | None) -> None:
    """Let go what an error's frames hold: pyspark's stream of results, with its two threads.

    They are in a cycle with the error, and grpc keeps its own errors for longer.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
        error = error.__context__


class _ByValue:
    """A function that is pickled once, by value, however often it is shipped."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._pickled = pickle_by_value(function)

    def __reduce__(self) -> tuple[Callable[[bytes], object], tuple[bytes]]:
        return pickle.loads, (self._pickled,)


class _Trial:
    """What ``mapInArrow`` takes; on the worker it is ``function`` with ``task`` filled in."""

    def __init__(self, function: _ByValue, task: bytes) -> None:
        self._function = function
        self._task = task

    def __call__(self, batches: Iterable[object]) -> NoReturn:
        raise NotImplementedError("runs on workers only")

    def __reduce__(self) -> tuple[type, tuple[_ByValue, bytes]]:
        return functools.partial, (self._function, self._task)


def _values(job: DataFrame, as_table: bool) -> list[bytes]:
    """Return the values of a result of one column.

    ``collect`` asks the server for a setting each time; the table alone needs none.
    """
    if not as_table:
        return [bytes(row[0]) for row in job.collect()]
    table, _ = job._to_table()
    return [bytes(value.as_py()) for value in table.column(0)]


def _ship(session: ConnectSession, name: str, packed: list[bytes]) -> None:
    """Send ``packed`` once, in chunks; it may be larger than one gRPC message."""
    with tempfile.TemporaryDirectory(prefix="sparktuner-") as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            pickle.dump(packed, file, protocol=pickle.HIGHEST_PROTOCOL)
        session.addArtifact(path, file=True)
