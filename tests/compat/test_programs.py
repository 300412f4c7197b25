"""Programs as Hyperopt's users write them run unchanged, and see the same shapes and types.

Each is run with sparktuner in the place of hyperopt. Where the environment variable
``HYPEROPT_PYTHON`` names an interpreter that has hyperopt 0.3.0, each is run with that too and
must observe the same; else what hyperopt observed is read from ``expected.json``, which
``HYPEROPT_PYTHON=... python -m tests.compat.record`` writes.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.compat.alias import hyperopt_is_sparktuner
from tests.compat.observe import observe

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "programs").glob("*.py"))
ON_SPARK = {"parallel_on_spark"}
EXPECTED = json.loads((HERE / "expected.json").read_text())


def with_hyperopt(program: Path) -> Any:
    """What hyperopt shows this program: asked now, or recorded."""
    python = os.environ.get("HYPEROPT_PYTHON")
    if python is None:
        return EXPECTED[program.stem]
    done = subprocess.run(
        [python, HERE / "observe.py", program],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "program", [p for p in PROGRAMS if p.stem not in ON_SPARK], ids=lambda p: p.stem
)
def test_a_program_sees_what_it_saw_with_hyperopt(program: Path) -> None:
    with hyperopt_is_sparktuner():
        ours = observe(program)
    assert ours == with_hyperopt(program)


@pytest.mark.parametrize(
    "program", [p for p in PROGRAMS if p.stem in ON_SPARK], ids=lambda p: p.stem
)
def test_a_program_runs_on_spark(program: Path, spark: Any) -> None:
    # hyperopt's own SparkTrials hangs in the early stop: what is expected is written down.
    with hyperopt_is_sparktuner():
        ours = observe(program)
    assert ours == EXPECTED[program.stem]


def test_each_program_has_its_record_and_each_record_its_program() -> None:
    assert set(EXPECTED) == {program.stem for program in PROGRAMS}
