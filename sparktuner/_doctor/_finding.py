"""What is said of one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sparktuner._doctor._secrets import without_secrets


class State(Enum):
    """Whether a thing is in order."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """What is said of one thing.

    Attributes:
        check: the thing.
        state: whether it is in order.
        message: what it is, or what to do about it.
    """

    check: str
    state: State
    message: str


def found(check: str, look: Callable[[], str], url: str = "") -> Finding:
    """Returns what a look at a thing finds; what it raises is what is broken.

    Args:
        check: the thing.
        look: returns what it is, in words.
        url: whose secrets are left out of the message.
    """
    try:
        return Finding(check, State.OK, without_secrets(look(), url))
    except Exception as error:  # the thing's own: drivers and libraries raise what they like
        return broken(check, error, url)


def broken(check: str, error: Exception, url: str = "") -> Finding:
    """Returns a finding of what went wrong, as one line without the secrets of a URL."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    message = without_secrets(" ".join(lines) or type(error).__name__, url)
    return Finding(check, State.BROKEN, message)
