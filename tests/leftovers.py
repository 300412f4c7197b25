"""What a search must not leave behind: one check for every kind of session."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Executors release a broadcast, and a server a session's files, shortly after they are told to.
# pyspark's Connect client may tell a session that is gone of a failed trial's end, for 20 s.
PATIENCE = 30.0
# Objectives whose broadcast shall be looked for capture as much.
PAYLOAD_BYTES = 3_000_000


@contextmanager
def leaves_nothing(session: Any = None, server_files: Path | None = None) -> Iterator[None]:
    """Check that the block leaves the process, and the session, as they were.

    Args:
        session: of either kind; None where it does not outlive the block.
        server_files: the folder of a Connect server's temporary files.
    """
    before = _footprint(session, server_files)
    yield
    deadline = time.monotonic() + PATIENCE
    while left := _more(before, _footprint(session, server_files)):
        assert time.monotonic() < deadline, f"left behind: {left}{_stacks(left)}"
        gc.collect()  # a thread whose pool is garbage is not left behind
        time.sleep(0.05)


def _more(before: dict[str, set[Any]], after: dict[str, set[Any]]) -> dict[str, set[Any]]:
    return {what: new for what in before if (new := after[what] - before[what])}


def _stacks(left: dict[str, set[Any]]) -> str:
    """Where the threads are that were left behind."""
    frames = sys._current_frames()
    named = left.get("threads", ())
    threads = [thread for thread in threading.enumerate() if _thread_or_pool(thread) in named]
    stacks = [traceback.format_stack(frames.get(thread.ident or 0)) for thread in threads]
    return "\n".join(line for stack in stacks for line in stack)


def _thread_or_pool(thread: threading.Thread) -> str:
    """Name a thread; its pool, if it is of one.

    A pool that was there before may add a thread.
    """
    pool = re.match(r"(ThreadPoolExecutor-\d+)_\d+$", thread.name)
    return pool.group(1) if pool else f"{thread.name} {thread.ident}"


def _footprint(session: Any, server_files: Path | None) -> dict[str, set[Any]]:
    threads = {_thread_or_pool(thread) for thread in threading.enumerate()}
    if session is None:
        # pyspark's, and grpc's, for streams that a server broke off when it ended.
        theirs = ("ThreadPoolExecutor", "Dummy")
        threads = {name for name in threads if not name.startswith(theirs)}
    found: dict[str, set[Any]] = {
        "threads": threads,
        "temporary files": set(os.listdir(tempfile.gettempdir())),
        "SIGINT handler": {signal.getsignal(signal.SIGINT)},
    }
    if server_files is not None:
        shipped = map(str, server_files.rglob("sparktuner-*"))
        # Spark's own copies: an executor's for half an hour, the server's for as long as it lives.
        found["shipped files"] = {path for path in shipped if "/userFiles-" not in path}
    if session is not None and _is_connect(session):
        found["threads"] -= _shared_pool()
    if session is not None:
        found |= _of_connect(session) if _is_connect(session) else _of_classic(session)
    return found


def _is_connect(session: Any) -> bool:
    return ".connect." in type(session).__module__


def _shared_pool() -> set[str]:
    """The pool that Spark 4.0 has for all clients, and makes anew after one was closed."""
    from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator

    shared = getattr(
        ExecutePlanResponseReattachableIterator, "_release_thread_pool_instance", None
    )
    return {_thread_or_pool(thread) for thread in shared._threads} if shared else set()


def _of_connect(session: Any) -> dict[str, set[Any]]:
    return {"tags": set(session.getTags())}


def _of_classic(session: Any) -> dict[str, set[Any]]:
    context = session.sparkContext
    java = context._jsc
    return {
        "tags": set(context.getJobTags()),
        "local properties": {str(java.sc().getLocalProperties())},
        "active jobs": set(context.statusTracker().getActiveJobsIds()),
        "persistent RDDs": set(java.getPersistentRDDs()),
        "broadcast files": set(os.listdir(context._temp_dir)),
        # Blocks in memory, in units that a task's own binary does not fill.
        "broadcast memory": set(range(_memory_used(java.sc()) // PAYLOAD_BYTES)),
    }


def _memory_used(java_context: Any) -> int:
    used, stores = 0, java_context.getExecutorMemoryStatus().values().iterator()
    while stores.hasNext():
        store = stores.next()
        used += store._1() - store._2()
    return used
