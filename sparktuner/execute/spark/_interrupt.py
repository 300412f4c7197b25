"""Ctrl-C while a search runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable


def spare_other_jobs() -> Callable[[], None]:
    """Lets Ctrl-C raise ``KeyboardInterrupt`` only, and returns what undoes this.

    pyspark's handler cancels every job of the application first, the user's other ones too.
    Only the main thread may set a handler, and only pyspark's is replaced.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not _is_pysparks(handler):
        return lambda: None
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def restore() -> None:
        # Somebody may have set a handler of their own meanwhile: that one stays.
        ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if ours and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)

    return restore


def _is_pysparks(handler: object) -> bool:
    return str(getattr(handler, "__module__", "")).split(".")[0] == "pyspark"
