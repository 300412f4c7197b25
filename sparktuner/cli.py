"""The command ``sparktuner``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

import sparktuner
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
        _demo(options)
    except SparktunerError as error:
        print(f"sparktuner {options.command}: {error}", file=sys.stderr)
        return 1
    # A traceback would say nothing that this person does not know.
    except KeyboardInterrupt:
        print(f"\nsparktuner {options.command}: stopped", file=sys.stderr)
        return _INTERRUPTED
    return 0


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sparktuner", description="Tune models on Apache Spark.")
    parser.add_argument("--version", action="version", version=sparktuner.__version__)
    commands = parser.add_subparsers(dest="command", metavar="command")
    demo = commands.add_parser(
        "demo",
        help="tune a scikit-learn pipeline, on a Spark inside this process or on a cluster",
        description="Tune a scikit-learn pipeline for handwritten digits on Spark.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
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
    return parser


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected an integer of at least 0, got {text!r}")
    return int(text)


def _positive(text: str) -> int:
    value = _natural(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text!r}")
    return value
