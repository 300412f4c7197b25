"""How fast large attachments come from the workers, and how much memory they take on their way.

Run by hand, on Linux, from the project's root; takes about a minute:

    python -m tests.benchmarks.attachments
    python -m tests.benchmarks.attachments --kind connect --mb 1024

On ``local[2]``, classic and Connect, whose JVM has a heap of 512 MB: a search of two trials at a
time that each attach a file of that many megabytes, into a store of files. Printed are the time
that a megabyte takes and the driver's (this process's) and the JVM's peak memory above what they
took before. It fails where the driver's is 100 MB or more, or a file does not come back whole.
With ``--small`` the same for that many trials that attach a kilobyte, against as many that
attach nothing, taking turns.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sparktuner import SparkTrials, current_trial, fmin, hp, rand
from sparktuner.testing import local_spark
from tests.benchmarks.shipping import MB, jvm, memory, reset_peak

MOST_DRIVER_MB = 100


def search(session: Any, objective: Any, trials: int, store: str | None = None) -> SparkTrials:
    tried = SparkTrials(parallelism=2, spark_session=session, store=store)
    fmin(
        objective,
        hp.uniform("x", 0, 1),
        rand.suggest,
        trials,
        trials=tried,
        rstate=1,
        verbose=False,
    )
    return tried


def attaches_file(size_mb: int, folder: str) -> Any:
    def objective(x: float) -> dict[str, Any]:
        path = os.path.join(folder, f"of trial {current_trial().tid}")
        digest = hashlib.sha256()
        with open(path, "wb") as file:
            for _ in range(size_mb):
                piece = os.urandom(MB)
                digest.update(piece)
                file.write(piece)
        current_trial().attach("model", path)
        os.unlink(path)
        return {"status": "ok", "loss": x, "sha256": digest.hexdigest()}

    return objective


def attaches_bytes(size: int) -> Any:
    def objective(x: float) -> float:
        if size:
            current_trial().attach("note", bytes(size))
        return x

    return objective


def check_whole(trials: SparkTrials) -> None:
    for document in trials.trials:
        digest = hashlib.sha256()
        with trials.trial_attachments(document).open("model") as stream:
            while piece := stream.read(MB):
                digest.update(piece)
        assert digest.hexdigest() == document["result"]["sha256"], document["tid"]


def large(kind: str, session: Any, size_mb: int, folder: str) -> None:
    # What both need in any case: a search, and a file that takes two pieces.
    search(session, attaches_file(20, folder), 2, f"file://{folder}/before")
    pids = {"driver": os.getpid(), "JVM": jvm()}
    before = {name: memory(pid, "VmRSS") for name, pid in pids.items()}
    for pid in pids.values():
        reset_peak(pid)
    start = time.perf_counter()
    trials = search(session, attaches_file(size_mb, folder), 2, f"file://{folder}/store")
    took = time.perf_counter() - start
    peaks = {name: memory(pid, "VmHWM") - before[name] for name, pid in pids.items()}
    print(f"{kind}: 2 files of {size_mb} MB in {took:.1f} s, {2 * size_mb / took:.0f} MB/s")
    for name, peak in peaks.items():
        print(f"  {name:<7} peak {peak:5.0f} MB above what it took before")
    check_whole(trials)
    left = [path for path in Path(folder).rglob("*") if "sparktuner-left" in path.name]
    assert not left, left
    assert peaks["driver"] < MOST_DRIVER_MB, peaks


def small(kind: str, session: Any, trials: int) -> None:
    took: dict[int, list[float]] = {0: [], 1024: []}
    for turn in range(10):
        for size in list(took)[:: 1 if turn % 2 else -1]:
            start = time.perf_counter()
            search(session, attaches_bytes(size), trials)
            if turn:  # the first is the warm-up
                took[size].append(time.perf_counter() - start)
    nothing, kilobyte = (statistics.median(times) for times in took.values())
    print(f"{kind}: {trials} trials in {nothing:.2f} s, that attach 1 kB in {kilobyte:.2f} s")


def run_kind(kind: str, options: argparse.Namespace, folder: str) -> None:
    settings = {
        "spark.local.dir": folder,
        "spark.driver.memory": "512m",
        "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder}",
    }
    with local_spark(2, connect=kind == "connect", **settings) as session:
        if options.small:
            small(kind, session, options.small)
        else:
            large(kind, session, options.mb, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", nargs="+", choices=["classic", "connect"])
    parser.add_argument("--mb", type=int, default=200)
    parser.add_argument(
        "--small", type=int, default=0, help="so many trials, each with a kilobyte"
    )
    options = parser.parse_args()
    kinds = options.kind or ["classic", "connect"]
    if len(kinds) > 1:
        for kind in kinds:  # a process has sessions of one kind only
            arguments = ["--mb", str(options.mb), "--small", str(options.small), "--kind", kind]
            subprocess.run([sys.executable, "-m", __spec__.name, *arguments], check=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        run_kind(kinds[0], options, folder)


if __name__ == "__main__":
    main()
