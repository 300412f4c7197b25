"""The command that runs a search."""

from __future__ import annotations

import argparse
from typing import Any

from sparktuner._cli_arguments import Commands, natural, positive, seconds
from sparktuner._terminal import say

_HELP = """\
Search for the configuration with the least loss, and print it.

OBJECTIVE is module:function. The current folder can be imported from, as with python -m, and
its modules travel to Spark's workers with the objective. The same command with --store or
--save goes on with the search that is there.

The exit code is 0 when there is a best trial, 1 when something is wrong, 2 for an argument,
130 after Ctrl-C or SIGTERM, which keep what was found.
"""
_EXAMPLES = """\
examples:
  sparktuner run model:objective --space model:space --max-evals 50
  sparktuner run model:objective --space model:space --parallelism 8 --max-evals 200 \\
      --store sqlite:///tuning.db --master spark://host:7077
  spark-submit --master yarn SCRIPT run model:objective --space model:space --timeout 3600
      where SCRIPT is sparktuner/__main__.py of the installed package
"""


def add_run_command(commands: Commands) -> None:
    """Adds ``run``."""
    command = commands.add_parser(
        "run",
        help="run a search on Spark, in threads or in this process",
        description=_HELP,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_run, refusals=())
    add = command.add_argument
    add("objective", metavar="OBJECTIVE", help="module:function")
    add(
        "--space",
        metavar="SPACE",
        help="module:name of the search space (default: the annotations of the objective)",
    )
    _add_limits(command)
    _add_places(command)
    add("--json", action="store_true", help="print the outcome as JSON")


def _add_limits(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--max-evals", type=positive, metavar="N", help="trials in all, earlier ones included")
    add("--timeout", type=seconds, metavar="S", help="end after S seconds")
    add(
        "--algo",
        default="atpe",
        metavar="ALGO",
        help="atpe, tpe, anneal, rand, qmc or grid, or module:function (default: atpe)",
    )
    add("--seed", type=natural, metavar="N", help="of the search")


def _add_places(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--trials",
        choices=("spark", "threads", "serial"),
        default="spark",
        help="where trials run (default: spark)",
    )
    add(
        "--parallelism",
        type=positive,
        metavar="N",
        help="trials at a time (default: Spark's slots, or the cores of this machine)",
    )
    add(
        "--master",
        metavar="URL",
        help="of a Spark cluster, e.g. spark://host:7077, yarn or sc://host (default: that of "
        "spark-submit or SPARK_REMOTE, else Spark starts inside this process)",
    )
    kept = command.add_mutually_exclusive_group()
    kept.add_argument("--store", metavar="URL", help="keep the trials in this store")
    kept.add_argument("--save", metavar="FILE", help="keep the trials in this file")
    add("--exp-key", metavar="K", help="the experiment's name in the store")


def _run(options: argparse.Namespace) -> int:
    # On use: --help shall not wait for numpy.
    from sparktuner._run_command import RunOptions, prepared, search

    try:
        plan = prepared(RunOptions(**_given(options)))
    # Only what is wrong with the command: an error of the objective keeps its traceback.
    except (ValueError, TypeError, ImportError) as error:
        say(options.command, error)
        return 1
    return search(plan)


def _given(options: argparse.Namespace) -> dict[str, Any]:
    given = vars(options).copy()
    for name in ("command", "run", "refusals"):
        del given[name]
    return given | {"where": given.pop("trials"), "is_json": given.pop("json")}
