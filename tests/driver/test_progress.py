"""The progress bar on a terminal."""

from __future__ import annotations

import logging
import sys

import pytest

from sparktuner.driver import tqdm_bar


def test_a_line_of_the_log_does_not_go_on_where_the_bar_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = logging.getLogger("sparktuner")
    handler = logging.StreamHandler(sys.stderr)
    log.addHandler(handler)
    try:
        with tqdm_bar(0, 4) as bar:
            bar.update(1)
            log.warning("a line")
        log.warning("another")
    finally:
        log.removeHandler(handler)
    told = capsys.readouterr().err
    before = told[: told.index("a line")]
    # The cursor is at the beginning of a line that was blanked.
    assert before.endswith("\r")
    assert before.rstrip("\r").rpartition("\r")[2].strip() == ""
    assert log.filters == []
