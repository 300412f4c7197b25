"""What a terminal is shown: of somebody's text, and of the log."""

from __future__ import annotations

import logging
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

# Controls, and formats such as those that turn the direction of writing.
_HARMFUL = ("Cc", "Cf", "Cs", "Zl", "Zp")


def harmless(text: str) -> str:
    """Returns one line of text that does nothing to a terminal.

    Labels, errors and names of experiments come from whoever wrote the store; an escape
    sequence in them could rewrite the screen.
    """
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _HARMFUL else c
        for c in text
    )


def say(command: str, error: BaseException) -> None:
    """Prints what went wrong with a command, as text that does nothing to the terminal."""
    lines = str(error).split("\n")
    print(f"sparktuner {command}: " + "\n".join(map(harmless, lines)), file=sys.stderr)


@contextmanager
def logging_from(level: int) -> Iterator[None]:
    """Shows what sparktuner logs from this level on, and nothing below."""
    log = logging.getLogger("sparktuner")
    before = log.level
    log.setLevel(level)
    try:
        yield
    finally:
        log.setLevel(before)
