"""``sparktuner plot`` writes pictures of the trials in stores and save files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sparktuner import fmin, hp
from sparktuner.cli import main

pytest.importorskip("matplotlib")


def is_dark(path: Path) -> bool:
    import matplotlib.pyplot as plt

    return float(plt.imread(path)[0, 0, :3].sum()) < 0.1


@pytest.mark.parametrize("kind", ["slice", "contour"])
def test_a_plot_is_written_in_the_format_of_the_ending(
    saved_search: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plot.svg"
    assert main(["plot", "--file", saved_search, "--kind", kind, str(out)]) == 0
    assert out.read_text().lstrip().startswith("<?xml")
    assert f"wrote {out}" in capsys.readouterr().err


def test_the_overview_is_light_unless_it_is_to_be_dark(saved_search: str, tmp_path: Path) -> None:
    light, dark = tmp_path / "light.png", tmp_path / "dark.png"
    assert main(["plot", "--file", saved_search, str(light)]) == 0
    assert main(["plot", "--file", saved_search, "--dark", str(dark)]) == 0
    assert is_dark(dark) and not is_dark(light)


def test_a_store_is_drawn_too(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    from sparktuner import Trials

    url = f"sqlite:///{tmp_path}/tuning.db"
    trials = Trials(store=url, exp_key="digits")
    fmin(abs, hp.uniform("x", -1, 1), max_evals=4, trials=trials, verbose=False)
    out = tmp_path / "plot.png"
    command = ["plot", "--store", url, "--kind", "history", str(out)]
    assert main([*command, "--exp-key", "digits"]) == 0
    assert out.stat().st_size > 1000
    assert main([*command, "--exp-key", "other"]) == 3


def test_what_cannot_be_done_is_said(
    saved_search: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "--file", saved_search, "plot.doc"]) == 1
    assert "OUT must end in one of" in capsys.readouterr().err
    assert main(["plot", "--file", saved_search, str(tmp_path / "none" / "plot.png")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert main(["plot", "--file", str(tmp_path / "none"), "plot.png"]) == 3


def test_a_missing_matplotlib_is_named_with_what_brings_it(
    saved_search: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["plot", "--file", saved_search, "plot.png"]) == 1
    assert "pip install 'sparktuner[plot]'" in capsys.readouterr().err


def test_help_imports_no_matplotlib() -> None:
    program = (
        "import sys\nfrom sparktuner.cli import main\n"
        "try:\n    main(['plot', '--help'])\nexcept SystemExit:\n    pass\n"
        "print('matplotlib' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.endswith("False\n") and "overview" in answer.stdout
