"""What follows a search without steering it."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sparktuner.checks import check_seconds, check_whole, shown
from sparktuner.driver._protocol import TrialsView
from sparktuner.driver._settings import SearchSettings
from sparktuner.records import TrialDocument, copy_document

_log = logging.getLogger("sparktuner")

Objective: TypeAlias = Callable[..., object]


class Callback:
    """Is told what happens in a search: derive from it, and override what you need.

    ``fmin(..., callbacks=[MyCallback()])``. All methods are called in the thread of the search,
    which waits for them, so they must be quick; :class:`Background` lets a slow one run in a
    thread of its own. A callback that raises is logged once, with its traceback, and is told
    no more; the search goes on. Documents are the search's own: read them, do not change them.

    Example:
        >>> from sparktuner import Callback, fmin, hp
        >>> class Count(Callback):
        ...     n = 0
        ...     def on_trial_end(self, document):
        ...         self.n += 1
        >>> count = Count()
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=3, callbacks=[count], verbose=False)
        >>> count.n
        3
    """

    def around_objective(self, objective: Objective, trials: TrialsView) -> Objective:
        """Is called before all else, and returns what is to be run in the objective's place.

        Args:
            objective: takes the argument of a trial. With ``SparkTrials`` what is returned
                travels to the workers.
            trials: the :class:`sparktuner.Trials` of the search.
        """
        return objective

    def on_search_settings(self, settings: SearchSettings) -> None:
        """Is called before :meth:`on_search_start`, with what the search was asked to do."""

    def on_search_start(self, trials: TrialsView) -> None:
        """Is called before the first trial.

        Args:
            trials: the :class:`sparktuner.Trials` of the search.
        """

    def on_trial_start(self, document: TrialDocument) -> None:
        """Is called when a trial was handed over to be run."""

    def on_slot_change(self, document: TrialDocument, waits: bool) -> None:
        """Is called when it becomes known that a trial in flight waits for a slot, or has one."""

    def on_trial_end(self, document: TrialDocument) -> None:
        """Is called when a trial has finished, failed or was cancelled: see its ``state``."""

    def on_search_end(self, reason: str | None) -> None:
        """Is called after the last trial.

        Args:
            reason: why the search ended before its ``max_evals``; None where it did not.
        """

    def flush(self) -> float | None:
        """Is called by :class:`Background` whenever nothing waits to be told.

        Returns:
            After how many seconds to call again if nothing happens; None to leave it.
        """
        return None


def around(callbacks: Sequence[Callback], objective: Objective, trials: TrialsView) -> Objective:
    """Returns what the callbacks want to be run in an objective's place."""
    for callback in callbacks:
        try:
            objective = callback.around_objective(objective, trials)
        except Exception:  # a border: the user's code
            _log.exception("callback %r raised; the objective runs without it", callback)
    return objective


Hook: TypeAlias = Callable[[Callback], object]


class Callbacks:
    """The callbacks of one search; those that raise are detached."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._attached = list(callbacks)

    def each(self, hook: Hook) -> None:
        """Calls a hook of each callback that is still attached."""
        # A copy of the list, from which one that raises is taken out.
        for callback in list(self._attached):
            try:
                hook(callback)
            except Exception:  # a border: the user's code
                _log.exception("callback %r raised, and is told no more of this search", callback)
                self._attached.remove(callback)


class Background(Callback):
    """Runs another callback in a thread of its own, so that the search need not wait for it.

    It is told of everything in order, and gets copies of the documents. The end of the search
    waits until it has been told all.

    Example:
        >>> from sparktuner import Callback, fmin, hp
        >>> from sparktuner.callbacks import Background
        >>> class Upload(Callback):
        ...     def on_search_end(self, reason):
        ...         print("uploaded")
        >>> best = fmin(
        ...     abs, hp.uniform("x", -1, 1), max_evals=3, callbacks=[Background(Upload())],
        ...     verbose=False,
        ... )
        uploaded
    """

    def __init__(
        self, callback: Callback, capacity: int = 10_000, drain_timeout: float | None = 60.0
    ) -> None:
        """Starts no thread before the search does.

        Args:
            callback: the slow one.
            capacity: how many calls may wait. What comes beyond it is left out, and one
                warning says so: the search never waits.
            drain_timeout: seconds that the end of the search waits for it; None waits for as
                long as it takes.

        Raises:
            ValueError: ``capacity`` is below 1, or ``drain_timeout`` no number of seconds.
            TypeError: ``callback`` is no callback, or ``capacity`` no integer.
        """
        if not isinstance(callback, Callback):
            raise TypeError(
                "callback must be an object whose class derives from sparktuner.Callback, got "
                f"{shown(callback)}"
            )
        check_whole("capacity", capacity, least=1)
        check_seconds("drain_timeout", drain_timeout)
        self._callback = callback
        self._capacity = capacity
        self._drain_timeout = drain_timeout
        self._queue: queue.Queue[Hook | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._left_out = 0
        self._settings: SearchSettings | None = None

    def around_objective(self, objective: Objective, trials: TrialsView) -> Objective:
        return self._callback.around_objective(objective, trials)

    def on_search_settings(self, settings: SearchSettings) -> None:
        self._settings = settings

    def on_search_start(self, trials: TrialsView) -> None:
        # Anew for each search: the same callback may follow several, one after the other.
        self._queue = queue.Queue()
        self._left_out = 0
        name = f"sparktuner-{type(self._callback).__name__}".lower()
        # A daemon, so that a callback that hangs does not keep the interpreter from its end.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()
        settings, self._settings = self._settings, None
        if settings is not None:
            self._tell(lambda callback: callback.on_search_settings(settings))
        self._tell(lambda callback: callback.on_search_start(trials))

    def on_trial_start(self, document: TrialDocument) -> None:
        # The loop goes on changing the document while this one waits in the queue.
        copy = copy_document(document)
        self._tell(lambda callback: callback.on_trial_start(copy))

    def on_slot_change(self, document: TrialDocument, waits: bool) -> None:
        copy = copy_document(document)
        self._tell(lambda callback: callback.on_slot_change(copy, waits))

    def on_trial_end(self, document: TrialDocument) -> None:
        copy = copy_document(document)
        self._tell(lambda callback: callback.on_trial_end(copy))

    def on_search_end(self, reason: str | None) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        # However full: this must not be left out.
        self._queue.put(lambda callback: callback.on_search_end(reason))
        self._queue.put(None)
        thread.join(self._drain_timeout)
        if thread.is_alive():
            _log.warning(
                "callback %r had not taken in the search %g s after its end, and goes on alone",
                self._callback,
                self._drain_timeout,
            )

    def _tell(self, hook: Hook) -> None:
        if self._queue.qsize() < self._capacity:
            self._queue.put(hook)
            return
        self._left_out += 1
        if self._left_out == 1:
            _log.warning(
                "callback %r is %d calls behind the search; what comes meanwhile is not told it",
                self._callback,
                self._capacity,
            )

    def _work(self) -> None:
        told = Callbacks([self._callback])
        pause: float | None = None

        def flush(callback: Callback) -> None:
            nonlocal pause
            pause = callback.flush()

        while True:
            try:
                hook = self._queue.get(timeout=pause)
            except queue.Empty:
                hook = flush
            if hook is None:
                return
            pause = None
            told.each(hook)
            # A batch is complete when nothing waits; while much comes in, batches grow.
            if hook is not flush and self._queue.empty():
                told.each(flush)
