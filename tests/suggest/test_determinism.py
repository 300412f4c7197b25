"""The same seed gives the same suggestion in any process, on any number of threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sparktuner import atpe, tpe
from tests.suggest.searches import Search, any_loss, choice, parameter

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


@pytest.mark.parametrize("algorithm", [tpe, atpe], ids=["tpe", "atpe"])
def test_a_space_of_238_parameters_is_searched(algorithm: object) -> None:
    """As wide as the one of Bergstra, Yamins, Cox (2013)."""
    space = {}
    for i in range(34):
        on = {f"{name}{i}": parameter(f"{name}{i}", name) for name in ("uniform", "randint")}
        more = {f"{name}{i}": parameter(f"{name}{i}", name) for name in ("loguniform", "choice")}
        off = {f"o{i}": parameter(f"o{i}", "normal"), f"p{i}": parameter(f"p{i}", "quniform")}
        space[f"m{i}"] = choice(f"m{i}", [on, {**more, **off}])
    search = Search(space)
    assert len(search.domain.space.columns) == 238
    search.run(algorithm.suggest, 25, any_loss)  # type: ignore[attr-defined]
    start = time.process_time()
    search.ask(algorithm.suggest, 1)  # type: ignore[attr-defined]
    # Typically 30 to 100 ms of processor time; this only catches what is wrong by far.
    assert time.process_time() - start < 2
    assert np.isfinite(search.history(search.domain.space).losses).all()
