"""The command ``sparktuner``."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import sparktuner
from sparktuner._terminal import harmless
from sparktuner.errors import SparktunerError

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]

_INTERRUPTED = 130  # what a shell reports for Ctrl-C
_NOTHING_FOUND = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code.

    Args:
        arguments: without the program's name; None takes those of the process.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    # Help instead of an error: somebody looks what there is.
    if options.command is None:
        parser.print_help()
        return 0
    # Warnings of a search are for the person at the terminal.
    logging.basicConfig(format="sparktuner: %(message)s")
    try:
        code: int | None = options.run(options)
    except (SparktunerError, *options.refusals) as error:
        _say(options.command, error)
        return 1
    # A traceback would say nothing that this person does not know.
    except KeyboardInterrupt:
        print(f"\nsparktuner {options.command}: stopped", file=sys.stderr)
        return _INTERRUPTED
    return code or 0


def _demo(options: argparse.Namespace) -> None:
    # On use: --help shall not wait for numpy and Spark's client.
    from sparktuner._demo import DemoOptions, run

    run(
        DemoOptions(
            parallelism=options.parallelism,
            evaluations=options.evaluations,
            seed=options.seed,
            master=options.master,
            save=options.save,
        )
    )


def _worker(options: argparse.Namespace) -> None:
    from sparktuner._worker import WorkerOptions, logged, run

    # The supervisor of a worker ends it so; its trial goes to another one at once.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with logged():
        ran = run(
            WorkerOptions(
                store=options.store,
                exp_key=options.exp_key,
                objective=options.objective,
                space=options.space,
                poll_interval=options.poll_interval,
                max_jobs=options.max_jobs,
                max_consecutive_failures=options.max_consecutive_failures,
                reserve_timeout=options.reserve_timeout or None,
                workdir=options.workdir,
            )
        )
    print(f"sparktuner worker: {ran} trials were run", file=sys.stderr)


def _stored(options: argparse.Namespace) -> int:
    from sparktuner import _stored

    source = _stored.Source(options.store, options.file, options.exp_key)
    form = _stored.Form(options.form)
    try:
        if options.command == "show":
            _stored.show(source, form)
        elif options.command == "best":
            _stored.best(source, form)
        else:
            _stored.trials(source, form, options.state, options.limit)
    except _stored.NothingFound as error:
        _say(options.command, error)
        return _NOTHING_FOUND
    return 0


def _delete(options: argparse.Namespace) -> int:
    from sparktuner import _stored

    what = "all trials" if options.exp_key is None else f"the trials of {options.exp_key!r}"
    # A script that waits for an answer would wait for ever.
    if not options.yes and not sys.stdin.isatty():
        print("sparktuner delete: say --yes where nobody can be asked", file=sys.stderr)
        return 2

    def may() -> bool:
        if options.yes:
            return True
        return input(f"Delete {what} for good? [y/N] ").strip().lower() in ("y", "yes")

    source = _stored.Source(options.store, None, options.exp_key)
    try:
        return 0 if _stored.delete(source, may) else 1
    except _stored.NothingFound as error:
        _say(options.command, error)
        return _NOTHING_FOUND


def _say(command: str, error: BaseException) -> None:
    """Prints what went wrong, in which text of somebody's store does nothing to the terminal."""
    lines = str(error).split("\n")
    print(f"sparktuner {command}: " + "\n".join(map(harmless, lines)), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sparktuner", description="Tune models on Apache Spark.")
    parser.add_argument("--version", action="version", version=sparktuner.__version__)
    commands = parser.add_subparsers(dest="command", metavar="command")
    _add_demo(commands)
    _add_worker(commands)
    _add_look(commands, "show", "list the experiments of a store")
    _add_look(commands, "best", "print the best trial")
    _add_trials(commands)
    _add_delete(commands)
    return parser


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser(
        "demo",
        help="tune a scikit-learn pipeline, on a Spark inside this process or on a cluster",
        description="Tune a scikit-learn pipeline for handwritten digits on Spark.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    demo.set_defaults(run=_demo, refusals=())
    demo.add_argument(
        "--parallelism", type=_positive, default=4, metavar="N", help="trials at a time"
    )
    demo.add_argument(
        "--evaluations", type=_positive, default=48, metavar="N", help="trials in all"
    )
    demo.add_argument("--seed", type=_natural, default=0, metavar="N", help="of the search")
    demo.add_argument(
        "--master",
        metavar="URL",
        help="of an existing cluster, e.g. spark://host:7077, yarn or sc://host (default: Spark "
        "starts inside this process)",
    )
    demo.add_argument(
        "--save",
        metavar="FILE",
        help="keep the trials here, and go on from it if it exists (default: a new file in the "
        "temporary folder)",
    )


_WORKER_HELP = """\
Take trials from a store and run them, one after another: those that a search on WorkerTrials
or MongoTrials leaves there, and those whose driver or worker is gone.

Without OBJECTIVE the objective is the one that the search has left in the store. It is a
pickle, so it can run any code: start a worker only on a store that nobody writes into whom you
do not trust. With OBJECTIVE and --space nothing is unpickled.
"""
_WORKER_EXAMPLES = """\
examples:
  sparktuner worker --store mongodb://db.example.com/tuning --exp-key digits
  sparktuner worker model:objective --space model:space --store sqlite:////data/tuning.db
"""


def _add_worker(commands: Commands) -> None:
    worker = commands.add_parser(
        "worker",
        help="take trials from a store and run them",
        description=_WORKER_HELP,
        epilog=_WORKER_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    worker.set_defaults(run=_worker, refusals=(ValueError, ImportError))
    add = worker.add_argument
    add("objective", nargs="?", metavar="OBJECTIVE", help="module:function")
    add("--space", metavar="SPACE", help="module:name of its search space")
    add("--store", required=True, metavar="URL", help="of the store")
    add("--exp-key", metavar="K", help="run trials of this experiment only")
    add(
        "--poll-interval",
        type=_seconds,
        default=5.0,
        metavar="S",
        help="seconds between two looks for trials (default: 5)",
    )
    add("--max-jobs", type=_positive, metavar="N", help="end after N trials")
    add(
        "--max-consecutive-failures",
        type=_positive,
        default=4,
        metavar="N",
        help="end with exit code 1 when N trials have failed one after another (default: 4)",
    )
    add(
        "--reserve-timeout",
        type=_seconds,
        default=120.0,
        metavar="S",
        help="end when there was nothing to do for S seconds; 0 waits for ever (default: 120)",
    )
    add("--workdir", metavar="DIR", help="run in this folder, which is made if need be")


def _add_look(commands: Commands, name: str, does: str) -> argparse.ArgumentParser:
    look = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}. The exit code is 3 where there is none.",
        epilog=f"example:\n  sparktuner {name} --store sqlite:///tuning.db --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    look.set_defaults(run=_stored, refusals=(ValueError, ImportError, OSError), form="table")
    where = look.add_mutually_exclusive_group(required=True)
    where.add_argument("--store", metavar="URL", help="of the store")
    where.add_argument("--file", metavar="FILE", help="a trials_save_file")
    look.add_argument("--exp-key", metavar="K", help="trials of this experiment only")
    form = look.add_mutually_exclusive_group()
    for kind in ("json", "csv"):
        form.add_argument(
            f"--{kind}", dest="form", action="store_const", const=kind, help="for programs"
        )
    return look


def _add_trials(commands: Commands) -> None:
    look = _add_look(commands, "trials", "print a table of trials, the newest last")
    look.add_argument("--limit", type=_positive, metavar="N", help="the newest N only")
    states = ("waiting", "running", "done", "failed", "cancelled")
    look.add_argument("--state", choices=states, help="trials in this state only")


def _add_delete(commands: Commands) -> None:
    delete = commands.add_parser(
        "delete",
        help="delete the trials of an experiment, or all",
        description="Delete trials and their attachments for good.",
        epilog="example:\n  sparktuner delete --store sqlite:///tuning.db --exp-key digits --yes",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    delete.set_defaults(run=_delete, refusals=(ValueError, ImportError, OSError))
    delete.add_argument("--store", required=True, metavar="URL", help="of the store")
    which = delete.add_mutually_exclusive_group(required=True)
    which.add_argument("--exp-key", metavar="K", help="the trials of this experiment")
    which.add_argument("--all", action="store_true", help="all trials of the store")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, got {text!r}")
    return value


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected an integer of at least 0, got {text!r}")
    return int(text)


def _positive(text: str) -> int:
    value = _natural(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text!r}")
    return value
