"""What the arguments of commands are checked by."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = object


def add_source(command: argparse.ArgumentParser) -> None:
    """Adds what says where the trials are."""
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("--store", metavar="URL", help="of the store")
    where.add_argument("--file", metavar="FILE", help="a trials_save_file")
    command.add_argument("--exp-key", metavar="K", help="trials of this experiment only")


def seconds(text: str) -> float:
    """Returns a duration, 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, got {text!r}")
    return value


def natural(text: str) -> int:
    """Returns an integer of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected an integer of at least 0, got {text!r}")
    return int(text)


def positive(text: str) -> int:
    """Returns an integer of at least 1."""
    value = natural(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text!r}")
    return value
