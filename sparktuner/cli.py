"""The command ``sparktuner``."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence

import sparktuner
from sparktuner._cli_arguments import Commands, natural, positive, seconds
from sparktuner._cli_doctor import add_doctor_command
from sparktuner._cli_mlflow import add_mlflow_command
from sparktuner._cli_plot import add_plot_command
from sparktuner._cli_report import add_report_commands
from sparktuner._cli_run import add_run_command
from sparktuner._cli_stores import add_store_commands
from sparktuner._nothing_found import EXIT_CODE, NothingFound
from sparktuner._terminal import logging_from, say
from sparktuner.errors import SparktunerError

_INTERRUPTED = 130  # what a shell reports for Ctrl-C


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
    except NothingFound as error:
        say(options.command, error)
        return EXIT_CODE
    except (SparktunerError, *options.refusals) as error:
        say(options.command, error)
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
    from sparktuner._worker import WorkerOptions, run

    # The supervisor of a worker ends it so; its trial goes to another one at once.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with logging_from(logging.INFO):
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sparktuner", description="Tune models on Apache Spark.")
    parser.add_argument("--version", action="version", version=sparktuner.__version__)
    commands = parser.add_subparsers(dest="command", metavar="command")
    _add_demo(commands)
    add_run_command(commands)
    add_doctor_command(commands)
    _add_worker(commands)
    add_store_commands(commands)
    add_plot_command(commands)
    add_report_commands(commands)
    add_mlflow_command(commands)
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
        "--parallelism", type=positive, default=4, metavar="N", help="trials at a time"
    )
    demo.add_argument(
        "--evaluations", type=positive, default=48, metavar="N", help="trials in all"
    )
    demo.add_argument("--seed", type=natural, default=0, metavar="N", help="of the search")
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
        type=seconds,
        default=5.0,
        metavar="S",
        help="seconds between two looks for trials (default: 5)",
    )
    add("--max-jobs", type=positive, metavar="N", help="end after N trials")
    add(
        "--max-consecutive-failures",
        type=positive,
        default=4,
        metavar="N",
        help="end with exit code 1 when N trials have failed one after another (default: 4)",
    )
    add(
        "--reserve-timeout",
        type=seconds,
        default=120.0,
        metavar="S",
        help="end when there was nothing to do for S seconds; 0 waits for ever (default: 120)",
    )
    add("--workdir", metavar="DIR", help="run in this folder, which is made if need be")
