"""Ctrl-C waits while the loop does its bookkeeping."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

Handler: TypeAlias = Callable[[int, FrameType | None], object]


class InterruptGate:
    """Lets Ctrl-C through only where nothing is half done.

    A document is changed, written and told of in several steps; an interrupt between two of
    them would leave a trial that runs for ever, or lose a result. It is held until
    :meth:`pass_held` is called. A second one is not held, in case the loop is stuck in
    somebody's callback.

    Args:
        wake: ends the loop's wait, or returns False where an exception alone can.
    """

    def __init__(self, wake: Callable[[], bool]) -> None:
        self._wake = wake
        self._handler: Handler | None = None
        self._is_open = False
        self._held: tuple[int, FrameType | None] | None = None

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Guards the block; only in the main thread, which alone gets signals."""
        before = signal.getsignal(signal.SIGINT)
        in_main = threading.current_thread() is threading.main_thread()
        if not in_main or not callable(before):
            yield
            return
        self._handler = before
        signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
            self.pass_held()
        finally:
            signal.signal(signal.SIGINT, before)
            self._handler = None

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Holds no interrupt in the block, where somebody's code may take its time."""
        self.pass_held()
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False

    def pass_held(self) -> None:
        """Lets an interrupt through that was held; it raises KeyboardInterrupt, as a rule."""
        held, self._held = self._held, None
        if held is not None and self._handler is not None:
            self._handler(*held)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        is_second, self._held = self._held is not None, (number, frame)
        if self._is_open or is_second or not self._wake():
            self.pass_held()
