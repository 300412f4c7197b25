"""``fmin``: minimise an objective over a search space."""

from __future__ import annotations

import functools
import inspect
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sparktuner import atpe
from sparktuner.domain import Domain
from sparktuner.driver import Loop, SearchOptions
from sparktuner.errors import InvalidAnnotatedParameter
from sparktuner.records import Document, new_document
from sparktuner.space import Node, evaluate
from sparktuner.trials import Trials, trials_from_docs

__all__ = [
    "fmin",
    "space_eval",
    "fmin_pass_expr_memo_ctrl",
    "generate_trial",
    "generate_trials_to_calculate",
    "partial",
    "FMinIter",
]

partial = functools.partial


def fmin(
    fn: Callable[..., Any],
    space: object,
    algo: Callable[..., Any] | None = None,
    max_evals: float | None = None,
    timeout: float | None = None,
    loss_threshold: float | None = None,
    trials: Trials | None = None,
    rstate: Any = None,
    allow_trials_fmin: bool = True,
    pass_expr_memo_ctrl: bool | None = None,
    catch_eval_exceptions: bool = False,
    verbose: bool = True,
    return_argmin: bool = True,
    points_to_evaluate: Sequence[Mapping[str, Any]] | None = None,
    max_queue_len: int = 1,
    show_progressbar: Any = True,
    early_stop_fn: Callable[..., Any] | None = None,
    trials_save_file: str = "",
    reproducible: bool = False,
    deadline_margin: float | None = 1.0,
) -> Any:
    """Minimise ``fn`` over ``space``.

    Args:
        fn: the objective. Takes a configuration, returns the loss as a number, or a dictionary
            with ``status`` and, where that is ``"ok"``, ``loss``; other keys are kept.
        space: nodes from ``hp`` in any nesting of dicts, lists and tuples; or ``"annotated"``:
            the annotations of the objective's parameters are the space.
        algo: ``algo(new_ids, domain, trials, seed) -> documents``; None is ``atpe.suggest``.
        max_evals: stop when ``trials`` holds so many, those that it held before included, but
            for those of them that raised or were cancelled.
        timeout: seconds after which no trial is started and running ones are cancelled.
        loss_threshold: stop as soon as a loss is at most this.
        trials: where trials are kept and how they are run; None is ``Trials()``, one after
            another in this process.
        rstate: a ``numpy.random.Generator``, an int, a ``RandomState``, or None. The same
            seed gives the same suggestions, also when a search is resumed.
        allow_trials_fmin: call ``trials.fmin`` where there is one (a subclass may have its own).
        pass_expr_memo_ctrl: call the objective with ``(expr, memo, ctrl)``.
        catch_eval_exceptions: record trials that raise and go on. Where trials run beside the
            driver they are recorded anyway, unless the first ones all fail alike.
        verbose: show the progress bar; False is silent.
        return_argmin: False returns what the objective received in the best trial.
        points_to_evaluate: configurations by label (a choice's value is its index) to try first.
        max_queue_len: how many suggestions to ask the algorithm for at a time.
        show_progressbar: whether to, or a context-manager factory ``(initial, total)``.
        early_stop_fn: ``fn(trials, *args) -> (stop, args)``, asked after each trial.
        trials_save_file: a file to keep the trials in while searching. If it exists, the search
            is resumed from it.
        reproducible: let suggestion i know the results of trials 0 to i - parallelism exactly,
            whatever order they end in: the same seed then gives the same trials, at the price
            of slots that wait for the slowest trial.
        deadline_margin: with ``timeout``, start no trial when less than this many times the
            shortest duration seen is left; None starts trials until the time is up.

    Returns:
        The best trial's values by label; a choice's value is its index. ``trials.best_params``
        has the chosen options themselves.

    Raises:
        BadSearchSpace: the space is ill-formed.
        ValueError, TypeError: another argument is.
        AllTrialsFailed: no trial finished with status ok.
        ObjectiveFailed: the first trials all failed alike.
    """
    if isinstance(space, str):
        fn, space = _annotated(fn, space)
    if trials is None:
        trials = trials_from_docs([])
    if isinstance(trials, type) or not hasattr(trials, "fmin"):
        raise TypeError(f"trials must be a Trials object, such as Trials(), got {trials!r}")
    arguments = {
        "algo": atpe.suggest if algo is None else algo,
        "max_evals": max_evals,
        "timeout": timeout,
        "loss_threshold": loss_threshold,
        "max_queue_len": max_queue_len,
        "rstate": rstate,
        "verbose": verbose,
        "pass_expr_memo_ctrl": pass_expr_memo_ctrl,
        "catch_eval_exceptions": catch_eval_exceptions,
        "return_argmin": return_argmin,
        "show_progressbar": show_progressbar,
        "early_stop_fn": early_stop_fn,
        "trials_save_file": trials_save_file,
    }
    # Only when given, so that a subclass's own fmin need not know of them.
    if points_to_evaluate is not None:
        arguments["points_to_evaluate"] = points_to_evaluate
    if reproducible:
        arguments["reproducible"] = True
    if deadline_margin != 1.0:
        arguments["deadline_margin"] = deadline_margin
    search = trials.fmin if allow_trials_fmin else functools.partial(Trials.fmin, trials)
    return search(fn, space, **arguments)


def _annotated(fn: Callable[..., Any], space: str) -> tuple[Callable[..., Any], object]:
    if space != "annotated":
        raise ValueError(f'space is a search space or "annotated", got {space!r}')
    nodes: dict[str, object] = {}
    for name, parameter in inspect.signature(fn, eval_str=True).parameters.items():
        if not isinstance(parameter.annotation, Node):
            raise InvalidAnnotatedParameter(
                f"with space='annotated' each parameter of the objective needs a search space "
                f"as its annotation, e.g. {name}: hp.uniform({name!r}, 0, 1); "
                f"parameter {name!r} has {_shown(parameter.annotation)}"
            )
        nodes[name] = parameter.annotation
    return _Spread(fn), nodes


def _shown(annotation: object) -> str:
    return "none" if annotation is inspect.Parameter.empty else repr(annotation)


class _Spread:
    """Calls a function with a dictionary's items as keyword arguments."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._fn = fn

    def __call__(self, configuration: Mapping[str, Any]) -> Any:
        return self._fn(**configuration)


def space_eval(space: object, hp_assignment: Mapping[str, Any]) -> Any:
    """What the objective receives for these values by label.

    Args:
        space: the search space.
        hp_assignment: a value for each active label, as ``fmin`` returns them, or as a list of
            one value, as trial documents hold them; a choice's value is its index.

    Raises:
        BadSearchSpace: an active label has no value.
    """
    assignment = {
        label: value[0] if isinstance(value, list) and value else value
        for label, value in hp_assignment.items()
        if not (isinstance(value, list) and not value)
    }
    return evaluate(space, assignment)


def fmin_pass_expr_memo_ctrl(f: Callable[..., Any]) -> Callable[..., Any]:
    """Mark an objective that is called with ``(expr, memo, ctrl)``, not a configuration."""
    f.fmin_pass_expr_memo_ctrl = True  # type: ignore[attr-defined]
    return f


def generate_trial(tid: Any, space: Mapping[str, Any]) -> Document:
    """A document in state NEW for values by label.

    Args:
        tid: its id.
        space: the values; as lists of at most one value they may also be empty.
    """
    values = {
        label: value[0] if isinstance(value, list | tuple) else value
        for label, value in space.items()
        if not (isinstance(value, list | tuple) and not value)
    }
    return new_document(tid, values, space)


def generate_trials_to_calculate(points: Sequence[Mapping[str, Any]]) -> Trials:
    """Trials that hold a document in state NEW for each point; ``fmin`` evaluates them first."""
    return trials_from_docs([generate_trial(tid, point) for tid, point in enumerate(points)])


class FMinIter:
    """A search that is stepped by hand; prefer :func:`fmin`.

    Iterating makes one trial a step and yields the trials. ``poll_interval_secs``,
    ``asynchronous``, ``verbose``, ``show_progressbar`` and ``trials_save_file`` are accepted
    and do nothing.
    """

    def __init__(
        self,
        algo: Callable[..., Any],
        domain: Domain,
        trials: Trials,
        rstate: Any,
        asynchronous: bool | None = None,
        max_queue_len: int = 1,
        poll_interval_secs: float = 1.0,
        max_evals: int = sys.maxsize,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        verbose: bool = False,
        show_progressbar: Any = True,
        early_stop_fn: Callable[..., Any] | None = None,
        trials_save_file: str = "",
    ) -> None:
        self.algo = algo
        self.domain = domain
        self.trials = trials
        self.asynchronous = trials.asynchronous if asynchronous is None else asynchronous
        self.max_queue_len = max_queue_len
        self.max_evals = max_evals
        self.timeout = timeout
        self.loss_threshold = loss_threshold
        self.verbose = verbose
        self.show_progressbar = show_progressbar
        self.early_stop_fn = early_stop_fn
        self.trials_save_file = trials_save_file
        self.rstate = rstate
        self.catch_eval_exceptions = False

    def run(self, N: int, block_until_done: bool = True) -> None:
        """Run ``N`` more trials, whatever ``max_evals`` is."""
        self._search(self._count() + N)

    def exhaust(self) -> FMinIter:
        """Run until ``max_evals``."""
        self._search(self.max_evals)
        return self

    def serial_evaluate(self, N: int = -1) -> None:
        """Run the trials in state NEW, at most ``N`` of them (-1: all), here."""
        self._search(self._count(), most_queued=None if N < 0 else N)

    def __iter__(self) -> Iterator[Trials]:
        return self

    def __next__(self) -> Trials:
        if self._count() >= self.max_evals:
            raise StopIteration
        self.run(1)
        return self.trials

    def _count(self) -> int:
        self.trials.refresh()
        return len(self.trials)

    def _search(self, max_evals: int, most_queued: int | None = None) -> None:
        options = SearchOptions(
            algo=self.algo,
            max_evals=max_evals,
            timeout=self.timeout,
            loss_threshold=self.loss_threshold,
            max_queue_len=self.max_queue_len,
            rstate=self.rstate,
            catch_eval_exceptions=self.catch_eval_exceptions,
            early_stop_fn=self.early_stop_fn,
        )
        with self.trials._make_executor(self.domain.objective(self.trials)) as executor:
            deadline = None if self.timeout is None else time.monotonic() + self.timeout
            Loop(
                self.trials,
                self.domain,
                executor,
                options,
                deadline=deadline,
                most_queued=most_queued,
            ).run()


class _CallableModule(types.ModuleType):
    """Hyperopt's ``hyperopt.fmin`` names a module and a function: this module is both.

    Importing ``sparktuner.fmin`` by another name rebinds the package's attribute to the
    module, and a call must still reach the function.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return fmin(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
