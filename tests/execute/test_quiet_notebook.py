"""What Spark and its local workers print stays out of a notebook's cells."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.execute_notebook import execute

SEARCH = """
import logging, sys
logging.basicConfig(stream=sys.stdout)
logging.getLogger("sparktuner").setLevel(logging.INFO)
from sparktuner import SparkTrials, fmin, hp, rand
import time

def objective(x):
    print("printed by an objective")
    print("complained of by an objective", file=sys.stderr)
    time.sleep(0.2 if x < 1 else 60)
    return x

# What is slow the first time shall not use up the time of the search.
fmin(abs, hp.uniform("x", 0, 1), algo=rand.suggest, max_evals=4, trials=SparkTrials(parallelism=4),
     verbose=False)
fmin(objective, hp.uniform("x", 0, 1.2), algo=rand.suggest, max_evals=12, rstate=0, timeout=12,
     trials=SparkTrials(parallelism=4), verbose=False)
print("done")
"""


@pytest.mark.spark
def test_prints_of_workers_do_not_reach_the_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With it a kernel does not show what other processes write, as it does for users.
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(SEARCH),
            nbformat.v4.new_code_cell(
                "from pyspark.sql import SparkSession\n"
                "SparkSession.getActiveSession().stop()\nimport time\ntime.sleep(2)"
            ),
        ]
    )
    path = tmp_path / "search.ipynb"
    nbformat.write(notebook, path)
    outputs = [o for cell in execute(path).cells for o in cell.outputs]
    text = "".join(output.get("text", "") for output in outputs)
    assert "done" in text
    assert "by an objective" not in text
    for noise in ("BrokenPipeError", " WARN ", "log4j", "Traceback"):
        assert noise not in text
    [name] = {word for word in text.split() if word.endswith(".log")}
    kept = Path(name).read_text()
    assert "printed by an objective" in kept
    assert "complained of by an objective" in kept
    Path(name).unlink()
