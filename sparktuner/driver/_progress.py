"""The progress bar: done, best loss, running, waiting for a slot, failed, time left."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol, TypeAlias

from sparktuner.checks import shown
from sparktuner.driver._callbacks import Callback
from sparktuner.records import Incumbent, Tid, TrialDocument, finite_loss
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_DONE


class Bar(Protocol):
    """What Hyperopt's ``show_progressbar`` protocol asks of a progress bar.

    Attributes:
        postfix: a text to show behind the bar; it is only ever set.
    """

    postfix: Any

    def update(self, n: int, /) -> object:
        """Shows that ``n`` more trials have ended."""


# (trials already there, total or None) -> a context manager that gives a Bar.
BarFactory: TypeAlias = Callable[[int, int | None], AbstractContextManager[Bar]]


class Progress(Callback):
    """Shows a search's progress through a bar.

    Args:
        factory: makes the bar, which is opened at once.
        documents: the trials that are there before the search.
        total: how many trials there are to be in the end, or None where there is no limit.
        capacity: how many trials can have a slot, where that is known.
    """

    def __init__(
        self,
        factory: BarFactory,
        documents: Sequence[TrialDocument],
        total: int | None,
        capacity: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._capacity = capacity
        self._best = Incumbent()
        for document in documents:
            self._best.offer(document)
        self._failed = 0
        self._in_flight: dict[Tid, bool] = {}  # tid -> whether it waits for a slot
        done = sum(document["state"] == JOB_STATE_DONE for document in documents)
        self._context = ExitStack()
        opened: object = factory(done, total)
        if not isinstance(opened, AbstractContextManager):
            raise TypeError(
                "show_progressbar(initial, total) must return a context manager, as "
                f"progress.default_callback does, got {shown(opened)}"
            )
        self._bar = self._context.enter_context(opened)

    def on_trial_start(self, document: TrialDocument) -> None:
        # That it waits for a slot may have become known before.
        self._in_flight.setdefault(document["tid"], False)
        self._show(0)

    def on_slot_change(self, document: TrialDocument, waits: bool) -> None:
        self._in_flight[document["tid"]] = waits
        self._show(0)

    def on_trial_end(self, document: TrialDocument) -> None:
        self._in_flight.pop(document["tid"], None)
        if document["state"] == JOB_STATE_CANCEL and "error" not in document["misc"]:
            self._show(0)  # by the search's end: neither done nor failed
            return
        # A trial that ran into its time limit is cancelled too, but it has an error.
        self._failed += finite_loss(document) is None
        self._best.offer(document)
        self._show(1)

    def on_search_end(self, reason: str | None) -> None:
        self._context.close()

    def _show(self, step: int) -> None:
        best = "?" if self._best.loss is None else f"{self._best.loss:.6g}"
        in_flight, capacity = len(self._in_flight), self._capacity()
        waiting = sum(self._in_flight.values())
        if capacity is not None:  # of some it may not be known yet that they wait
            waiting = max(waiting, in_flight - capacity)
        running = f"running: {in_flight - waiting}"
        if waiting:
            running += f", waiting: {waiting}"
        text = f"best loss: {best}, {running}, failed: {self._failed}"
        try:
            self._bar.postfix = text
            self._bar.update(step)
        except Exception:
            self._context.close()  # it is told no more, and must not be left open
            raise


@contextlib.contextmanager
def tqdm_bar(initial: int, total: int | None) -> Iterator[Bar]:
    """Opens a tqdm bar, as a widget in notebooks that can show one.

    Args:
        initial: how many trials there are already.
        total: how many there are to be, or None where there is no limit.

    Example:
        >>> from sparktuner import fmin, hp, progress
        >>> best = fmin(
        ...     abs, hp.uniform("x", -1, 1), max_evals=3,
        ...     show_progressbar=progress.default_callback,
        ... )
    """
    with warnings.catch_warnings():
        # Without ipywidgets tqdm warns and falls back to text, which is just right.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

        # miniters=0: a trial that starts is shown too, though the count stays as it is.
        bar = tqdm(
            total=total,
            initial=initial,
            unit="trial",
            dynamic_ncols=True,
            mininterval=0.2,
            miniters=0,
        )
    with bar, _cleared_for_the_log(bar.clear):
        yield bar


@contextlib.contextmanager
def _cleared_for_the_log(clear: Callable[[], object]) -> Iterator[None]:
    """Gives each line of the log a line of its own; the bar is drawn again with the next news."""

    def about_to_log(record: logging.LogRecord) -> bool:
        clear()
        return True

    log = logging.getLogger("sparktuner")
    # Unlike handlers, which are the user's, a filter of the logger is asked before all of them.
    log.addFilter(about_to_log)
    try:
        yield
    finally:
        log.removeFilter(about_to_log)


class _NoBar:
    postfix = ""

    def update(self, n: int, /) -> None:
        """Shows nothing."""


@contextlib.contextmanager
def no_bar(initial: int, total: int | None) -> Iterator[Bar]:
    """Opens a bar that shows nothing.

    Args:
        initial: how many trials there are already.
        total: how many there are to be, or None where there is no limit.

    Example:
        >>> from sparktuner import fmin, hp, progress
        >>> best = fmin(
        ...     abs, hp.uniform("x", -1, 1), max_evals=3,
        ...     show_progressbar=progress.no_progress_callback,
        ... )
    """
    yield _NoBar()


def bar_factory(show_progressbar: bool | BarFactory) -> BarFactory:
    """Returns the factory meant by fmin's ``show_progressbar``: True, False, or a factory."""
    if callable(show_progressbar):
        return show_progressbar
    return tqdm_bar if show_progressbar else no_bar
