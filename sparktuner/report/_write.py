"""Writes the page into a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sparktuner.checks import shown
from sparktuner.report._data import report_data
from sparktuner.report._page import page
from sparktuner.trials import Trials


def write_report(trials: Trials, path: str | os.PathLike[str]) -> None:
    """Writes one page about trials, which any browser opens without a network.

    A page that is there is replaced when the new one is whole.

    Args:
        trials: of a search that has ended, or runs.
        path: the file, such as ``"search.html"``.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: ``path`` is no name of a file.
        OSError: the file cannot be written.
    """
    target = _checked(path)
    text = page(report_data(trials))
    # Lone surrogates in somebody's text are no UTF-8; the page says that something was there.
    content = text.encode("utf-8", "replace")
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp's files are for the owner alone; this one is as open would make it.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(beside, 0o666 & ~mask)
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise


def _checked(path: object) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"path must be the name of a file, such as 'search.html', got {shown(path)}"
        )
    text = os.fspath(path)
    if not isinstance(text, str) or not text or "\0" in text or Path(text).is_dir():
        raise ValueError(
            f"path must be the name of a file, such as 'search.html', got {shown(path)}"
        )
    return Path(text)
