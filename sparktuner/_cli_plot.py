"""The command that draws trials."""

from __future__ import annotations

import argparse
import sys

from sparktuner._cli_arguments import Commands, add_source
from sparktuner._terminal import harmless

_KINDS = (
    "overview",
    "history",
    "slice",
    "contour",
    "parallel",
    "importance",
    "timeline",
    "edf",
)


def add_plot_command(commands: Commands) -> None:
    """Adds ``plot``."""
    command = commands.add_parser(
        "plot",
        help="draw the trials of a store or a save file",
        description="Draw trials, also of a search that runs elsewhere. Needs matplotlib. The "
        "exit code is 3 where there are no trials.",
        epilog="example:\n  sparktuner plot --store sqlite:///tuning.db search.png",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_plot, refusals=(ValueError, ImportError, OSError))
    command.add_argument("out", metavar="OUT", help="the file: .png, .svg or .pdf")
    add_source(command)
    command.add_argument(
        "--kind", choices=_KINDS, default="overview", help="which plot (default: overview)"
    )
    command.add_argument("--dark", action="store_true", help="on a black ground")


def _plot(options: argparse.Namespace) -> None:
    # On use: --help shall not wait for numpy.
    from sparktuner._plot_command import plot
    from sparktuner._stored import Source

    source = Source(options.store, options.file, options.exp_key)
    plot(source, options.kind, options.out, options.dark)
    print(f"sparktuner plot: wrote {harmless(options.out)}", file=sys.stderr)
