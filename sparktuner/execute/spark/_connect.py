"""Trials as one-partition DataFrame jobs, on a Spark Connect session."""

from __future__ import annotations

import functools
import os
import pickle
import tempfile
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent import futures
from typing import TYPE_CHECKING, Any

from sparktuner.execute.spark._connect_worker import run_batches
from sparktuner.execute.spark._failures import connect_failed, worker_vanished
from sparktuner.execute.spark._shipping import pack_objective, pickle_by_value
from sparktuner.execute.spark._transport import Transport
from sparktuner.execute.spark._worker import REFUSED

if TYPE_CHECKING:
    from pyspark.resource import ResourceProfile

# pyspark's own policy goes on for ten minutes. A server that comes back has forgotten the
# session, so this need only outlast a hiccup of the network: about 20 s.
_RETRIES = 7
_LONGEST_PAUSE_MS = 5000
_LAST_WORDS = 5.0


class ConnectTransport(Transport):
    """One DataFrame of one row; each trial is a ``mapInArrow`` job on it with a tag of its own.

    The jobs run in a clone of the user's session (Spark 4.1 and later), so that what was
    shipped ends with the search, and nothing of the user's is touched. Older servers, and
    those that refuse to clone, keep what was shipped until the user's session ends.
    """

    def __init__(
        self,
        session: Any,
        objective: Callable[[Any], Any],
        in_driver: bool,
        resource_profile: ResourceProfile | None = None,
    ) -> None:
        """Pickle the objective and ship it as an artifact of the session.

        Args:
            session: a Spark Connect session.
            objective: what the workers call.
            in_driver: whether the server's JVM is the only executor (``local[...]``).
            resource_profile: what one trial's task needs.

        Raises:
            UnpicklableObjective: the objective cannot be pickled.
        """
        from pyspark.sql.types import BinaryType, StructField, StructType

        packed = pack_objective(objective)
        self._session, self._is_own = _own_session(session)
        self._gone = threading.Event()
        self._since: dict[str, float] = {}
        name = f"sparktuner-{uuid.uuid4().hex}.pickle"
        _ship(self._session, name, packed)
        self._function = _ByValue(functools.partial(run_batches, name, in_driver))
        self._schema = StructType([StructField("report", BinaryType())])
        self._options = {} if resource_profile is None else {"profile": resource_profile}
        self._frame = self._session.range(0, 1, 1, 1)

    def run(self, task: bytes, tag: str, description: str) -> bytes:
        session = self._session
        session.addTag(tag)  # for this thread
        self._since[tag] = time.time()
        try:
            job = self._frame.mapInArrow(
                _Trial(self._function, task), self._schema, **self._options
            )
            report = bytes(job.collect()[0][0])
        except Exception as error:  # pyspark's dozen kinds, grpc's, and ValueError once closed
            failure = connect_failed(error)
            _forget_frames(error)
            if failure.error_type == "SparkUnavailable":
                self._gone.set()
            raise failure from None
        finally:
            del self._since[tag]
            session.removeTag(tag)
        if report == REFUSED:
            raise worker_vanished()
        return report

    def cancel(self, tag: str) -> None:
        if self._gone.is_set():
            return
        try:
            self._session.interruptTag(tag)
        except Exception:  # the server is gone, and the job with it
            return

    def running_since(self, tag: str) -> float | None:
        """Return when the job was sent: a Connect session does not tell when a task starts."""
        return self._since.get(tag)

    def close(self) -> None:
        if not self._is_own:
            return
        client = self._session.client
        try:
            if self._gone.is_set():
                client._channel.close()  # client.close() waits for the server, in vain
                return
            # What pyspark still has to tell of the trials would be an error afterwards, and in
            # the server's log.
            futures.wait(getattr(client, "_release_futures", ()), timeout=_LAST_WORDS)
            # Not session.stop(), which would take a local server down with it.
            client.release_session()
            client.close()
        except Exception:  # the server is gone, and the session with it
            return


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

    def __init__(self, function: Callable[..., Any]) -> None:
        self._pickled = pickle_by_value(function)

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self._pickled,)


class _Trial:
    """What ``mapInArrow`` takes; on the worker it is ``function`` with ``task`` filled in."""

    def __init__(self, function: _ByValue, task: bytes) -> None:
        self._function = function
        self._task = task

    def __call__(self, batches: Any) -> Any:
        raise NotImplementedError("runs on workers only")

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial, (self._function, self._task)


def _own_session(session: Any) -> tuple[Any, bool]:
    """Return a clone of the session, and whether it is one: if there can be none, itself."""
    try:
        own = session.cloneSession()
    except Exception:  # AttributeError before Spark 4.1; a server's refusal
        return session, False
    from pyspark.sql.connect.client.retries import DefaultPolicy

    policy = DefaultPolicy(max_retries=_RETRIES, max_backoff=_LONGEST_PAUSE_MS)
    own.client.set_retry_policies([policy])
    return own, True


def _ship(session: Any, name: str, packed: list[Any]) -> None:
    """Send ``packed`` once, in chunks; it may be larger than one gRPC message."""
    with tempfile.TemporaryDirectory(prefix="sparktuner-") as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            pickle.dump(packed, file, protocol=pickle.HIGHEST_PROTOCOL)
        session.addArtifact(path, file=True)
