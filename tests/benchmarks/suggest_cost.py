"""What one suggestion costs: sparktuner, and its peers where an interpreter has them.

    python tests/benchmarks/suggest_cost.py --peer-python PEERS/bin/python

Milliseconds a suggestion (the median of several) after so many finished trials, eight
pending, on a flat space of 10 parameters, conditional ones of 30 and 238, and one with a choice
of 50,000 options. Optimisers take turns
at each size, so that a busy machine is busy for all of them; hyperopt is left out where it
would take minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks._quality_optimisers import load, make  # noqa: E402
from tests.benchmarks._quality_tasks import Space, Values  # noqa: E402

OPTIMISERS = ("tpe", "atpe", "anneal", "hyperopt-tpe", "optuna-tpe", "optuna-mvtpe")
SIZES = (100, 1_000, 10_000, 50_000)
# Beyond these a peer takes minutes to fill or to ask.
LIMITS = {"hyperopt-tpe": 10_000, "optuna-tpe": 10_000, "optuna-mvtpe": 10_000}


def flat() -> Space:
    """10 parameters of all kinds."""
    return {
        **{f"u{i}": ("uniform", 0.0, 1.0) for i in range(4)},
        **{f"l{i}": ("loguniform", 1e-4, 1.0) for i in range(2)},
        "i": ("int", 1, 30),
        "s": ("step", 0.0, 8.0, 0.5),
        "c": ("choice", [{}, {}, {}]),
        "d": ("choice", [{}, {}]),
    }


def conditional() -> Space:
    """30 parameters, of which 18 are active at a time."""

    def branch(name: str) -> Space:
        return {
            f"{name}u": ("uniform", 0.0, 1.0),
            f"{name}l": ("loguniform", 1e-4, 1.0),
            f"{name}i": ("int", 1, 30),
        }

    choices = {f"m{i}": ("choice", [branch(f"{i}a"), branch(f"{i}b")]) for i in range(4)}
    return {**choices, "z": ("uniform", 0.0, 1.0), "y": ("choice", [{}, {}, {}])}


def wide() -> Space:
    """238 parameters, of which 136 are active at a time on average (as many parameters as the
    space of Bergstra, Yamins, Cox, 2013)."""

    def on(i: int) -> Space:
        return {f"u{i}": ("uniform", 0.0, 1.0), f"i{i}": ("int", 1, 30)}

    def off(i: int) -> Space:
        return {
            f"l{i}": ("loguniform", 1e-4, 1.0),
            f"c{i}": ("choice", [{}, {}, {}]),
            f"v{i}": ("uniform", -1.0, 1.0),
            f"s{i}": ("step", 0.0, 8.0, 0.5),
        }

    return {f"m{i}": ("choice", [on(i), off(i)]) for i in range(34)}


def long_choice() -> Space:
    """One choice of 50,000 options among 3 parameters."""
    return {
        "c": ("choice", [{} for _ in range(50_000)]),
        "u": ("uniform", 0.0, 1.0),
        "l": ("loguniform", 1e-4, 1.0),
    }


SPACES = {
    "flat 10": flat(),
    "conditional 30": conditional(),
    "wide 238": wide(),
    "50,000 options": long_choice(),
}


def draw(space: Space, rng: np.random.Generator) -> Values:
    """A random configuration."""
    values: Values = {}
    for label, (kind, *args) in space.items():
        if kind == "choice":
            values[label] = int(rng.integers(len(args[0])))
            values |= draw(args[0][values[label]], rng)
        elif kind == "int":
            values[label] = int(rng.integers(args[0], args[1] + 1))
        elif kind == "step":
            low, high, q = args
            values[label] = float(low + q * rng.integers(round((high - low) / q) + 1))
        elif kind == "loguniform":
            values[label] = float(math.exp(rng.uniform(*map(math.log, args))))
        else:
            values[label] = float(rng.uniform(*args))
    return values


def measure(optimiser: str, space: Space, size: int, repeats: int) -> list[float]:
    """Milliseconds of each suggestion, each after one more result."""
    rng = np.random.default_rng(size)
    configurations = [draw(space, rng) for _ in range(size)]
    losses = [
        float(sum(math.sin(3 * float(v)) for v in c.values()) + rng.normal())
        for c in configurations
    ]
    asked = make(optimiser, space, seed=1)
    load(asked, configurations, losses)
    waiting = [asked.ask() for _ in range(8)]
    milliseconds = []
    for _ in range(repeats):
        asked.tell(waiting.pop(0)[0], float(rng.normal()))
        start = time.perf_counter()
        waiting.append(asked.ask())
        milliseconds.append(1e3 * (time.perf_counter() - start))
    return milliseconds


def main() -> None:
    """Parse the command line, or serve one measurement to the parent process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer-python", help="interpreter that has hyperopt and optuna")
    parser.add_argument("--optimisers", default=",".join(OPTIMISERS))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        optimiser, space, size, repeats = json.loads(args.serve)
        sys.stdout.write(json.dumps(measure(optimiser, SPACES[space], size, repeats)) + "\n")
        return
    for space in SPACES:
        for size in map(int, args.sizes.split(",")):
            for optimiser in args.optimisers.split(","):
                peer = optimiser.startswith(("hyperopt", "optuna"))
                if (peer and not args.peer_python) or size > LIMITS.get(optimiser, size):
                    continue
                python = args.peer_python if peer else sys.executable
                found = statistics.median(_run(python, optimiser, space, size, args.repeats))
                sys.stdout.write(f"{space:15} {size:7,} {optimiser:14} {found:9.2f} ms\n")
                sys.stdout.flush()


def _run(python: str, *job: object) -> list[float]:
    command = [python, str(Path(__file__)), "--serve", json.dumps(job)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    milliseconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return milliseconds


if __name__ == "__main__":
    main()
