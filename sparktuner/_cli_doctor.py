"""The command that looks whether all is in order."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sparktuner._cli_arguments import Commands
from sparktuner._terminal import harmless, logging_from

if TYPE_CHECKING:
    from sparktuner._doctor import Finding

_HELP = """\
Look whether what a search needs is in order: Python, Java, pyspark, the session, its slots and
settings, a worker (one real task), a store, a tracking server. Each line says ok, or what to do.

The exit code is 0 where nothing is broken, and 1 where something is; warnings break nothing.
"""
_EXAMPLES = """\
examples:
  sparktuner doctor
  sparktuner doctor --remote sc://host:15002 --store postgresql://user@host/db
"""


def add_doctor_command(commands: Commands) -> None:
    """Adds ``doctor``."""
    command = commands.add_parser(
        "doctor",
        help="look whether Spark, its workers, a store and MLflow are in order",
        description=_HELP,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_doctor, refusals=())
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--master",
        metavar="URL",
        help="of a Spark cluster, e.g. spark://host:7077 or yarn (default: that of spark-submit "
        "or SPARK_REMOTE, else Spark starts inside this process)",
    )
    where.add_argument(
        "--remote", dest="master", metavar="URL", help="of a Connect server, sc://host:15002"
    )
    command.add_argument("--store", metavar="URL", help="of a store to ask; none is made")
    command.add_argument("--tracking-uri", metavar="URI", help="of an MLflow server to ask")
    command.add_argument("--json", action="store_true", help="print the findings as JSON")


def _doctor(options: argparse.Namespace) -> int:
    # On use: --help shall not wait for numpy.
    from sparktuner._cluster import master_named
    from sparktuner._doctor import DoctorOptions, State, diagnosis

    master = master_named(options.master)
    wanted = DoctorOptions(master, options.store, options.tracking_uri)
    show = _as_json if options.json else _as_lines
    # What a search would warn of is a line of its own here.
    with logging_from(logging.CRITICAL):
        states = show(diagnosis(wanted))
    return int(State.BROKEN.value in states)


def _as_lines(findings: Iterable[Finding]) -> list[str]:
    states = []
    for each in findings:
        # At once: Spark and servers take their time.
        line = f"{each.state.value:8} {each.check:11} {each.message}"
        print(harmless(line), flush=True)
        states.append(each.state.value)
    return states


def _as_json(findings: Iterable[Finding]) -> list[str]:
    found = [
        {"check": each.check, "state": each.state.value, "message": each.message}
        for each in findings
    ]
    print(json.dumps(found, indent=1))
    return [each["state"] for each in found]
