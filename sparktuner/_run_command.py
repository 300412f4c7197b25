"""``sparktuner run``: a search whose objective and space are named on the command line."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sparktuner import _stored
from sparktuner._cluster import master_named, session_at
from sparktuner._named import imported
from sparktuner._terminal import harmless
from sparktuner.domain import Domain, Objective
from sparktuner.driver import resolve_annotated
from sparktuner.errors import AllTrialsFailed
from sparktuner.execute import modules_by_value
from sparktuner.fmin import fmin
from sparktuner.history import PARAMETERS, STATES
from sparktuner.records import TrialDocument
from sparktuner.stores import is_made
from sparktuner.suggest import Suggest
from sparktuner.trials import SparkTrials, ThreadTrials, Trials

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ALGORITHMS = ("atpe", "tpe", "anneal", "rand", "qmc", "grid")
_INTERRUPTED = 130  # what a shell reports for Ctrl-C


@dataclass(frozen=True)
class RunOptions:
    """The options of ``sparktuner run``.

    Attributes:
        objective: ``module:function``.
        space: ``module:name``; None is the annotations of the objective's parameters.
        max_evals: trials in all; None is no limit.
        timeout: seconds after which the search ends; None is no limit.
        algo: the name of an algorithm, or ``module:function``.
        seed: of the search; None is another one each time.
        where: ``spark``, ``threads`` or ``serial``.
        parallelism: trials at a time; None is as many as there is room for.
        master: of a Spark cluster; None is the one at hand, or one inside this process.
        store: the URL of a store, or None.
        save: the path of a save file, or None.
        exp_key: the experiment's name in the store.
        is_json: whether the outcome is printed for programs.
    """

    objective: str
    space: str | None = None
    max_evals: int | None = None
    timeout: float | None = None
    algo: str = "atpe"
    seed: int | None = None
    where: str = "spark"
    parallelism: int | None = None
    master: str | None = None
    store: str | None = None
    save: str | None = None
    exp_key: str | None = None
    is_json: bool = False

    def __post_init__(self) -> None:
        if self.max_evals is None and self.timeout is None:
            raise ValueError(
                "the search would have no end: expected --max-evals N, --timeout S, or both"
            )
        if self.where != "spark" and self.master is not None:
            raise ValueError(f"--master is for --trials spark, got --trials {self.where}")
        if self.where == "serial" and self.parallelism not in (None, 1):
            raise ValueError(
                f"--trials serial runs one trial at a time, got --parallelism {self.parallelism}; "
                "use --trials threads or spark"
            )


@dataclass(frozen=True)
class Plan:
    """A search that is ready to run.

    Attributes:
        options: as they were given.
        fn: the objective.
        space: its search space.
        algo: the algorithm.
    """

    options: RunOptions
    fn: Objective
    space: object
    algo: Suggest


def prepared(options: RunOptions) -> Plan:
    """Returns what a search needs, all of it imported and checked.

    Raises:
        ValueError, TypeError, ImportError: something that was named is not there, or is not
            what it must be.
        StoreError, MissingExtra: the store cannot be asked.
    """
    space: object = "annotated" if options.space is None else imported("--space", options.space)
    fn, space = resolve_annotated(imported("OBJECTIVE", options.objective), space)
    # Checks before Spark starts.
    Domain(fn, space)
    if options.store is not None:
        is_made(options.store)
    return Plan(options, fn, space, _algorithm(options.algo))


def _algorithm(name: str) -> Suggest:
    if name in _ALGORITHMS:
        found: Suggest = importlib.import_module(f"sparktuner.{name}").suggest
        return found
    if ":" not in name:
        raise ValueError(
            f"--algo must be one of {', '.join(_ALGORITHMS)}, or module:function, got {name!r}"
        )
    own: Suggest = imported("--algo", name)
    return own


def search(plan: Plan) -> int:
    """Runs a search, prints its best trial, and returns the command's exit code.

    Raises:
        SparktunerError: the search could not begin, or no trial finished.
    """
    # Again when Spark is up: it sets a handler of its own.
    with _interrupts(), _trials(plan.options) as trials, _interrupts():
        return _searched(plan, trials)


def _searched(plan: Plan, trials: Trials) -> int:
    # The modules of the current folder travel to Spark's workers, which lack them.
    own = _own_modules(Path.cwd()) if plan.options.where == "spark" else []
    with modules_by_value(*own):
        try:
            # What the objective prints is not the answer.
            with redirect_stdout(sys.stderr):
                _minimise(plan, trials)
        except KeyboardInterrupt:
            _report(plan.options, trials, "interrupted")
            print(f"sparktuner run: stopped{_goes_on(plan.options)}", file=sys.stderr)
            return _INTERRUPTED
        _report(plan.options, trials, trials.fmin_cancelled_reason)
    return 0


@contextmanager
def _interrupts() -> Iterator[None]:
    """Lets Ctrl-C, and what a scheduler sends when the time is up, end the search and no more.

    pyspark's handler asks the JVM first, which fails in the middle of another question to it.
    """
    before = {
        each: signal.signal(each, signal.default_int_handler)
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler or signal.SIG_DFL)


def _minimise(plan: Plan, trials: Trials) -> None:
    options = plan.options
    fmin(
        plan.fn,
        plan.space,
        plan.algo,
        options.max_evals,
        timeout=options.timeout,
        trials=trials,
        rstate=options.seed,
        trials_save_file=options.save or "",
        # A log file would be filled with a bar's states.
        show_progressbar=sys.stderr.isatty(),
    )


@contextmanager
def _trials(options: RunOptions) -> Iterator[Trials]:
    if options.where == "serial":
        yield Trials(options.exp_key, store=options.store)
    elif options.where == "threads":
        width = options.parallelism or os.cpu_count() or 1
        yield ThreadTrials(width, exp_key=options.exp_key, store=options.store)
    else:
        with session_at(master_named(options.master), _cores(options)) as session:
            yield _spark_trials(options, session)


def _spark_trials(options: RunOptions, session: SparkSession) -> SparkTrials:
    return SparkTrials(
        options.parallelism,
        spark_session=session,
        exp_key=options.exp_key,
        store=options.store,
    )


def _cores(options: RunOptions) -> int | str:
    return options.parallelism or "local[*]"


def _own_modules(folder: Path) -> list[ModuleType]:
    """The imported modules in a folder that are a user's own, not of an environment in it."""
    own = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or name == "__main__" or name.partition(".")[0] == "sparktuner":
            continue
        path = Path(file).resolve()
        of_environment = path.is_relative_to(Path(sys.prefix).resolve())
        if path.is_relative_to(folder.resolve()) and not of_environment and not _installed(path):
            own.append(module)
    return own


def _installed(path: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & set(path.parts))


def _goes_on(options: RunOptions) -> str:
    if options.store is None and options.save is None:
        return ""
    return "; the same command goes on"


def _report(options: RunOptions, trials: Trials, reason: str | None) -> None:
    """Prints the best trial, if there is one, and how the trials went."""
    counts = Counter(STATES.get(each["state"], "other") for each in trials.all_trials)
    best = _best(trials)
    if options.is_json:
        outcome = {**_told(trials, best), "trials": counts, "ended_early": reason}
        print(json.dumps(outcome, indent=1, allow_nan=False))
        return
    if best is not None:
        _stored.print_best(trials.store, best, _stored.Form.TABLE)
    states = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
    early = f"; ended early: {reason}" if reason else ""
    print(harmless(f"sparktuner run: trials: {states or 'none'}{early}"), file=sys.stderr)


def _best(trials: Trials) -> TrialDocument | None:
    try:
        return trials.best_trial
    except AllTrialsFailed:
        return None


def _told(trials: Trials, best: TrialDocument | None) -> dict[str, object]:
    """The best trial as JSON has it; all is null where there is none."""
    if best is None:
        return {"tid": None, "loss": None, "exp_key": None, "params": None}
    record = {key: _stored.plain(v) for key, v in _stored.best_record(trials.store, best).items()}
    params = {k: v for k, v in record.items() if k.startswith(PARAMETERS)}
    rest = {k: v for k, v in record.items() if k not in params}
    return {**rest, "params": {k.removeprefix(PARAMETERS): v for k, v in params.items()}}
