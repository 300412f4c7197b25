"""An answer that nobody waits for too long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from sparktuner.mlflow._sender import THREAD, without_noise

T = TypeVar("T")


def within(seconds: float, ask: Callable[[], T]) -> T:
    """Returns what a function returns, or gives it up: it then goes on alone, in its thread.

    Args:
        seconds: how long to wait at most.
        ask: the function.

    Raises:
        TimeoutError: it takes longer.
        Exception: whatever the function raises.
    """
    answers: queue.SimpleQueue[tuple[T, None] | tuple[None, Exception]] = queue.SimpleQueue()

    def work() -> None:
        with without_noise():
            try:
                answers.put((ask(), None))
            except Exception as error:  # raised below, in the thread that waits
                answers.put((None, error))

    # A daemon, so that a request that hangs does not keep the interpreter from its end.
    threading.Thread(target=work, name=f"{THREAD}-ask", daemon=True).start()
    try:
        # Longer than a thread can wait is as good as for ever.
        answer, error = answers.get(timeout=min(seconds, threading.TIMEOUT_MAX))
    except queue.Empty:
        raise TimeoutError(f"there was no answer in {seconds:g} s") from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]
