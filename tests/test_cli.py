"""``sparktuner demo`` tunes a model, and says in one sentence what is missing if it cannot."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import sparktuner
from sparktuner import space_eval
from sparktuner._demo import BASELINE, SPACE, busy_share, make_pipeline
from sparktuner.cli import main
from sparktuner.pyll.stochastic import sample


def run_in_process(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own, with no Java but what ``environment`` names."""
    kept = {k: v for k, v in os.environ.items() if k not in ("JAVA_HOME", "SPARK_REMOTE")}
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**kept, **environment},
        check=False,
    )


DEMO = "import sys; from sparktuner.cli import main; sys.exit(main(['demo']))"


def make_java(folder: Path, answer: str) -> str:
    """A JAVA_HOME whose java answers -version so."""
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{answer}' >&2\n")
    java.chmod(0o755)
    return str(folder)


def test_without_java_it_says_which_versions_serve_and_how_to_install_one(tmp_path: Path) -> None:
    answer = run_in_process(DEMO, PATH=str(tmp_path))
    assert answer.returncode == 1
    assert "Java was not found" in answer.stderr
    assert re.search(r"needs Java .*17", answer.stderr)
    assert "apt-get install openjdk-17" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_with_a_java_too_old_it_names_it_and_what_serves(tmp_path: Path) -> None:
    home = make_java(tmp_path, 'openjdk version "1.8.0_392"')
    answer = run_in_process(DEMO, JAVA_HOME=home)
    assert answer.returncode == 1
    # pyspark 3.5 runs on Java 8, and then fails over this one, which only speaks.
    assert f"{home}/bin/java is Java 8" in answer.stderr
    assert re.search(r"needs Java .*17", answer.stderr)
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("package", "extra"), [("sklearn", "sparktuner[demo]"), ("pyspark", "sparktuner[spark]")]
)
def test_a_missing_package_is_named_with_its_extra(package: str, extra: str) -> None:
    answer = run_in_process(f"import sys; sys.modules[{package!r}] = None\n{DEMO}")
    assert answer.returncode == 1
    assert f"pip install '{extra}'" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "option",
    [["--parallelism", "0"], ["--evaluations", "0"], ["--seed", "-1"], ["--evaluations", "many"]],
)
def test_an_option_out_of_range_is_refused(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["demo", *option])
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert f"argument {option[0]}: expected an integer of at least" in message


def test_without_a_command_it_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "demo" in capsys.readouterr().out


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == sparktuner.__version__


def test_the_demo_ends_with_scores_parameters_and_where_the_trials_are(
    spark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save = tmp_path / "trials.pkl"
    arguments = ["demo", "--parallelism", "2", "--seed", "3", "--save", str(save)]
    assert main([*arguments, "--evaluations", "4"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"baseline: .* 0\.9\d+ +0\.9\d+\n", said)
    assert re.search(r"best of 4 trials: .* \d\.\d{4} +\d\.\d{4}\n", said)
    assert "'kind': " in said
    assert 0 < int(re.search(r"busy: (\d+)%", said).group(1)) <= 100  # type: ignore[union-attr]
    assert f"trials saved in {save}" in said
    saved = pickle.loads(save.read_bytes())
    assert space_eval(SPACE, saved.argmin)["model"]["kind"] in said

    assert main([*arguments, "--evaluations", "5"]) == 0
    assert "best of 5 trials" in capsys.readouterr().out
    assert len(pickle.loads(save.read_bytes())) == 5


@pytest.mark.spark
def test_a_cluster_that_cannot_be_reached_is_one_sentence() -> None:
    program = DEMO.replace("'demo'", "'demo', '--master', 'nonsense://nowhere'")
    answer = run_in_process(program)
    assert answer.returncode == 1
    assert "sparktuner demo: No Spark session could be started" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("seed", range(20))
def test_every_configuration_of_the_demo_makes_a_pipeline(seed: int) -> None:
    pipeline = make_pipeline(sample(SPACE, rng=seed))
    assert list(pipeline.named_steps) == ["scale", "reduce", "model"]


def test_the_baseline_is_a_pipeline_too() -> None:
    assert "LogisticRegression" in repr(make_pipeline(BASELINE))


def ran(start: float, duration: float) -> dict[str, Any]:
    noon = datetime(2026, 1, 1, 12)
    began = noon + timedelta(seconds=start)
    return {"misc": {"execution": {"started": began, "duration": duration}}}


def test_the_busy_share_is_what_the_slots_did_between_first_start_and_last_end() -> None:
    assert busy_share([ran(0, 10), ran(0, 5)], parallelism=2) == pytest.approx(0.75)


def test_the_busy_share_leaves_out_the_time_between_a_search_and_its_resumption() -> None:
    trials = [ran(0, 10), ran(3600, 10)]
    assert busy_share(trials, parallelism=1) == pytest.approx(1.0)


def test_trials_that_never_ran_keep_no_slot_busy() -> None:
    assert busy_share([{"misc": {}}], parallelism=4) == 0.0
