"""A search from its arguments to its answer."""

from __future__ import annotations

import functools
import logging
import pickle
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sparktuner.domain import Domain
from sparktuner.driver._loop import Loop
from sparktuner.driver._observers import Checkpoint, Observer
from sparktuner.driver._options import SearchOptions
from sparktuner.driver._progress import Progress, bar_factory
from sparktuner.errors import AllTrialsFailed, BadSearchSpace
from sparktuner.execute import Executor
from sparktuner.records import (
    Document,
    advance,
    configuration_of,
    finite_loss,
    is_its_own_fault,
    new_document,
)
from sparktuner.space import evaluate
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
)

_log = logging.getLogger("sparktuner")
# Whose suggestions get better by what is known.
_LEARNERS = tuple(f"sparktuner.{name}" for name in ("tpe", "atpe", "anneal", "mix"))


def minimise(
    trials: Any,
    fn: Callable[..., Any],
    space: object,
    options: SearchOptions,
    make_executor: Callable[[Callable[[Any], Any]], Executor],
) -> Any:
    """Search on ``trials``; see :func:`sparktuner.fmin`.

    Args:
        trials: a :class:`sparktuner.Trials`; trials that it holds count towards ``max_evals``,
            but for those that raised or were cancelled.
        fn: the objective.
        space: the search space.
        options: the other arguments.
        make_executor: called only when there is something to run.

    Returns:
        The best trial's values by label, or, with ``return_argmin=False``, what the objective
        received in it; ``{}`` or None if there is no trial at all.

    Raises:
        AllTrialsFailed: no trial finished with status ok.
    """
    began = time.monotonic()
    deadline = None if options.timeout is None else began + options.timeout
    domain = Domain(fn, space, pass_expr_memo_ctrl=options.pass_expr_memo_ctrl)
    trials.remember_space(domain.expr)
    trials.fmin_cancelled_reason = None
    if options.trials_save_file:
        _load_saved(trials, Path(options.trials_save_file))
    _requeue_orphans(trials)
    _insert_points(trials, domain, options.points_to_evaluate or ())
    if _nothing_to_do(trials, options):
        return _answer(trials, domain, options)
    with ExitStack() as stack:
        executor = stack.enter_context(make_executor(domain.objective(trials)))
        _check_window(executor.free_slots(), options)
        observers = _observers(trials, options)
        for observer in observers:
            stack.callback(observer.close)
        loop = Loop(trials, domain, executor, options, observers, deadline)
        trials.fmin_cancelled_reason = loop.run()
    if trials.fmin_cancelled_reason is not None:
        _log.info("the search stopped early: %s", trials.fmin_cancelled_reason)
    return _answer(trials, domain, options)


def _check_window(window: int, options: SearchOptions) -> None:
    """Say where so many trials are under way at a time that there is little to learn from."""
    algo = options.algo
    while isinstance(algo, functools.partial):
        algo = algo.func
    learns = algo is None or getattr(algo, "__module__", "") in _LEARNERS
    if learns and window > 1 and options.limit < 2 * window:
        _log.warning(
            "parallelism %d is so near max_evals=%d that most trials are suggested before any "
            "result is known, as in random search; a tenth of max_evals or less is best",
            window,
            options.limit,
        )


def _observers(trials: Any, options: SearchOptions) -> list[Observer]:
    observers: list[Observer] = []
    if options.trials_save_file:
        observers.append(Checkpoint(options.trials_save_file, trials))
    if options.verbose and options.show_progressbar:
        done = [t for t in trials._dynamic_trials if t["state"] == JOB_STATE_DONE]
        losses = [loss for t in done if (loss := finite_loss(t)) is not None]
        total = None if options.limit == sys.maxsize else options.limit
        observers.append(
            Progress(
                bar_factory(options.show_progressbar), len(done), total, min(losses, default=None)
            )
        )
    return observers


def _load_saved(trials: Any, path: Path) -> None:
    """Add the trials of a checkpoint that ``trials`` does not hold yet."""
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with path.open("rb") as file:
            saved = pickle.load(file)
        documents: list[Document] = list(saved._dynamic_trials)
    except Exception as error:
        raise ValueError(
            f"trials_save_file {str(path)!r} holds no saved trials ({error!r}); name another "
            "file, or delete this one to start anew"
        ) from error
    known = {t["tid"] for t in trials._dynamic_trials}
    new = [document for document in documents if document["tid"] not in known]
    trials.insert_trial_docs(new)
    for name, value in saved.attachments.items():
        trials.attachments.setdefault(name, value)
    trials.refresh()


def _requeue_orphans(trials: Any) -> None:
    """Let what a driver that died was running run again."""
    for document in trials._dynamic_trials:
        if document["state"] == JOB_STATE_RUNNING:
            advance(document, JOB_STATE_NEW)
            trials.update_trial_doc(document)


def _insert_points(trials: Any, domain: Domain, points: Sequence[Mapping[str, Any]]) -> None:
    """Queue the points that were not tried yet, so that resuming does not repeat them."""
    if isinstance(points, Mapping):
        raise TypeError(
            "points_to_evaluate must be a list of dictionaries, got a dictionary: put it in a list"
        )
    seen = [
        configuration_of(document)
        for document in trials._dynamic_trials
        if document["state"] != JOB_STATE_CANCEL or is_its_own_fault(document)
    ]
    labels = domain.space.labels
    for i, point in enumerate(points):
        configuration = _checked_point(domain, point, i)
        if configuration in seen:
            continue
        [tid] = trials.new_trial_ids(1)
        trials.insert_trial_docs([new_document(tid, configuration, labels, trials.exp_key)])
    trials.refresh()


def _checked_point(domain: Domain, point: Mapping[str, Any], i: int) -> dict[str, Any]:
    unknown = sorted(set(point) - set(domain.space.labels))
    if unknown:
        raise ValueError(
            f"points_to_evaluate[{i}] has values for {unknown}, which are no labels of the "
            f"space; its labels are {sorted(domain.space.labels)}"
        )
    try:
        evaluate(domain.expr, point)
    except BadSearchSpace as error:
        raise ValueError(f"points_to_evaluate[{i}]: {error}") from error
    [configuration] = domain.space.decode(domain.space.encode([point]))
    # As given, not as a latent rounds it; labels below a choice not taken are dropped.
    return {label: point[label] for label in configuration}


def _nothing_to_do(trials: Any, options: SearchOptions) -> bool:
    """Whether ``max_evals`` has been reached already; says so."""
    count = len(trials)
    if any(t["state"] == JOB_STATE_NEW for t in trials) or count < options.limit:
        return False
    _log.warning(
        "fmin has nothing to do: max_evals=%d counts the trials that are there already, %d; "
        "to go on, pass max_evals=%d or more",
        options.limit,
        count,
        count + 1,
    )
    return True


def _answer(trials: Any, domain: Domain, options: SearchOptions) -> Any:
    try:
        best = trials.argmin
    except AllTrialsFailed:
        if trials._dynamic_trials:
            raise
        return {} if options.return_argmin else None
    return best if options.return_argmin else evaluate(domain.expr, best)
