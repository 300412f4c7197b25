"""An answer that nobody waits for too long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(
    seconds: float,
    ask: Callable[[], T],
    thread: str = "sparktuner-ask",
    late: Exception | None = None,
) -> T:
    """Returns what a function returns, or gives it up: it then goes on alone, in its thread.

    Args:
        seconds: how long to wait at most.
        ask: the function.
        thread: the name of its thread.
        late: what to raise where it takes longer.

    Raises:
        TimeoutError: it takes longer, and ``late`` is None.
        Exception: whatever the function raises.
    """
    answers: queue.SimpleQueue[tuple[T, None] | tuple[None, Exception]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put((ask(), None))
        except Exception as error:  # raised below, in the thread that waits
            answers.put((None, error))

    # A daemon, so that a request that hangs does not keep the interpreter from its end.
    threading.Thread(target=work, name=thread, daemon=True).start()
    try:
        # Longer than a thread can wait is as good as for ever.
        answer, error = answers.get(timeout=min(seconds, threading.TIMEOUT_MAX))
    except queue.Empty:
        raise late or TimeoutError(f"there was no answer in {seconds:g} s") from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]
