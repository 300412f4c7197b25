"""How what an objective in this process attaches reaches the driver's loop."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from typing import BinaryIO, cast

from sparktuner.execute._protocol import Attached, Posted, Tid
from sparktuner.execute.worker import Keep

# A file of up to this many bytes is taken into memory, a larger one copied on the disk.
_SMALL = 2**20


def posting(post: Callable[[Posted], None], tid: Tid) -> Keep:
    """Returns what keeps a trial's attachments: it posts each of them as it comes."""
    return lambda name, content: post(Attached(tid, name, _own(content)))


def unnamed_file() -> BinaryIO:
    """Returns a temporary file that is gone when it is closed, or this process ends."""
    return cast(BinaryIO, tempfile.TemporaryFile(prefix="sparktuner-"))


def _own(content: bytes | BinaryIO) -> bytes | BinaryIO:
    """What stays as it is when the user's file changes."""
    if isinstance(content, bytes):
        return content
    beginning = content.read(_SMALL + 1)
    if len(beginning) <= _SMALL:
        return beginning
    copy = unnamed_file()
    copy.write(beginning)
    shutil.copyfileobj(content, copy, _SMALL)
    copy.flush()
    return copy
