"""Trials whose folds are tasks of their own: an executor in front of another one."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from sparktuner.execute import (
    Cancelled,
    Ended,
    Event,
    Execution,
    Executor,
    Failed,
    Finished,
    Limits,
    Objective,
    Posted,
    Runner,
    SlotChanged,
    Started,
    Submission,
    Tid,
)
from sparktuner.sklearn._fold_results import FoldJudge, merged_execution
from sparktuner.sklearn._race import FoldRace

# Takes the values of the folds that have ended; answers with the trial's value in a tuple, or
# None while that is open. Of all folds there is always an answer.
Judge: TypeAlias = Callable[[Mapping[int, object]], tuple[object] | None]


@dataclass
class _Trial:
    """A configuration in flight, and what is known of its folds."""

    submission: Submission
    running: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)  # of the running ones, for a slot
    results: dict[int, object] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    is_started: bool = False
    is_told_waiting: bool = False
    is_cancelled: bool = False
    # How it ends, as soon as that is decided: no further fold is begun.
    failed: Failed | None = None
    result: tuple[object] | None = None

    @property
    def is_over(self) -> bool:
        return self.is_cancelled or self.failed is not None or self.result is not None


class FoldExecutor(Executor):
    """An executor that runs each fold of each trial as a trial of another executor.

    Folds are begun in the order of their trials, so that one trial is complete, and others can
    be measured by it, as early as may be. A trial ends when none of its folds runs any more.

    Args:
        inner: runs the objective on pairs of a configuration and a fold.
        n_folds: of each trial.
        judge: is asked for a trial's value whenever one of its folds has one.
    """

    def __init__(self, inner: Executor, n_folds: int, judge: Judge) -> None:
        self._inner = inner
        self._n_folds = n_folds
        self._judge = judge
        self._trials: dict[Tid, _Trial] = {}
        self._queue: deque[tuple[Tid, int]] = deque()
        self._keys: dict[Tid, tuple[Tid, int]] = {}  # by id in the inner executor
        self._closed = False

    def free_slots(self) -> int:
        room = self._inner.free_slots() - len(self._queue)
        return 0 if self._closed else max(0, math.ceil(room / self._n_folds))

    def capacity(self) -> int | None:
        return self._inner.capacity()

    def submit(self, submission: Submission) -> None:
        tid = submission.tid
        if self._closed or tid in self._trials:
            raise RuntimeError(f"Trial {tid} is in flight already, or the executor is closed.")
        if not self.free_slots():
            raise RuntimeError(f"No slot is free: {len(self._trials)} trials are in flight.")
        self._trials[tid] = _Trial(submission)
        self._queue.extend((tid, fold) for fold in range(self._n_folds))
        self._begin_folds()

    def post(self, event: Posted) -> None:
        """Hands it over under the name of one of the trial's folds, which the objective knows."""
        trial = self._trials.get(event.tid)
        running = None if trial is None else next(iter(trial.running), None)
        if running is not None:
            self._inner.post(replace(event, tid=self._key(event.tid, running)))

    def wake(self) -> bool:
        return self._inner.wake()

    def wait(self, timeout: float | None) -> list[Event]:
        end = None if timeout is None else time.monotonic() + timeout
        events = list(self._ends())
        self._begin_folds()
        while not events and self._trials:
            before = self.free_slots()
            left = None if end is None else max(0.0, end - time.monotonic())
            news = self._inner.wait(left)
            events = [event for each in news for event in self._translated(each)]
            events += self._ends()
            self._begin_folds()
            if not news or left == 0 or self.free_slots() > before:
                break
        return events

    def cancel(self, tids: Iterable[Tid]) -> None:
        for tid in tids:
            trial = self._trials.get(tid)
            if trial is not None:
                trial.is_cancelled = True
                self._cancel_folds(tid, trial)

    def elapsed(self, tid: Tid) -> float | None:
        trial = self._trials.get(tid)
        if trial is None:
            return None
        running = [self._inner.elapsed(self._key(tid, fold)) for fold in list(trial.running)]
        known = [each for each in running if each is not None]
        if not known:
            return None
        # As its duration counts them: the seconds of all folds.
        return math.fsum([*known, *(each.duration for each in trial.executions)])

    def why_gone(self) -> str:
        return self._inner.why_gone()

    def close(self) -> None:
        self._closed = True
        for trial in self._trials.values():
            trial.is_cancelled = True
        self._inner.close()

    def _key(self, tid: Tid, fold: int) -> Tid:
        return tid * self._n_folds + fold

    def _begin_folds(self) -> None:
        self._queue = deque(
            (tid, fold)
            for tid, fold in self._queue
            if tid in self._trials and not self._trials[tid].is_over
        )
        while self._queue and self._inner.free_slots():
            tid, fold = self._queue.popleft()
            trial = self._trials[tid]
            key = self._key(tid, fold)
            self._keys[key] = tid, fold
            trial.running.add(fold)
            self._inner.submit(
                replace(
                    trial.submission,
                    tid=key,
                    argument=(trial.submission.argument, fold),
                    description=f"{trial.submission.description}, fold {fold}",
                )
            )

    def _cancel_folds(self, tid: Tid, trial: _Trial) -> None:
        self._inner.cancel([self._key(tid, fold) for fold in trial.running])

    def _translated(self, news: Event) -> Iterator[Event]:
        """What an event about a fold means for its trial, but for the trial's end."""
        tid, fold = self._keys[news.tid]
        trial = self._trials[tid]
        if isinstance(news, Started):
            if not trial.is_started:
                trial.is_started = True
                yield Started(tid)
        elif isinstance(news, Posted):
            yield replace(news, tid=tid)
        elif isinstance(news, SlotChanged):
            (trial.waiting.add if news.waits else trial.waiting.discard)(fold)
            yield from self._slot_news(tid, trial)
        else:
            self._end_fold(tid, trial, fold, news)
            yield from self._slot_news(tid, trial)

    def _slot_news(self, tid: Tid, trial: _Trial) -> Iterator[Event]:
        # It has a slot as long as one of its folds has.
        waits = bool(trial.running) and trial.running <= trial.waiting
        if waits != trial.is_told_waiting:
            trial.is_told_waiting = waits
            yield SlotChanged(tid, waits)

    def _end_fold(self, tid: Tid, trial: _Trial, fold: int, end: Ended) -> None:
        del self._keys[end.tid]
        trial.running.discard(fold)
        trial.waiting.discard(fold)
        was_over = trial.failed is not None or trial.result is not None
        if isinstance(end, Finished):
            trial.executions.append(end.execution)
            self._take(trial, fold, end.value)
        elif isinstance(end, Failed) and not trial.is_over:
            trial.failed = replace(end, tid=tid)
        elif isinstance(end, Cancelled):
            trial.is_cancelled = trial.is_cancelled or not trial.is_over
        if trial.is_over and not was_over:
            self._cancel_folds(tid, trial)

    def _take(self, trial: _Trial, fold: int, result: object) -> None:
        trial.results[fold] = result
        # What was given up counts after all where the last folds could not be stopped in time.
        if not trial.is_over or len(trial.results) == self._n_folds:
            trial.result = self._judge(trial.results) or trial.result

    def _ends(self) -> Iterator[Event]:
        """The ends of trials that are decided, and of which nothing runs."""
        for tid, trial in list(self._trials.items()):
            if not trial.is_over or trial.running:
                continue
            del self._trials[tid]
            if trial.result is not None:
                yield Finished(tid, trial.result[0], merged_execution(trial.executions))
            else:
                yield Cancelled(tid) if trial.failed is None else trial.failed


@dataclass(frozen=True)
class FoldRunner:
    """A runner of each fold of each trial as a trial of another runner.

    Attributes:
        inner: where the folds run.
        n_folds: of each trial.
        level: how probable it may be that the folds of the best configuration are dropped; None
            drops none.
    """

    inner: Runner
    n_folds: int
    level: float | None

    @property
    def asynchronous(self) -> bool:
        return self.inner.asynchronous

    @property
    def limits(self) -> Limits:
        return self.inner.limits

    def open(self, objective: Objective) -> Executor:
        race = None if self.level is None else FoldRace(self.n_folds, self.level)
        judge = FoldJudge(self.n_folds, race)
        return FoldExecutor(self.inner.open(objective), self.n_folds, judge)
