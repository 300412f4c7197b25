"""How long one waits for sparktuner before anything is done with it.

    python -m tests.benchmarks.imports

Each line is the quickest and the median of several new processes, in milliseconds; a process
that only starts Python is the first one. ``import sparktuner`` imports its members when they
are used, so a line uses those that a program needs; numpy and scipy are a line of their own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "python": ["-c", "pass"],
    "numpy and scipy": ["-c", "import numpy, scipy.special, scipy.stats"],
    "import sparktuner": ["-c", "import sparktuner"],
    "its fmin, hp, Trials, SparkTrials": [
        "-c",
        "from sparktuner import SparkTrials, Trials, fmin, hp, tpe",
    ],
    "numpy and scipy, then these": [
        "-c",
        "import numpy, scipy.special, scipy.stats\n"
        "from sparktuner import SparkTrials, Trials, fmin, hp, tpe",
    ],
    "sparktuner --help": ["-m", "sparktuner", "--help"],
    "sparktuner run --help": ["-m", "sparktuner", "run", "--help"],
}


def main() -> None:
    """Parse the command line, and print a line for each program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=11, help="processes of each program")
    args = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    # In turns, so that a busy machine is busy for all; the first turn fills caches.
    for turn in range(args.times + 1):
        for name, program in PROGRAMS.items():
            milliseconds = 1000 * seconds_of(program)
            if turn:
                taken[name].append(milliseconds)
    for name, each in taken.items():
        sys.stdout.write(f"{name:36s} {min(each):6.0f} {statistics.median(each):6.0f}\n")


def seconds_of(program: list[str]) -> float:
    """How long a new process takes."""
    begin = time.monotonic()
    subprocess.run([sys.executable, *program], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


if __name__ == "__main__":
    main()
