"""Files that a trial leaves on its worker's disk, until the driver has taken them piece by piece.

Neither the driver nor its JVM may hold a large file whole, and Spark hands over what a task
returns whole. So each piece is what a task of its own returns, which finds the file by its name.
"""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import uuid
from contextlib import suppress
from typing import BinaryIO, TypedDict

# What one task returns of a file.
LEFT_PIECE = 2**22

_PREFIX = "sparktuner-left"
_COPIED = 2**20


class LeftFile(TypedDict):
    """A file on a worker's disk.

    Attributes:
        path: where it is, without the number of the next piece, with which its name ends.
        size_bytes: how long it is.
    """

    path: str
    size_bytes: int


def leave(beginning: bytes, rest: BinaryIO | None = None) -> LeftFile:
    """Writes a file of its own; :func:`publish` lets the driver take it.

    Where the process is killed before, another one that leaves a file removes it.

    Raises:
        OSError: the disk is full.
    """
    folder = _folder()
    _sweep(folder)
    path = os.path.join(folder, f"{_PREFIX}-{os.getpid()}-{uuid.uuid4().hex}")
    with open(f"{path}.part", "xb") as file:
        try:
            file.write(beginning)
            if rest is not None:
                shutil.copyfileobj(rest, file, _COPIED)
            size_bytes = file.tell()
        except BaseException:
            os.unlink(file.name)
            raise
    return {"path": path, "size_bytes": size_bytes}


def publish(left: LeftFile) -> None:
    """Lets :func:`take` find the file."""
    os.rename(f"{left['path']}.part", f"{left['path']}.0")


def forget(left: LeftFile) -> None:
    """Removes a file that was not published."""
    os.unlink(f"{left['path']}.part")


def take(path: str, number: int, is_last: bool) -> bytes:
    """Returns a piece of a file; empty where it is not on this machine, or another task was first.

    The pieces are taken in their order, and the file is gone after the last one.
    """
    # Of all tasks that look for it on one machine, one can rename it, and has the piece.
    mine = f"{path}.{number + 1}"
    try:
        os.rename(f"{path}.{number}", mine)
    except FileNotFoundError:
        return b""
    with open(mine, "rb") as file:
        file.seek(number * LEFT_PIECE)
        piece = file.read(LEFT_PIECE)
    if is_last:
        os.unlink(mine)
    return piece


def _folder() -> str:
    """The roomiest of the folders that Spark removes when the executor or application ends."""
    folders = filter(os.path.isdir, os.environ.get("SPARK_LOCAL_DIRS", "").split(","))
    return max(folders, key=lambda each: shutil.disk_usage(each).free, default=None) or (
        tempfile.gettempdir()
    )


def _sweep(folder: str) -> None:
    """Removes what processes left that were killed, as those of cancelled trials are."""
    for path in glob.glob(os.path.join(glob.escape(folder), f"{_PREFIX}-*.part")):
        pid = int(os.path.basename(path).removeprefix(f"{_PREFIX}-").partition("-")[0])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):
                os.unlink(path)
        except OSError:  # another user's, which lives
            continue
