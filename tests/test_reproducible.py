"""The same seed, the same trials, whatever number of slots serves the window."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sparktuner import SparkTrials, current_trial, fmin, hp, tpe
from tests.connect_server import ConnectServer
from tests.faults.test_classic_faults import in_new_process

SPACE = {
    "x": hp.uniform("x", -5, 5),
    "m": hp.choice("m", [0, {"y": hp.lognormal("y", 0, 1)}]),
}


def search(session: Any) -> list[Any]:
    """The trials of a search in a window of 8, as JSON has them."""

    def objective(config: Any) -> float:
        trial = current_trial()
        time.sleep(trial.seed % 5 / 20)  # results come in another order than trials go
        other = config["m"]["y"] if config["m"] else 1.0
        return float(config["x"] ** 2 + other + trial.seed / 2**40)

    trials = SparkTrials(parallelism=8, spark_session=session)
    algo = partial(tpe.suggest, n_startup_jobs=4)
    fmin(objective, SPACE, algo, 24, trials=trials, rstate=7, reproducible=True, verbose=False)
    documents = [[t["tid"], t["misc"]["vals"], t["result"]["loss"]] for t in trials.trials]
    assert len(documents) == 24
    found: list[Any] = json.loads(json.dumps(documents))
    return found


@pytest.fixture(scope="module")
def on_classic() -> list[list[Any]]:
    """What a session with one slot finds, and then one with eight."""
    answer = in_new_process(
        """
import json
from tests.test_reproducible import search
for cores in (1, 8):
    with local_spark(cores) as session:
        print(json.dumps(search(session)), flush=True)
"""
    )
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(found) == 2, answer.stderr[-3000:]
    return found


@pytest.mark.spark
def test_on_classic_one_slot_and_eight_give_the_same_trials(on_classic: list[list[Any]]) -> None:
    assert on_classic[0] == on_classic[1]


@pytest.mark.spark
@pytest.mark.service
@pytest.mark.parametrize("cores", [1, 8])
def test_on_connect_one_slot_and_eight_give_the_trials_that_classic_gives(
    cores: int, on_classic: list[list[Any]], tmp_path: Path
) -> None:
    server = ConnectServer(tmp_path, f"local[{cores}]")
    try:
        session = server.session()
        assert search(session) == on_classic[0]
        session.client.close()
    finally:
        server.kill()
