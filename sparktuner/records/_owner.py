"""The names of owners: where each lives, and whether it is known to be gone."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
import uuid
from contextlib import suppress


def new_owner(exp_key: str | None) -> str:
    """Returns the name of a new owner: host, process, place, experiment, and a random number.

    The place is the running system and its space of process numbers, so that of two hosts of
    one name, or two containers, none takes the other's processes for its own.
    """
    host = socket.gethostname().replace(":", "-")
    return f"{host}:{os.getpid()}:{_place()}:{_digest(str(exp_key))}:{uuid.uuid4().hex[:12]}"


def is_gone(owner: str) -> bool:
    """Returns whether an owner's process was one of this place, and is there no more."""
    parts = owner.split(":")
    # Windows ends a process that it is asked about in this way.
    if len(parts) != 5 or os.name != "posix" or parts[2] != _place():
        return False
    try:
        os.kill(int(parts[1]), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return False


def searches(owner: str, exp_key: str | None) -> bool:
    """Returns whether an owner may work on an experiment; None works on all."""
    parts = owner.split(":")
    mine = {_digest(str(exp_key)), _digest("None")}
    return exp_key is None or len(parts) != 5 or parts[3] in mine


@functools.cache
def _place() -> str:
    known = [socket.gethostname()]
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        known.append(file.read())
    with suppress(OSError):
        known.append(os.readlink("/proc/self/ns/pid"))
    return _digest("\n".join(known))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
