"""The progress bar: done, best loss, running, waiting for a slot, failed, time left."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeAlias

from sparktuner.execute import Cancelled, Ended, Event, SlotChanged, Started
from sparktuner.records import Document, finite_loss

# (trials already there, total or None) -> a context with `postfix` and `update(n)`.
BarFactory: TypeAlias = Callable[[int, Any], AbstractContextManager[Any]]


class Progress:
    """Shows a search's progress through a bar made by ``factory``.

    Args:
        factory: how to make the bar; Hyperopt's protocol.
        initial: trials that are there before the search.
        total: ``max_evals``, or None where there is no limit.
        best_loss: the lowest loss so far, or None.
    """

    def __init__(
        self, factory: BarFactory, initial: int, total: int | None, best_loss: float | None
    ) -> None:
        self._context = ExitStack()
        self._bar = self._context.enter_context(factory(initial, total))
        self._best = best_loss
        self._failed = 0
        self._in_flight: dict[Any, bool] = {}  # tid -> whether it waits for a slot

    def on_event(self, event: Event, document: Document) -> None:
        if isinstance(event, Started):
            self._in_flight.setdefault(event.tid, False)
            self._show(0)
        elif isinstance(event, SlotChanged):
            self._in_flight[event.tid] = event.waits
            self._show(0)
        elif isinstance(event, Ended):
            self._on_end(event, document)

    def _on_end(self, event: Ended, document: Document) -> None:
        self._in_flight.pop(event.tid, None)
        if isinstance(event, Cancelled) and "error" not in document["misc"]:
            self._show(0)
            return
        loss = finite_loss(document)
        if loss is None:
            self._failed += 1
        elif self._best is None or loss < self._best:
            self._best = loss
        self._show(1)

    def close(self) -> None:
        self._context.close()

    def _show(self, step: int) -> None:
        best = "?" if self._best is None else f"{self._best:.6g}"
        waiting = sum(self._in_flight.values())
        running = f"running: {len(self._in_flight) - waiting}"
        if waiting:
            running += f", waiting: {waiting}"
        self._bar.postfix = f"best loss: {best}, {running}, failed: {self._failed}"
        self._bar.update(step)


@contextlib.contextmanager
def tqdm_bar(initial: int, total: int | None) -> Iterator[Any]:
    """A tqdm bar, as a widget in notebooks that can show one."""
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
    with bar:
        yield bar


class _NoBar:
    postfix = ""

    def update(self, n: int) -> None:
        """Show nothing."""


@contextlib.contextmanager
def no_bar(initial: int, total: int | None) -> Iterator[Any]:
    """A bar that shows nothing."""
    yield _NoBar()


def bar_factory(show_progressbar: Any) -> BarFactory:
    """The factory meant by fmin's ``show_progressbar``: True, False, or a factory itself."""
    if callable(show_progressbar):
        return show_progressbar  # type: ignore[no-any-return]
    return tqdm_bar if show_progressbar else no_bar
