"""Drivers with SparkTrials that are killed at random moments of a search, and started again.

``python -m tests.faults.crash_spark URL KILLS [DRIVERS]`` kills them so often; the store has to
have exactly the trials that were asked for in the end, and all that was reported.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sparktuner import SparkTrials, fmin, hp, rand
from sparktuner.testing import local_spark
from tests.faults.crashing import TRIALS, Reported, check, objective

_EXPERIMENT = "on spark"


def drive(url: str, reported: Path) -> None:
    """One driver's part, as long as it lives."""
    with local_spark(4) as spark:
        fmin(
            objective,
            hp.uniform("x", -1, 1),
            algo=rand.suggest,
            max_evals=TRIALS,
            trials=SparkTrials(4, spark_session=spark, store=url, exp_key=_EXPERIMENT),
            callbacks=[Reported(reported)],
            verbose=False,
        )


def kill_until_done(url: str, kills: int, folder: Path, drivers: int = 1) -> int:
    """Returns how many drivers were killed before all came to the end."""
    reported = folder / "reported"
    reported.touch()
    rng = random.Random(kills)
    command = [sys.executable, "-m", __spec__.name, url, "drive", str(reported)]
    running = [subprocess.Popen(command) for _ in range(drivers)]
    killed = 0
    while running:
        # By their progress, as Spark takes a while to start: a few trials on, at a random moment.
        goal = _lines(reported) + rng.randrange(TRIALS // (kills + 1))
        while all(d.poll() is None for d in running) and (
            killed >= kills or _lines(reported) <= goal
        ):
            time.sleep(0.02)
        time.sleep(rng.uniform(0.0, 0.1))
        ended = [driver for driver in running if driver.poll() is not None]
        for driver in ended:
            assert driver.returncode == 0, f"a driver ended with code {driver.returncode}"
            running.remove(driver)
        if not ended:
            victim = rng.choice(running)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            running[running.index(victim)] = subprocess.Popen(command)
            killed += 1
    check(url, _EXPERIMENT, reported)
    return killed


def _lines(reported: Path) -> int:
    return reported.read_text().count("\n")


if __name__ == "__main__":
    store, what, *rest = sys.argv[1:]
    if what == "drive":
        drive(store, Path(rest[0]))
    else:
        with tempfile.TemporaryDirectory() as name:
            killed = kill_until_done(store, int(what), Path(name), *map(int, rest))
            print(killed, "drivers were killed")  # noqa: T201
