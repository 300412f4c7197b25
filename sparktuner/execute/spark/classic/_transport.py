"""Trials as RDD jobs, on a session that has a SparkContext."""

from __future__ import annotations

import base64
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from sparktuner.execute._protocol import Objective
from sparktuner.execute.spark._environment import (
    Environment,
    JavaObject,
    is_context_stopped,
    workers_run_this_python,
)
from sparktuner.execute.spark._failures import GONE, failed_in_driver, worker_died, worker_vanished
from sparktuner.execute.spark._shipping import pack_objective, pickled_by_value
from sparktuner.execute.spark._transport import JobFailed, Transport
from sparktuner.execute.spark._trial_jobs import printable
from sparktuner.execute.spark.classic._failures import job_failed
from sparktuner.execute.spark.classic._task_attempts import TaskAttempt, task_attempts
from sparktuner.execute.worker import (
    NOT_RUN,
    PIECE_BYTES,
    TASK_PROPERTY,
    run_classic_take,
    run_classic_task,
)
from sparktuner.status import FailureKind

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast, SparkContext
    from pyspark.resource import ResourceProfile

# How long the end of an attempt may take to reach Spark's bookkeeping.
_LISTENERS_MS = 2000


class ClassicTransport(Transport):
    """A transport on Spark Classic: each trial is a job on one RDD, with its own local properties.

    ``collectAsync`` returns when the job is in the scheduler's queue, so a cancel that comes
    later cannot miss it; and it costs a fifth less than ``RDD.collect`` with its socket.
    """

    def __init__(
        self,
        context: SparkContext,
        objective: Objective,
        environment: Environment,
        resource_profile: ResourceProfile | None = None,
    ) -> None:
        """Pickles the objective, broadcasts it, and makes the RDD.

        Args:
            context: the session's.
            objective: what the workers call.
            environment: what kind it is.
            resource_profile: what one trial's task needs.

        Raises:
            UnpicklableObjective: the objective cannot be pickled.
        """
        self._context = context
        self._thread = threading.local()
        self._inherited = _local_properties(context).clone()
        self._jobs: dict[str, JavaObject] = {}  # tag -> JavaFutureAction, while its trial runs
        self._profile = resource_profile
        self._in_driver = environment.in_driver
        self._takers: dict[int, RDD[bytes]] = {}  # number of tasks -> RDD
        self._making_takers = threading.Lock()
        packed = pack_objective(objective, environment.omp)
        try:
            self._broadcast: Broadcast[list[bytes]] = context.broadcast(packed)
            in_driver, speculates = environment.in_driver, environment.speculates
            task = partial(run_classic_task, self._broadcast, in_driver, speculates)
            self._rdd: JavaObject = self._make_rdd(task, 1)._jrdd
        except BaseException:
            # Ctrl-C in the midst of a call of py4j's costs this thread its thread in the JVM,
            # and the caller the job group and tags that were set there.
            with suppress(Exception):
                context._jsc.sc().setLocalProperties(self._inherited)
            self.close()
            raise

    def _make_rdd(
        self, task: Callable[[Iterable[object]], list[bytes]], partitions: int
    ) -> RDD[bytes]:
        rdd = self._context.parallelize([None] * partitions, partitions).mapPartitions(task)
        if self._profile is not None:
            rdd = rdd.withResources(self._profile)
        with pickled_by_value(), workers_run_this_python(self._context):
            rdd._jrdd  # noqa: B018  this pickles the task, and is kept
        return rdd

    def run(self, task: bytes, tag: str, description: str) -> bytes:
        with self._told_apart(), self._tagged(task, tag, description):
            try:
                # When a job fails, Spark fails every job whose lineage holds the failed stage's
                # RDD: each job gets a last RDD of its own.
                job = self._jobs[tag] = self._rdd.coalesce(1).collectAsync()
                outcome = _joined(job.get())
                if outcome == NOT_RUN:
                    raise self._ended(tag)
                return outcome
            finally:
                self._jobs.pop(tag, None)

    def take(self, request: bytes, tag: str, description: str, spread: int) -> bytes:
        spread = 1 if self._in_driver else spread
        with self._told_apart():
            taker = self._taker(spread)
            with self._tagged(request, tag, description):
                try:
                    # Through a socket, which is ten times as fast as py4j. An RDD of its own, as
                    # each trial has.
                    return b"".join(taker.coalesce(spread).collect())
                finally:
                    self._name_call_site()

    def _taker(self, spread: int) -> RDD[bytes]:
        with self._making_takers:
            if spread not in self._takers:
                self._takers[spread] = self._make_rdd(run_classic_take, spread)
            return self._takers[spread]

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        """Raises what goes wrong as what it is, in a thread that has entered."""
        try:
            self._enter_thread()
            yield
        except JobFailed:
            raise
        except Exception as error:  # py4j lets OSError and AttributeError through as well
            here = failed_in_driver(error)
            if here is not None:
                raise here from None
            # The gateway refuses, breaks off, or pyspark has forgotten it after stop().
            if is_context_stopped(self._context):
                raise JobFailed(FailureKind.SESSION_GONE, GONE, str(error)) from None
            raise job_failed(error) from None

    def cancel(self, tag: str) -> None:
        try:
            self._context.cancelJobsWithTag(tag)
        except Exception:  # the JVM is gone, and the job with it
            return

    def running_since(self, tag: str) -> float | None:
        launched = [attempt.launched for attempt in self._attempts(tag) if attempt.running]
        return launched[-1] if launched else None

    def close(self) -> None:
        try:
            self._broadcast.destroy()
        except Exception:  # there is none yet; or the session was stopped, and it with it
            return

    def _enter_thread(self) -> None:
        """Give this thread the local properties (pool, job group) of the executor's maker."""
        if getattr(self._thread, "entered", False):
            return
        # A clone: threads that share one Properties object would share each trial's tag.
        self._context._jsc.sc().setLocalProperties(self._inherited.clone())
        self._name_call_site()
        self._thread.entered = True

    def _name_call_site(self) -> None:
        self._context.setLocalProperty("callSite.short", "sparktuner trial")

    @contextmanager
    def _tagged(self, task: bytes, tag: str, description: str) -> Iterator[None]:
        """Lets the jobs of this thread carry what their tasks are to do, and a trial's tag."""
        context = self._context
        context.setLocalProperty(TASK_PROPERTY, base64.b64encode(task).decode("ascii"))
        context.setJobDescription(printable(description))
        context.addJobTag(tag)
        try:
            yield
        finally:
            context.removeJobTag(tag)

    def _ended(self, tag: str) -> JobFailed:
        """Why the attempt ended after which Spark tried again."""
        with suppress(Exception):  # Spark's own method, or a bus that stays behind
            self._context._jsc.sc().listenerBus().waitUntilEmpty(_LISTENERS_MS)
        ended = [attempt for attempt in self._attempts(tag) if attempt.error]
        return worker_died(ended[-1].error, ended[-1].host) if ended else worker_vanished()

    def _attempts(self, tag: str) -> list[TaskAttempt]:
        job = self._jobs.get(tag)
        if job is None:
            return []
        try:
            return task_attempts(self._context._jsc.sc(), job)
        except Exception:  # not in the store yet, or the JVM is gone
            return []


def _joined(batches: JavaObject) -> bytes:
    """The outcome from the pickled lists of its pieces, which Spark may have put together."""
    pieces: list[bytes] = pickle.loads(batches.get(0))
    # A short piece is the last one, and to ask how many there are costs a round trip.
    if len(pieces[-1]) == PIECE_BYTES:
        for i in range(1, batches.size()):
            pieces += pickle.loads(batches.get(i))
    return b"".join(pieces)


def _local_properties(context: SparkContext) -> JavaObject:
    return context._jsc.sc().getLocalProperties()
