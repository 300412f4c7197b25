"""The command that writes a page about trials."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sparktuner._cli_arguments import NOTHING_FOUND, Commands, add_source
from sparktuner._terminal import harmless, say

if TYPE_CHECKING:
    from sparktuner._stored import Source
    from sparktuner.trials import Trials


def add_report_commands(commands: Commands) -> None:
    """Adds ``report``."""
    command = commands.add_parser(
        "report",
        help="write a page about the trials of a store or a save file",
        description="Write one page about trials, also of a search that runs elsewhere, which any "
        "browser opens without a network. The exit code is 3 where there are no trials.",
        epilog="example:\n  sparktuner report --store sqlite:///tuning.db search.html",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_report, refusals=(ValueError, ImportError, OSError))
    command.add_argument("out", metavar="OUT", help="the file, such as search.html")
    add_source(command)


def _report(options: argparse.Namespace) -> int:
    # On use, here as below: --help shall not wait for numpy.
    from sparktuner._stored import NothingFound, Source
    from sparktuner.report import write_report

    try:
        trials = _trials(Source(options.store, options.file, options.exp_key))
        if not trials.all_trials:
            of = "" if options.exp_key is None else f" of exp_key {options.exp_key!r}"
            place = options.file or trials.store.location
            raise NothingFound(f"{place} holds no trials{of}")
    except NothingFound as error:
        say(options.command, error)
        return NOTHING_FOUND
    write_report(trials, options.out)
    print(f"sparktuner report: wrote {harmless(options.out)}", file=sys.stderr)
    return 0


def _trials(source: Source) -> Trials:
    from sparktuner.trials import Trials

    return Trials(store=source.open(), exp_key=source.exp_key)
