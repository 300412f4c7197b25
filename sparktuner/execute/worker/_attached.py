"""What an objective attaches to its trial: bytes under a name, kept also where it then fails."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

from sparktuner.execute.worker._left import LeftFile, forget, leave, publish
from sparktuner.execute.worker._outcome import Outcome

# Takes what is attached, by its name. A stream is read before the call returns.
Keep: TypeAlias = Callable[[str, bytes | BinaryIO], None]

# So many bytes of a trial's attachments travel with its outcome, which the driver holds whole.
TOGETHER = 2**24

_LONGEST_NAME = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Attachments:
    """What a trial on a worker attaches, until its outcome takes it along.

    What is small travels in the outcome. What is more than :data:`TOGETHER` stays on the
    worker's disk, and the driver takes it from there.
    """

    def __init__(self) -> None:
        self._small: dict[str, bytes] = {}
        self._left: dict[str, LeftFile] = {}

    def keep(self, name: str, content: bytes | BinaryIO) -> None:
        """Takes the bytes, in place of those of the same name."""
        self._small.pop(name, None)
        if name in self._left:
            forget(self._left.pop(name))
        room = TOGETHER - sum(map(len, self._small.values()))
        rest = None if isinstance(content, bytes) else content
        beginning = content if isinstance(content, bytes) else content.read(room + 1)
        if len(beginning) <= room:
            self._small[name] = beginning
        else:
            self._left[name] = leave(beginning, rest)

    def go_with(self, outcome: Outcome) -> None:
        """Adds it to the outcome, whatever that is."""
        if self._small:
            outcome["attached"] = self._small
        if self._left:
            for left in self._left.values():
                publish(left)
            outcome["left"] = self._left


def attach(name: str, content: bytes | str | os.PathLike[str], keep: Keep | None) -> None:
    """Hands bytes, or those of a file, to ``keep``; without it they are only looked at.

    Raises:
        TypeError: ``name`` is no text, or ``content`` neither bytes nor a path.
        ValueError: ``name`` could not be the name of a file everywhere, or ``content`` is the
            path of what is no file.
        FileNotFoundError: there is no such file.
        OSError: it cannot be read.
    """
    _check_name(name)
    if isinstance(content, bytes | bytearray | memoryview):
        if keep is not None:
            keep(name, bytes(content))
    elif isinstance(content, str | os.PathLike):
        with _opened(name, content) as file:
            if keep is not None:
                keep(name, file)
    else:
        raise TypeError(
            f"attach({name!r}, bytes_or_path): bytes_or_path must be bytes, or the path of a "
            f"file, got a {type(content).__name__}; anything else can be returned in the "
            "result's 'attachments'"
        )


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"attach(name, ...): name must be text, got a {type(name).__name__}")
    # Whoever exports attachments makes files of them, on whatever system.
    parts = re.split(r"[/\\]", name)
    problem = ""
    if "" in parts or ".." in parts or "." in parts:
        problem = "each part of it between slashes must be a name, and none is '.' or '..'"
    elif _CONTROL.search(name) or any("\ud800" <= letter <= "\udfff" for letter in name):
        problem = "it must hold no control character, and no half of a character"
    elif len(name) > _LONGEST_NAME:
        problem = f"it may have {_LONGEST_NAME} characters"
    if problem:
        raise ValueError(
            f"attach(name, ...): name must be one such as 'log.txt' or 'plots/roc.png', got "
            f"{name[:80]!r}; {problem}"
        )


def _opened(name: str, path: str | os.PathLike[str]) -> BinaryIO:
    what = f"attach({name!r}, bytes_or_path): bytes_or_path"
    text = " To attach text, write text.encode()" if isinstance(path, str) else ""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno, f"{what} names no file on this machine.{text}", os.fspath(path)
        ) from None
    except ValueError:  # a null byte, or half of a character
        raise ValueError(f"{what} can name no file.{text}") from None
    # A folder cannot be read; a device or a pipe may have no end.
    if not stat.S_ISREG(mode):
        raise ValueError(f"{what} must be the path of a file, and {path!r} is none.{text}")
    return open(path, "rb")
