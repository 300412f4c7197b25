"""A search whose driver is killed at random moments, until it ends; and what must hold then."""

from __future__ import annotations

import functools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparktuner import Callback, ThreadTrials, fmin, hp, rand
from sparktuner.records import TrialDocument
from sparktuner.status import JOB_STATE_DONE
from sparktuner.stores import open_store

TRIALS = 200
KILLS_OF_ONE_SEARCH = 12


class Reported(Callback):
    """Writes down each trial that the search says has ended."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("ab", buffering=0)

    def on_trial_end(self, document: TrialDocument) -> None:
        if document["state"] == JOB_STATE_DONE:
            x = document["misc"]["vals"]["x"][0]
            self._file.write(
                f"{document['tid']} {x!r} {document['owner']} {document['version']}\n".encode()
            )


def objective(x: float) -> dict[str, Any]:
    time.sleep(0.005)
    return {"status": "ok", "loss": x, "attachments": {"note": str(x).encode()}}


def search(url: str, exp_key: str, reported: Path, **options: Any) -> None:
    """One driver's part, as long as it lives."""
    fmin(
        objective,
        hp.uniform("x", -1, 1),
        algo=rand.suggest,
        max_evals=TRIALS,
        trials=ThreadTrials(4, store=url, exp_key=exp_key),
        callbacks=[Reported(reported)],
        verbose=False,
        **options,
    )


def forked(work: Callable[[], object]) -> int:
    """Runs ``work`` in a child of this process, which has loaded everything already."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
        os._exit(1)


def crash_until_done(
    drivers: list[Callable[[], object]], rng: random.Random, most_kills: int
) -> int:
    """Runs drivers side by side; kills one now and then, and starts it again, until all end.

    Returns:
        How many were killed.
    """
    kills = 0
    running = {forked(work): work for work in drivers}
    try:
        while running:
            time.sleep(rng.uniform(0.02, 0.35))
            for child, work in list(running.items()):
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    del running[child]
                    assert status == 0, f"a driver failed with status {status}"
                elif kills < most_kills and rng.random() < 0.8:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    del running[child]
                    kills += 1
                    running[forked(work)] = work
    finally:
        for child in running:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return kills


def killed_again_and_again(url: str, drivers: int, kills: int, folder: Path) -> int:
    """Kills drivers in search after search, which are checked one by one.

    Returns:
        How many were killed; fewer than asked for where searches end before anybody is.
    """
    rng, killed = random.Random(drivers), 0
    for i in range(20 * kills):  # a quick search may end before anybody is killed
        if killed >= kills:
            break
        reported = folder / f"reported {i}"
        reported.touch()
        work = functools.partial(search, url, f"search {i}", reported)
        most = min(KILLS_OF_ONE_SEARCH, kills - killed)
        killed += crash_until_done([work] * drivers, rng, most)
        check(url, f"search {i}", reported)
    return killed


def check(url: str, exp_key: str, reported: Path) -> None:
    """Exactly the trials that were asked for, whole, and all that was reported."""
    store = open_store(url)
    documents, _ = store.load_since(None, exp_key)
    done = [d for d in documents if d["state"] == JOB_STATE_DONE]
    assert len(done) == len({d["tid"] for d in done}) == TRIALS
    # A trial whose drivers were all killed while they ran it is not run for ever.
    given_up = [d["misc"].get("error", ("nothing",))[0] for d in documents if d not in done]
    assert set(given_up) <= {"TrialLost"}
    documents = done
    by_tid = {d["tid"]: d for d in documents}
    for line in reported.read_text().splitlines():
        tid, x, *_ = line.split()
        assert by_tid[int(tid)]["misc"]["vals"]["x"] == [float(x)]
        assert by_tid[int(tid)]["result"]["loss"] == float(x)
    said = [line.split()[0] for line in reported.read_text().splitlines()]
    twice = [tid for tid, n in Counter(said).items() if n > 1]
    assert not twice, [(by_tid[int(tid)], said.count(tid)) for tid in twice]
    for document in documents:
        x = document["misc"]["vals"]["x"][0]
        assert store.attachments[f"ATTACH::{document['tid']}::note"] == str(x).encode()
    store.close()
