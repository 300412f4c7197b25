"""What an objective can ask about its trial."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from sparktuner import SparkTrials, ThreadTrials, Trials, current_trial, fmin, hp, rand
from sparktuner.execute import Ended, Finished, Submission
from sparktuner.execute.spark import make_executor


def seeds(trials: Trials, rstate: int) -> dict[int, int]:
    def objective(x: float) -> dict[str, Any]:
        trial = current_trial()
        return {"loss": x, "status": "ok", "seen": (trial.tid, trial.seed)}

    x = hp.uniform("x", 0, 1)
    fmin(objective, x, rand.suggest, max_evals=4, trials=trials, rstate=rstate, verbose=False)
    assert [t["tid"] for t in trials.trials] == [t["result"]["seen"][0] for t in trials.trials]
    return dict(t["result"]["seen"] for t in trials.trials)


def test_seeds_are_tied_to_rstate_and_the_trial_wherever_it_runs() -> None:
    serial = seeds(Trials(), 1)
    assert len(set(serial.values())) == 4
    assert seeds(ThreadTrials(parallelism=3), 1) == serial
    assert not set(seeds(Trials(), 2).values()) & set(serial.values())


def test_seeds_on_spark_are_those_of_a_serial_search(spark: Any) -> None:
    assert seeds(SparkTrials(parallelism=3, spark_session=spark), 1) == seeds(Trials(), 1)


def test_an_objective_that_is_called_by_hand_runs_in_a_trial_without_a_number() -> None:
    def objective(x: float) -> float:
        trial = current_trial()
        return float(np.random.default_rng(trial.seed).normal(x)) + len(trial.addresses)

    assert objective(1.0) == objective(1.0)
    seeds(Trials(), 1)
    assert (current_trial().tid, current_trial().seed, current_trial().attempt) == (None, 0, 0)


def test_a_trial_that_is_run_again_keeps_its_seed_and_knows_its_attempt(
    spark: Any, tmp_path: Path
) -> None:
    marker = tmp_path / "seed"

    def objective(config: Any) -> Any:
        trial = current_trial()
        if trial.attempt == 0:
            marker.write_text(str(trial.seed))
            os._exit(1)
        return trial.attempt, trial.seed

    with make_executor(spark, objective, 1) as executor:
        executor.submit(Submission(0, None, seed=99))
        events: list[Any] = []
        while not events or not isinstance(events[-1], Ended):
            events += executor.wait(60)
    assert isinstance(events[-1], Finished)
    assert events[-1].value == (1, 99)
    assert marker.read_text() == "99"
