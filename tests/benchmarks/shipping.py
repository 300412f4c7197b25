"""What an objective with large data costs on its way to the workers, and what is left of it.

Run by hand, on Linux, from the project's root; takes about two minutes:

    python -m tests.benchmarks.shipping
    python -m tests.benchmarks.shipping --kind connect --mb 64

On ``local[4]``, classic and Connect: a search of 8 trials whose objective captures that many
megabytes. Printed are the time from the call of ``fmin`` to its first result and to its end, the
driver's (this process's) and the JVM's peak memory above what they took before, as multiples of
the data, and what is left after the search: memory of both, and files. In the JVM's figures is
what its collector has not been asked to free yet.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparktuner import SparkTrials, fmin, hp, rand
from sparktuner.testing import local_spark

MB = 2**20


def memory(pid: int, field: str) -> float:
    """A field of ``/proc/<pid>/status`` (``VmRSS``, or ``VmHWM`` for the peak) in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def reset_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def jvm() -> int:
    """The process id of the JVM that this process started."""
    command = ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())]
    children = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[0]) for line in children.splitlines() if "java" in line)


def files_mb(folder: str, at_least: int) -> float:
    """The size of the large files below a folder."""
    sizes = [path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()]
    return sum(size for size in sizes if size >= at_least) / MB


def search(session: Any, objective: Callable[[Any], float], trials: int) -> tuple[float, float]:
    """The seconds to the first result, and to the end."""
    tried = SparkTrials(parallelism=4, spark_session=session)
    first: list[float] = []
    start = time.perf_counter()

    def look(known: Any, *args: Any) -> tuple[bool, list[Any]]:
        first.append(time.perf_counter() - start)
        return False, []

    fmin(objective, hp.uniform("x", 0, 1), rand.suggest, trials, trials=tried, rstate=1,
         early_stop_fn=look, verbose=False)  # fmt: skip
    assert tried.count_successful_trials() == trials
    return first[0], time.perf_counter() - start


def objective_with(data: bytes) -> Callable[[Any], float]:
    return lambda x: float(x) + data[0] + len(data)


def run_kind(kind: str, size_mb: int, folder: str) -> None:
    settings = {
        "spark.local.dir": folder,
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder}",
    }
    with local_spark(4, connect=kind == "connect", **settings) as session:
        search(session, objective_with(b"x"), 4)
        pids = {"driver": os.getpid(), "JVM": jvm()}
        before = {name: memory(pid, "VmRSS") for name, pid in pids.items()}
        data = os.urandom(size_mb * MB)
        for pid in pids.values():
            reset_peak(pid)
        first, took = search(session, objective_with(data), 8)
        print(f"{kind}: {size_mb} MB; first result after {first:.1f} s, end after {took:.1f} s")
        peaks = {name: memory(pid, "VmHWM") for name, pid in pids.items()}
        del data
        gc.collect()
        for name, pid in pids.items():
            peak = (peaks[name] - before[name]) / size_mb
            left = (memory(pid, "VmRSS") - before[name]) / size_mb
            print(f"  {name:<7} peak {peak:5.2f} times the data, left {left:5.2f} times")
        print(f"  files   left {files_mb(folder, size_mb * MB) / size_mb:5.2f} times the data")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", nargs="+", choices=["classic", "connect"])
    parser.add_argument("--mb", type=int, default=200)
    options = parser.parse_args()
    kinds = options.kind or ["classic", "connect"]
    if len(kinds) > 1:
        for kind in kinds:  # a process has sessions of one kind only
            arguments = ["--mb", str(options.mb), "--kind", kind]
            subprocess.run([sys.executable, "-m", __spec__.name, *arguments], check=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        run_kind(kinds[0], options.mb, folder)


if __name__ == "__main__":
    main()
