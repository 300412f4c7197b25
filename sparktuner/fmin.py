"""``fmin``: minimise an objective over a search space."""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeVar

from sparktuner import atpe
from sparktuner.checks import (
    check_callable,
    check_flag,
    check_has,
    check_mapping,
    check_points,
    check_tid,
    check_whole,
    shown,
)
from sparktuner.domain import Domain
from sparktuner.driver import (
    BarFactory,
    EarlyStop,
    RandomState,
    SearchArguments,
    resolve_annotated,
    takes,
)
from sparktuner.records import Tid, TrialDocument, new_document
from sparktuner.space import evaluate
from sparktuner.suggest import Suggest
from sparktuner.trials import Best, Trials, trials_from_docs

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
F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class FminArguments(SearchArguments):
    """The arguments of :func:`fmin`: those of ``Trials.fmin``, and the trials themselves."""

    trials: Trials | None = field(
        default=None,
        metadata={
            "meaning": "where trials are kept and how they are run; None is ``Trials()``, one "
            "after another in this process."
        },
    )
    # `trials` is positional, as the seventh argument in Hyperopt.
    _: KW_ONLY
    verbose: bool = field(
        default=True,
        metadata={
            "meaning": "whether to show the progress bar; False is silent.",
            "check": check_flag,
        },
    )
    allow_trials_fmin: bool = field(
        default=True,
        metadata={
            "meaning": "whether to call ``trials.fmin``, which a subclass of ``Trials`` may "
            "have overridden.",
            "check": check_flag,
        },
    )


# What further positional arguments of fmin mean, in Hyperopt.
_HYPEROPTS_ORDER = (
    "rstate",
    "allow_trials_fmin",
    "pass_expr_memo_ctrl",
    "catch_eval_exceptions",
    "verbose",
    "return_argmin",
    "points_to_evaluate",
    "max_queue_len",
    "show_progressbar",
    "early_stop_fn",
    "trials_save_file",
)
# Hyperopt's Trials.fmin knows these; a subclass's own need not know of the others.
_HYPEROPTS_OWN = frozenset(_HYPEROPTS_ORDER) - {"allow_trials_fmin", "points_to_evaluate"} | {
    "algo",
    "max_evals",
    "timeout",
    "loss_threshold",
}


@takes(FminArguments, then=_HYPEROPTS_ORDER)
def fmin(arguments: FminArguments) -> Best:
    """Minimises an objective over a search space.

    Returns:
        The best trial's values by label; a choice's value is its index. ``trials.best_params``
        has the chosen options themselves. With ``return_argmin=False``, what the objective
        received in the best trial. ``{}`` or None where there is no trial at all.

    Raises:
        BadSearchSpace: the space is ill-formed.
        ValueError, TypeError: another argument is.
        AllTrialsFailed: no trial finished with status ok.
        ObjectiveFailed: the first trials all failed alike.

    Example:
        >>> from sparktuner import fmin, hp
        >>> best = fmin(
        ...     lambda x: (x - 1) ** 2, hp.uniform("x", -5, 5), max_evals=50, rstate=0,
        ...     verbose=False,
        ... )
        >>> abs(best["x"] - 1) < 0.5
        True
    """
    fn, space = resolve_annotated(arguments.fn, arguments.space)
    trials = arguments.trials
    if trials is None:
        trials = trials_from_docs([])
    check_has("trials", trials, ("fmin",), "a Trials object, such as Trials()")
    search = trials.fmin
    # Ours, whatever a subclass has made of it: a subclass's own may call fmin in this way.
    if not arguments.allow_trials_fmin:
        search = functools.partial(Trials.fmin, trials)
    return search(fn, space, **_passed_on(arguments))


def _passed_on(arguments: FminArguments) -> dict[str, Any]:
    """The arguments for ``trials.fmin``: Hyperopt's own always, others where they were given."""
    passed: dict[str, Any] = {}
    for each in dataclasses.fields(SearchArguments)[2:]:
        value = getattr(arguments, each.name)
        if each.name in _HYPEROPTS_OWN or value != each.default:
            passed[each.name] = value
    # Hyperopt's own default would be its TPE, and a subclass may look at it.
    passed["algo"] = atpe.suggest if arguments.algo is None else arguments.algo
    return passed


def space_eval(space: object, hp_assignment: Mapping[str, Any]) -> Any:
    """Returns what the objective receives for these values by label.

    Args:
        space: the search space.
        hp_assignment: a value for each active label, as ``fmin`` returns them, or as a list of
            one value, as trial documents hold them; a choice's value is its index.

    Raises:
        BadSearchSpace: an active label has no value.
        TypeError: ``hp_assignment`` is no dictionary.

    Example:
        >>> from sparktuner import hp, space_eval
        >>> space_eval({"k": hp.choice("k", ["rbf", "linear"])}, {"k": 1})
        {'k': 'linear'}
    """
    check_mapping("hp_assignment", hp_assignment, "trials.argmin or {'x': 0.5}")
    # Both forms are in use: what fmin returns, and `trials.vals` of one trial.
    assignment = {
        label: value[0] if isinstance(value, list) and value else value
        for label, value in hp_assignment.items()
        if not (isinstance(value, list) and not value)
    }
    return evaluate(space, assignment)


def fmin_pass_expr_memo_ctrl(f: F) -> F:
    """Marks an objective that is called with ``(expr, memo, ctrl)``, not a configuration.

    Example:
        >>> from sparktuner import fmin, fmin_pass_expr_memo_ctrl, hp, pyll
        >>> @fmin_pass_expr_memo_ctrl
        ... def objective(expr, memo, ctrl):
        ...     return pyll.rec_eval(expr, memo=memo) ** 2
        >>> sorted(fmin(objective, hp.uniform("x", -1, 1), max_evals=3, verbose=False))
        ['x']
    """
    try:
        check_callable("f", f)
        f.fmin_pass_expr_memo_ctrl = True  # type: ignore[attr-defined]
    except (AttributeError, TypeError):  # such as a function of C
        raise TypeError(
            f"f must be a function that is written with def, got {shown(f)}; for another one "
            "pass pass_expr_memo_ctrl=True to fmin"
        ) from None
    return f


def generate_trial(tid: Tid, space: Mapping[str, Any]) -> TrialDocument:
    """Returns a document in state NEW for values by label.

    Args:
        tid: its id.
        space: the values; as lists of at most one value they may also be empty.

    Example:
        >>> from sparktuner.fmin import generate_trial
        >>> generate_trial(7, {"x": 0.5, "y": []})["misc"]["vals"]
        {'x': [0.5], 'y': []}
    """
    check_tid("tid", tid)
    check_mapping("space", space, "{'x': 0.5}")
    values = {
        label: value[0] if isinstance(value, list | tuple) else value
        for label, value in space.items()
        if not (isinstance(value, list | tuple) and not value)
    }
    return new_document(tid, values, space)


def generate_trials_to_calculate(points: Sequence[Mapping[str, Any]]) -> Trials:
    """Returns trials with a document in state NEW for each point; ``fmin`` runs them first.

    Raises:
        TypeError: ``points`` is no list of dictionaries.

    Example:
        >>> from sparktuner import fmin, hp
        >>> from sparktuner.fmin import generate_trials_to_calculate
        >>> trials = generate_trials_to_calculate([{"x": 0.0}, {"x": 0.5}])
        >>> fmin(abs, hp.uniform("x", -1, 1), max_evals=2, trials=trials, verbose=False)
        {'x': 0.0}
    """
    check_points("points", points)
    if points is None:
        raise TypeError("points must be a list of dictionaries, got None")
    return trials_from_docs([generate_trial(tid, point) for tid, point in enumerate(points)])


class FMinIter:
    """A search that is stepped by hand; prefer :func:`fmin`.

    Iterating makes one trial a step and yields the trials. ``poll_interval_secs``,
    ``asynchronous``, ``verbose``, ``show_progressbar`` and ``trials_save_file`` are accepted
    and do nothing.

    Example:
        >>> from sparktuner import Domain, FMinIter, Trials, hp, rand
        >>> trials = Trials()
        >>> domain = Domain(abs, hp.uniform("x", -1, 1))
        >>> steps = FMinIter(rand.suggest, domain, trials, rstate=0, max_evals=3)
        >>> [len(trials) for trials in steps]
        [1, 2, 3]
    """

    def __init__(
        self,
        algo: Suggest,
        domain: Domain,
        trials: Trials,
        rstate: RandomState,
        asynchronous: bool | None = None,
        max_queue_len: int = 1,
        poll_interval_secs: float = 1.0,
        max_evals: float | None = sys.maxsize,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        verbose: bool = False,
        show_progressbar: bool | BarFactory = True,
        early_stop_fn: EarlyStop | None = None,
        trials_save_file: str = "",
    ) -> None:
        check_has("domain", domain, ("fn", "expr", "space"), "a Domain, such as Domain(fn, space)")
        check_has("trials", trials, ("search", "refresh"), "a Trials object, such as Trials()")
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
        # What is wrong is told here, not by the first step.
        self._arguments(max_evals)

    def run(self, N: int, block_until_done: bool = True) -> None:
        """Runs ``N`` more trials, whatever ``max_evals`` is."""
        check_whole("N", N, least=0)
        self._search(self._count() + N)

    def exhaust(self) -> FMinIter:
        """Runs until ``max_evals``."""
        self._search(self.max_evals)
        return self

    def serial_evaluate(self, N: int = -1) -> None:
        """Runs the trials in state NEW, at most ``N`` of them (-1: all)."""
        check_whole("N", N, least=-1)
        self._search(self._count(), most_queued=None if N < 0 else int(N))

    def __iter__(self) -> Iterator[Trials]:
        return self

    def __next__(self) -> Trials:
        if self._count() >= self._arguments(self.max_evals).limit:
            raise StopIteration
        self.run(1)
        return self.trials

    def _count(self) -> int:
        self.trials.refresh()
        return len(self.trials)

    def _search(self, max_evals: float | None, most_queued: int | None = None) -> None:
        self.trials.search(self.domain, self._arguments(max_evals), most_queued)

    def _arguments(self, max_evals: float | None) -> SearchArguments:
        return SearchArguments(
            self.domain.fn,
            self.domain.expr,
            self.algo,
            max_evals,
            self.timeout,
            self.loss_threshold,
            max_queue_len=self.max_queue_len,
            rstate=self.rstate,
            catch_eval_exceptions=self.catch_eval_exceptions,
            early_stop_fn=self.early_stop_fn,
        )


class _CallableModule(types.ModuleType):
    """Hyperopt's ``hyperopt.fmin`` names a module and a function: this module is both.

    Importing ``sparktuner.fmin`` by another name rebinds the package's attribute to the
    module, and a call must still reach the function.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return fmin(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
