"""A search from its arguments to its end."""

from __future__ import annotations

import functools
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any

from sparktuner.domain import Domain
from sparktuner.driver._callbacks import Background, Callback, Callbacks, around
from sparktuner.driver._channel import ExecutorChannel
from sparktuner.driver._checkpoint import Checkpoint
from sparktuner.driver._event_log import EventLog
from sparktuner.driver._loop import Loop
from sparktuner.driver._options import SearchArguments
from sparktuner.driver._progress import Progress, bar_factory
from sparktuner.driver._protocol import TrialsView
from sparktuner.driver._save_file import load_saved, save_path
from sparktuner.driver._settings import SearchSettings, module_of, name_of
from sparktuner.driver._space_change import fitting_queue, settle_space
from sparktuner.driver._stopping import EarlyStop, StopRules
from sparktuner.driver._suggestions import AsTheyCome, InOrder, Suggestions
from sparktuner.errors import BadSearchSpace
from sparktuner.execute import Executor, Limits, Runner
from sparktuner.records import (
    Behind,
    Configuration,
    OpenLine,
    Reader,
    TrialDocument,
    TrialLog,
    new_document,
    would_fail_again,
)
from sparktuner.space import evaluate, native, out_of_bounds, require_parameters
from sparktuner.status import JOB_STATE_CANCEL, JOB_STATE_ERROR
from sparktuner.stores import JournalFile, Spill, locked
from sparktuner.suggest import Suggest, is_learning, propose_adaptive, suggest_with

_log = logging.getLogger("sparktuner")
_DEFAULT: Suggest = functools.partial(suggest_with, propose_adaptive)


def search(
    trials: TrialsView,
    log: TrialLog,
    runner: Runner,
    domain: Domain,
    arguments: SearchArguments,
    most_queued: int | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> str | None:
    """Searches until nothing is left to do, or a rule says stop.

    Args:
        trials: what the user's functions are handed.
        log: the trials, and where new ones go.
        runner: where they run.
        domain: the objective and its space.
        arguments: the search's other arguments.
        most_queued: how many of the trials in state NEW to run; None is all.
        clock: seconds, monotonic.

    Returns:
        Why the search ended before its ``max_evals``, or None.
    """
    began = clock()
    if arguments.limit > 1:
        require_parameters(domain.expr, arguments.limit)
    # Others may have written since the trials were last looked at.
    log.refresh()
    # From here on others see which trials are this search's, until it ends for whatever reason.
    with (
        _saved(log, arguments.trials_save_file) as file,
        log.alive(_behind(log, arguments, claims=log.takes_over and most_queued is None)),
    ):
        if arguments.reproducible:
            _wait_until_alone(log)
        left_out = settle_space(log, domain.space, arguments.on_space_change)
        on_top = _insert_points(log, domain, arguments.points_to_evaluate or ())
        queue = fitting_queue(log, log.claim(most_queued))
        # max_evals=len(trials) + 1 has to mean one more, whatever does not count.
        uncounted = left_out + _count(log, JOB_STATE_ERROR, JOB_STATE_CANCEL)
        limit = arguments.limit + on_top + uncounted
        # Before the runner is opened: starting Spark to do nothing takes seconds.
        if not queue and len(log.documents) >= limit:
            _say_nothing_to_do(len(log.documents) - uncounted, arguments)
            return None
        limits = _limits(runner, arguments)
        channel = ExecutorChannel()
        objective = around(arguments.callbacks, domain.objective(trials, channel), trials)
        with runner.open(objective) as executor:
            # The objective is made before the executor, which it reaches through the channel.
            channel.executor = executor
            # Only now is it known how many trials run at a time.
            window = executor.free_slots()
            _check_window(window, arguments)
            events = EventLog(log, len(domain.space.columns), window, arguments.max_evals)
            own = _own_callbacks(file, log, arguments, limit, executor)
            callbacks = Callbacks([events, *own, *arguments.callbacks])
            loop = Loop(
                log,
                domain,
                executor,
                _suggestions(trials, log, domain, executor, arguments),
                arguments,
                asynchronous=runner.asynchronous,
                limit=limit,
                rules=_stop_rules(trials, limits, arguments, began),
                trial_timeout=limits.trial_timeout,
                queue=queue,
                callbacks=callbacks,
                clock=clock,
            )
            settings = _settings(domain, arguments, runner, limits, window)
            return _told(loop, trials, callbacks, settings)


@contextmanager
def _saved(log: TrialLog, save_file: str) -> Iterator[JournalFile | None]:
    """Holds the save file, if there is one, and takes in what it has."""
    if not save_file:
        yield None
        return
    if log.is_shared:
        raise ValueError(
            f"these trials are kept in {log.store.location} already; leave trials_save_file out"
        )
    path = save_path(save_file)
    with locked(path):
        file = JournalFile(path)
        file.tidy()
        load_saved(log, file)
        yield file


def _behind(log: TrialLog, arguments: SearchArguments, claims: bool) -> OpenLine | None:
    """How the log writes to a store that may be slow or away; None writes at once.

    ``claims``: whether it takes over, meanwhile, what others leave behind.
    """
    if not log.is_shared:
        return None

    @contextmanager
    def opened(reader: Reader, owner: str) -> Iterator[Behind]:
        spill = Spill(log.store, log.exp_key)
        spill.take_in()
        patience = math.inf if arguments.store_timeout is None else arguments.store_timeout
        line = Behind(
            reader,
            owner,
            patience=patience,
            spill=spill.keep,
            claims=claims,
            poll=log.poll_interval,
        )
        try:
            yield line
        finally:
            line.close()

    return opened


def _wait_until_alone(log: TrialLog) -> None:
    """Waits until an owner that died has lost its lease, for its ids are to be used again.

    Raises:
        ValueError: another search of this experiment goes on.
    """
    end = time.monotonic() + 1.5 * log.store.lease if log.is_shared else 0.0
    while log.is_shared and (others := log.others()):
        if time.monotonic() > end:
            raise ValueError(
                f"with reproducible=True one search works on an experiment; {others[0]} works on "
                f"exp_key={log.exp_key!r} in {log.store.location} too. Wait for its end, or "
                "pass another exp_key"
            )
        _log.info("waiting until the lease of %s ends, which may be gone", others[0])
        time.sleep(min(1.0, log.store.lease / 10))


def _told(
    loop: Loop, trials: TrialsView, callbacks: Callbacks, settings: SearchSettings
) -> str | None:
    """Runs the loop; the callbacks are told its beginning and its end, whatever ends it."""
    reason: str | None = None
    callbacks.each(lambda callback: callback.on_search_settings(settings))
    # What a callback opens here it can close in `on_search_end`, which always comes.
    callbacks.each(lambda callback: callback.on_search_start(trials))
    try:
        reason = loop.run()
    except BaseException as error:
        reason = f"error: {type(error).__name__}: {error}"
        raise
    finally:
        callbacks.each(lambda callback: callback.on_search_end(reason))
    return reason


def _limits(runner: Runner, arguments: SearchArguments) -> Limits:
    """The search's own limits, and the runner's where it has none."""
    # What fmin is given comes first; it does not stay with the runner.
    limits = runner.limits
    timeout, threshold = arguments.timeout, arguments.loss_threshold
    return Limits(
        _number(limits.timeout if timeout is None else timeout),
        _number(limits.loss_threshold if threshold is None else threshold),
        _number(limits.trial_timeout),
    )


def _settings(
    domain: Domain, arguments: SearchArguments, runner: Runner, limits: Limits, window: int
) -> SearchSettings:
    """What those who follow the search are told of its arguments."""
    seed = arguments.rstate
    return SearchSettings(
        domain.space,
        objective=name_of(domain.fn),
        algorithm="sparktuner.atpe" if arguments.algo is None else module_of(arguments.algo),
        max_evals=arguments.max_evals,
        timeout=limits.timeout,
        max_queue_len=int(arguments.max_queue_len),
        seed=int(seed) if isinstance(seed, Integral) else None,
        # Only runners that run several at a time have one.
        parallelism=getattr(runner, "parallelism", None),
        window=window,
    )


def _number(given: float | None) -> float | None:
    # Fractions and NumPy's numbers are numbers too, but not to queues and format strings.
    return None if given is None else float(given)


def _stop_rules(
    trials: TrialsView, limits: Limits, arguments: SearchArguments, began: float
) -> StopRules:
    early_stop = arguments.early_stop_fn
    return StopRules(
        None if limits.timeout is None else began + limits.timeout,
        limits.loss_threshold,
        None if early_stop is None else EarlyStop(early_stop, trials),
        _number(arguments.deadline_margin),
    )


def _suggestions(
    trials: TrialsView,
    log: TrialLog,
    domain: Domain,
    executor: Executor,
    arguments: SearchArguments,
) -> Suggestions:
    suggest = _DEFAULT if arguments.algo is None else arguments.algo
    if arguments.reproducible:
        return InOrder(suggest, domain, trials, log, executor.free_slots())
    return AsTheyCome(suggest, domain, trials)


def _own_callbacks(
    file: JournalFile | None,
    log: TrialLog,
    arguments: SearchArguments,
    limit: int,
    executor: Executor,
) -> list[Callback]:
    own: list[Callback] = []
    if file is not None:
        checkpoint = Checkpoint(file, log)
        # All of the search's documents are in memory anyway, and none may be left out.
        own.append(Background(checkpoint, capacity=sys.maxsize, drain_timeout=None))
    if arguments.verbose and arguments.show_progressbar:
        shown = [document for document in log.documents if log.fits(document)]
        most = limit - (len(log.documents) - len(shown))
        total = most if arguments.limit < sys.maxsize else None
        # After the checkpoint, so that what the bar shows as done is on its way to the file.
        factory = bar_factory(arguments.show_progressbar)
        own.append(Progress(factory, shown, total, executor.capacity))
    return own


def _check_window(window: int, arguments: SearchArguments) -> None:
    """Says where so many trials are under way at a time that there is little to learn from."""
    learns = arguments.algo is None or is_learning(arguments.algo)
    if learns and window > 1 and arguments.limit < 2 * window:
        _log.warning(
            "parallelism %d is so near max_evals=%d that most trials are suggested before any "
            "result is known, as in random search; a tenth of max_evals or less is best",
            window,
            arguments.limit,
        )


def _say_nothing_to_do(count: int, arguments: SearchArguments) -> None:
    _log.warning(
        "fmin has nothing to do: max_evals=%d counts the trials that are there already, %d; "
        "to go on, pass max_evals=%d or more",
        arguments.limit,
        count,
        count + 1,
    )


def _count(log: TrialLog, *states: int) -> int:
    return sum(document["state"] in states for document in log.documents)


def _insert_points(log: TrialLog, domain: Domain, points: Sequence[Mapping[str, Any]]) -> int:
    """Queues the points that were not tried yet; returns how many different ones there are.

    They come on top of ``max_evals`` whether they are new or not, so that resuming a search
    ends where an uninterrupted one would have ended.
    """
    tried = [
        log.configuration(document)
        for document in log.documents
        if document["state"] != JOB_STATE_CANCEL or would_fail_again(document)
    ]
    # A list, not a set: values of the users' own need not be hashable.
    different: list[Configuration] = []
    new: list[TrialDocument] = []
    for i, point in enumerate(points):
        configuration = _checked_point(domain, point, i)
        if configuration in different:
            continue
        different.append(configuration)
        if configuration not in tried:
            [tid] = log.allocate(1)
            document = new_document(tid, configuration, domain.space.labels, log.exp_key)
            log.note_space(document)
            new.append(document)
    # Nobody's yet, so that they are claimed in the order in which they were given.
    log.insert(new)
    return len(different)


def _checked_point(domain: Domain, point: Mapping[str, Any], i: int) -> Configuration:
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
    wrong = out_of_bounds(domain.space, point)
    if wrong:
        raise ValueError(f"points_to_evaluate[{i}]: {'; '.join(wrong)}")
    # There and back again, which leaves the active labels only.
    [configuration] = domain.space.decode(domain.space.encode([point]))
    # As given, not as a latent rounds it; labels below a choice not taken are dropped.
    return {label: native(point[label]) for label in configuration}
