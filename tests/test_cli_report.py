"""``sparktuner report`` writes a page about the trials in stores and save files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparktuner import Trials, fmin, hp
from sparktuner.cli import main


def test_a_save_file_becomes_a_page(
    saved_search: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "search.html"
    assert main(["report", str(out), "--file", saved_search]) == 0
    assert "hp.uniform" in out.read_text()
    assert f"wrote {out}" in capsys.readouterr().err


def test_an_experiment_of_a_store_becomes_a_page(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/tuning.db"
    trials = Trials(store=url, exp_key="digits")
    fmin(abs, hp.uniform("x", -1, 1), max_evals=4, trials=trials, verbose=False)
    out = tmp_path / "search.html"
    assert main(["report", "--store", url, "--exp-key", "digits", str(out)]) == 0
    assert "<title>Search digits</title>" in out.read_text()
    assert main(["report", "--store", url, "--exp-key", "other", str(out)]) == 3


def test_what_cannot_be_done_is_said(
    saved_search: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--file", saved_search, str(tmp_path)]) == 1
    assert "path must be the name of a file" in capsys.readouterr().err
    assert main(["report", "--file", saved_search, str(tmp_path / "none" / "search.html")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert main(["report", "--file", str(tmp_path / "none"), "search.html"]) == 3
    assert "there is no file" in capsys.readouterr().err
