"""Type checkers see sparktuner's types in a user's script, and find the user's mistakes."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# How many of the thirteen mistakes a checker must find.
LEAST = 12


def run(*command: str, cwd: Path) -> str:
    """What a checker prints; its exit code says only whether it found something."""
    answer = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode in (0, 1), answer.stdout + answer.stderr
    return answer.stdout


def mypy(script: Path, cache: Path) -> dict[int, str]:
    """Each line of a script that mypy refuses, and why; by no configuration but its own."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file="]
    output = run(*command, f"--cache-dir={cache}", str(script), cwd=script.parent)
    found = re.findall(r"^[^\n:]+:(\d+): error: (.*)$", output, re.MULTILINE)
    return {int(line): text for line, text in found}


def pyright(script: Path, cache: Path) -> dict[int, str]:
    """Each line of a script that pyright refuses, and why; in its own strictness."""
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed; it comes with the extra [test]")
    # A script alone is read with the settings of the folder that pyright is started in.
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    try:
        answer = json.loads(run(*command, str(script), cwd=script.parent))
    except (AssertionError, json.JSONDecodeError, subprocess.TimeoutExpired) as error:
        # It is a program for Node, which its package fetches on first use.
        pytest.skip(f"pyright cannot run here: {error}")
    return {
        found["range"]["start"]["line"] + 1: found["message"]
        for found in answer["generalDiagnostics"]
        if found["severity"] == "error"
    }


checkers = pytest.mark.parametrize("check", [mypy, pyright])
Check = Callable[[Path, Path], dict[int, str]]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which mypy keeps what it has found of sparktuner for the second script."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """Copies a script away from here: beside sparktuner's source no checker needs its marker."""
    return lambda name: Path(shutil.copy(HERE / name, tmp_path))


@checkers
def test_a_correct_script_has_no_error(
    check: Check, script: Callable[[str], Path], cache: Path
) -> None:
    assert check(script("correct.py"), cache) == {}


@checkers
def test_mistakes_in_a_script_are_found_where_they_are(
    check: Check, script: Callable[[str], Path], cache: Path
) -> None:
    lines = (HERE / "mistakes.py").read_text().splitlines()
    planted = {i for i, line in enumerate(lines, start=1) if "# mistake" in line}
    assert len(planted) == 13
    found = check(script("mistakes.py"), cache)
    assert found.keys() <= planted, found
    assert len(found) >= LEAST, [lines[i - 1] for i in planted - found.keys()]
