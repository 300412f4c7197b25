"""The command that sends to MLflow what a search could not."""

from __future__ import annotations

import argparse
import sys

from sparktuner._cli_arguments import Commands
from sparktuner._terminal import harmless


def add_mlflow_command(commands: Commands) -> None:
    """Adds ``mlflow replay``."""
    mlflow = commands.add_parser("mlflow", help="send what an MLflow server could not be told")
    actions = mlflow.add_subparsers(dest="action", metavar="action", required=True)
    command = actions.add_parser(
        "replay",
        help="send a file that a search has left",
        description="Send to MLflow what a search could not, and remove the file.",
        epilog="example:\n  sparktuner mlflow replay ~/.local/state/sparktuner/mlflow-*.jsonl",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # Whatever MLflow and its plugins raise: a traceback would say nothing more.
    command.set_defaults(run=_replay, refusals=(Exception,))
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="as the search's warning named it"
    )
    command.add_argument(
        "--tracking-uri", metavar="URI", help="of the server (default: that of the search)"
    )


def _replay(options: argparse.Namespace) -> None:
    # On use: --help shall not wait for numpy.
    from sparktuner.mlflow import replay

    for file in options.files:
        runs = replay(file, options.tracking_uri)
        what = harmless(f"{runs} runs of {file}")
        print(f"sparktuner mlflow: {what} were written", file=sys.stderr)
