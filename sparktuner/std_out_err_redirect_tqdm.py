"""Hyperopt's import path for prints that do not tear a progress bar."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TextIO


class DummyTqdmFile:
    """A file of text whose lines go above the progress bar."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, x: str) -> None:
        """Writes a line above the bar; what is blank only is left out."""
        from tqdm import tqdm

        if x.rstrip():
            tqdm.write(x.rstrip("\n"), file=self.file)

    def flush(self) -> None:
        """Flushes the file below."""
        self.file.flush()


@contextlib.contextmanager
def std_out_err_redirect_tqdm() -> Iterator[TextIO]:
    """Sends what is printed inside the block above the progress bar.

    Yields:
        The output as it was, for the bar itself: ``tqdm(..., file=it)``.
    """
    before = sys.stdout
    # redirect_stdout asks for no more of a file than what prints do with it.
    with (
        contextlib.redirect_stdout(DummyTqdmFile(sys.stdout)),  # type: ignore[type-var]
        contextlib.redirect_stderr(DummyTqdmFile(sys.stderr)),  # type: ignore[type-var]
    ):
        yield before
