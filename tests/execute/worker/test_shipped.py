"""What is shipped to the workers: all of ``execute.worker``, and nothing else of sparktuner."""

from __future__ import annotations

import pickletools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sparktuner.execute import worker

ENTRIES: tuple[Any, ...] = (
    worker.serve,
    worker.current_trial,
    worker.LoggedObjective,
    worker.run_classic_task,
    worker.run_connect_task,
    worker.worker_facts,
)


def texts(pickled: bytes) -> set[str]:
    return {arg for _, arg, _ in pickletools.genops(pickled) if isinstance(arg, str)}


def test_every_module_of_the_package_is_shipped() -> None:
    shipping = pytest.importorskip("sparktuner.execute.spark._shipping")
    named = set().union(*(texts(shipping.pickle_by_value(entry)) for entry in ENTRIES))
    files = {path.stem for path in Path(worker.__file__).parent.glob("_[a-z]*.py")}
    assert {f"sparktuner.execute.worker.{name}" for name in files} <= named


def test_what_travels_with_each_trial_is_small() -> None:
    shipping = pytest.importorskip("sparktuner.execute.spark._shipping")
    for entry in (worker.run_classic_task, worker.run_connect_task):
        assert len(shipping.pickle_by_value(entry)) < 8_000


def test_importing_it_does_not_import_pyspark() -> None:
    program = "import sys, sparktuner.execute.worker; print('pyspark' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
