"""A file that one process at a time writes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sparktuner.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows, where the file is not locked
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a file in the block; the system lets go when the process ends.

    Raises:
        StoreError: another search holds it; the message says who.
    """
    if fcntl is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the file, because the file itself may be replaced.
    lock = path.with_name(f".{path.name}.lock")
    with _opened(lock, path) as file:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                os.unlink(lock)


def _opened(lock: Path, path: Path) -> IO[str]:
    """The lock's file, held by this process."""
    while True:
        file = lock.open("a+", encoding="utf-8")
        try:
            _lock(file, path)
            # Whoever held it before may have removed it between the two lines above.
            if lock.exists() and os.path.samestat(os.stat(lock), os.fstat(file.fileno())):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise StoreError(
            f"{path} is held by another search ({file.read()}), which would overwrite it; wait "
            "for its end, name another file, or use a store that several share, such as "
            "store='sqlite:///tuning.db'"
        ) from None
    except OSError:
        return  # a file system that knows no locks
