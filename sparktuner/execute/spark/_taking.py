"""Takes the large files that trials have attached from their workers' disks."""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from sparktuner.execute._attaching import unnamed_file
from sparktuner.execute._protocol import Attached, Tid
from sparktuner.execute.spark._transport import JobFailed, Transport
from sparktuner.execute.worker import LEFT_PIECE, LeftFile

_log = logging.getLogger("sparktuner")

# Each holds a piece, several times over in the JVM and on its way.
_AT_A_TIME = 4
# Where the file's executor has no free slot, none of the tasks gets there.
_TRIES = 40
_PAUSE = 0.5
_MOST_TASKS = 256


class _Missing(Exception):
    """Why a file cannot be had."""


class Taker:
    """Copies files from workers to temporary files of this machine, a piece in memory at a time.

    A file is only on the executor that ran the trial, and Spark places tasks as it likes: so
    each piece is asked for in as many tasks as there are slots, of which the one that finds it
    returns it. What cannot be had is left out, and a warning names it: the trial has ended
    well, and would not be run again for a file.

    Args:
        transport: runs the tasks.
        capacity: how many slots there are, as last counted.
    """

    def __init__(self, transport: Transport, capacity: Callable[[], int | None]) -> None:
        self._transport = transport
        self._capacity = capacity
        self._turns = threading.BoundedSemaphore(_AT_A_TIME)
        self._closed = threading.Event()

    def close(self) -> None:
        """Lets those give up that wait."""
        self._closed.set()

    def taken(
        self, tid: Tid, tag: str, left: Mapping[str, LeftFile], is_cancelled: Callable[[], bool]
    ) -> Iterator[Attached]:
        """Yields what a trial has left.

        Args:
            tid: the trial.
            tag: of its jobs.
            left: its files, by the attachments' names.
            is_cancelled: whether the trial is to end at once.
        """
        missing: dict[str, str] = {}
        for name, file in left.items():
            try:
                with self._turn(is_cancelled):
                    what = f"trial {tid}: takes attachment {name!r}"
                    content = self._copied(file, tag, what, is_cancelled)
            except (_Missing, JobFailed, OSError) as error:  # no room here, too
                missing[name] = str(error)
                continue
            yield Attached(tid, name, content)
        if missing:
            _log.warning(
                "attachments %s of trial %s are missing, they could not be taken from its "
                "worker: %s",
                list(missing),
                tid,
                "; ".join(sorted(set(missing.values()))),
            )

    @contextmanager
    def _turn(self, is_cancelled: Callable[[], bool]) -> Iterator[None]:
        while not self._turns.acquire(timeout=_PAUSE):
            self._require_wanted(is_cancelled)
        try:
            yield
        finally:
            self._turns.release()

    def _copied(
        self, left: LeftFile, tag: str, description: str, is_cancelled: Callable[[], bool]
    ) -> BinaryIO:
        file = unnamed_file()
        try:
            for number in range(-(-left["size_bytes"] // LEFT_PIECE)):
                rest = left["size_bytes"] - number * LEFT_PIECE
                request = pickle.dumps((left["path"], number, rest <= LEFT_PIECE))
                piece = self._piece(request, tag, description, is_cancelled)
                if len(piece) != min(rest, LEFT_PIECE):
                    raise _Missing("the file has changed on the worker's disk")
                file.write(piece)
            file.flush()
        except BaseException:
            file.close()
            raise
        return file

    def _piece(
        self, request: bytes, tag: str, description: str, is_cancelled: Callable[[], bool]
    ) -> bytes:
        for _ in range(_TRIES):
            self._require_wanted(is_cancelled)
            spread = min(max(1, self._capacity() or 1), _MOST_TASKS)
            piece = self._transport.take(request, tag, description, spread)
            if piece:
                return piece
            self._closed.wait(_PAUSE)
        raise _Missing("its executor is lost, or has had no free slot for too long")

    def _require_wanted(self, is_cancelled: Callable[[], bool]) -> None:
        if self._closed.is_set() or is_cancelled():
            raise _Missing("the trial was cancelled meanwhile")
