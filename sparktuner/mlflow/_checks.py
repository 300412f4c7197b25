"""Checks of what users name: experiments, servers, files."""

from __future__ import annotations

import os

from sparktuner.checks import check_text, shown


def check_name(name: str, value: object) -> None:
    """Refuses what no server can be asked for by this name; None is none.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        TypeError: ``value`` is no text.
        ValueError: it is empty, or cannot be sent.
    """
    check_text(name, value)
    if value is None:
        return
    if not str(value).strip() or not can_be_sent(str(value)):
        raise ValueError(
            f"{name} must be None or a text that is not empty and can be sent as UTF-8, "
            f"got {shown(value)}"
        )


def can_be_sent(text: str) -> bool:
    """Returns whether a text can be written as UTF-8; half of a pair of surrogates cannot."""
    return text.encode(errors="replace").decode() == text


def check_file(name: str, value: object) -> None:
    """Refuses what names no file.

    Args:
        name: of the argument, for the message.
        value: what was given.

    Raises:
        TypeError: ``value`` is no path.
    """
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} must be a file's path, got {shown(value)}")
