"""The same seed gives the same suggestion in any process, on any number of threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import json
from sparktuner import {algorithm}
from tests.suggest.searches import Search, any_loss, conditional, everything, values
found = []
for space in (everything(), conditional()):
    search = Search(space)
    search.run({algorithm}.suggest, 40, any_loss)
    found += [values(document) for document in search.ask({algorithm}.suggest, 3, seed=9)]
print(json.dumps(found))
"""


@pytest.mark.parametrize("algorithm", ["tpe", "atpe"])
def test_processes_and_threads_change_nothing(algorithm: str) -> None:
    found = []
    for threads, hashes in (("1", "0"), ("4", "1")):
        environment = os.environ | {
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONHASHSEED": hashes,
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-c", PROGRAM.format(algorithm=algorithm)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]
