"""The commands that write a page about trials, and show it while they come."""

from __future__ import annotations

import argparse
import sys

from sparktuner._cli_arguments import Commands, add_source, natural, seconds
from sparktuner._terminal import harmless


def add_report_commands(commands: Commands) -> None:
    """Adds ``report`` and ``watch``."""
    _add_report(commands)
    _add_watch(commands)


def _add_report(commands: Commands) -> None:
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


_WATCH_HELP = """\
Show the page of sparktuner report in a browser of this machine, live, while a search runs
anywhere that writes into the store. Only 127.0.0.1 is served, and nothing is changed. Ctrl-C
ends it.
"""
_WATCH_EXAMPLES = """\
examples:
  sparktuner watch --store postgresql://tuner@db.example.com/tuning
  sparktuner watch --store sqlite:///tuning.db --exp-key digits --port 0
"""


def _add_watch(commands: Commands) -> None:
    command = commands.add_parser(
        "watch",
        help="show the trials of a store in a browser, live",
        description=_WATCH_HELP,
        epilog=_WATCH_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_watch, refusals=(ValueError, ImportError, OSError), file=None)
    command.add_argument("--store", required=True, metavar="URL", help="of the store")
    command.add_argument("--exp-key", metavar="K", help="trials of this experiment only")
    command.add_argument(
        "--port",
        type=_port,
        default=8765,
        metavar="N",
        help="where; 0 is one that is free (default: 8765)",
    )
    command.add_argument(
        "--interval",
        type=_interval,
        default=2.0,
        metavar="S",
        help="seconds between two looks at the store, 0.5 or more (default: 2)",
    )


def _port(text: str) -> int:
    port = natural(text)
    if port > 65535:
        raise argparse.ArgumentTypeError(f"expected a port, 0 to 65535, got {text!r}")
    return port


def _interval(text: str) -> float:
    value = seconds(text)
    if value < 0.5:
        raise argparse.ArgumentTypeError(f"expected seconds, 0.5 or more, got {text!r}")
    return value


def _watch(options: argparse.Namespace) -> None:
    # On use, here as below: --help shall not wait for numpy.
    from sparktuner._stored import Source
    from sparktuner.report import PageServer

    trials = Source(options.store, None, options.exp_key).trials()
    try:
        server = PageServer(trials, options.port, options.interval)
    except OSError as error:
        raise OSError(
            f"--port {options.port} cannot be had: {error.strerror}; choose another, or 0 for "
            "one that is free"
        ) from error
    with server:
        print(f"sparktuner watch: {server.url} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        server.serve_forever()


def _report(options: argparse.Namespace) -> None:
    from sparktuner._stored import Source
    from sparktuner.report import write_report

    trials = Source(options.store, options.file, options.exp_key).some_trials()
    write_report(trials, options.out)
    print(f"sparktuner report: wrote {harmless(options.out)}", file=sys.stderr)
