"""How good suggestions are: sparktuner, hyperopt and Optuna on synthetic and real tasks.

    python tests/benchmarks/quality.py run --peer-python PEERS/bin/python --seeds 10
    python tests/benchmarks/quality.py report --ours tpe

``run`` appends to a results file and skips what is in it, so it may be stopped at any time.
Whatever is tuned with it is to be chosen on some tasks and judged on the others:
``report --tasks even`` and ``--tasks odd`` split the list in two halves, and the report by
task shows what one task alone contributes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks._quality_report import Results, names, report  # noqa: E402
from tests.benchmarks._quality_sklearn import sklearn_tasks  # noqa: E402
from tests.benchmarks._quality_tasks import SYNTHETIC  # noqa: E402

PEERS = ("hyperopt-rand", "hyperopt-tpe", "hyperopt-anneal", "optuna-tpe", "optuna-mvtpe")
OURS = ("tpe", "atpe", "anneal")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=("run", "report"))
    parser.add_argument("--peer-python", help="interpreter that has hyperopt and optuna")
    parser.add_argument("--optimisers", default=",".join((*OURS, *PEERS)), help="; or , separated")
    parser.add_argument("--ours", default="tpe", help="the optimiser compared with all others")
    parser.add_argument("--workers", default="1,8,32")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--tasks", default="all", help="all, even, odd, or names with commas")
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache/sparktuner-quality")
    args = parser.parse_args()
    tasks = (*SYNTHETIC, *sklearn_tasks(args.folder / "tables"))
    chosen = _selected([task.name for task in tasks], args.tasks)
    if args.command == "run":
        _run(args, chosen)
        return
    optima = {task.name: task.optimum for task in tasks}
    results = Results.load(args.folder / "results.jsonl", chosen, optima, args.optimisers)
    for workers in map(int, args.workers.split(",")):
        sys.stdout.write(report(results, args.ours, workers) + "\n")


def _selected(names: list[str], which: str) -> list[str]:
    halves = {"all": names, "even": names[::2], "odd": names[1::2]}
    return halves.get(which) or which.split(",")


def _run(args: argparse.Namespace, tasks: list[str]) -> None:
    path = args.folder / "results.jsonl"
    done = set()
    if path.exists():
        for line in path.read_text().splitlines():
            done.add(_key(json.loads(line)))
    jobs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    workers = map(int, args.workers.split(","))
    for seed, k, name, task in itertools.product(seeds, workers, names(args.optimisers), tasks):
        trials = 300 if k >= 32 else 100
        job = {"optimiser": name, "task": task, "workers": k, "seed": seed, "trials": trials}
        if _key(job) not in done:
            peer = name.startswith(("hyperopt", "optuna"))
            jobs[args.peer_python if peer else sys.executable].append(job)
    for interpreter, batch in jobs.items():
        if interpreter is None:
            sys.exit("--peer-python is needed for hyperopt and optuna")
        _serve(interpreter, batch, path, args.folder / "tables")


def _key(job: dict[str, Any]) -> tuple[Any, ...]:
    return job["optimiser"], job["task"], job["workers"], job["seed"]


def _serve(interpreter: str, jobs: list[dict[str, Any]], path: Path, tables: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    command = [interpreter, "-m", "tests.benchmarks._quality_run", str(tables)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env=environment,
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("no pipes")
    with process, path.open("a") as results:
        for i, job in enumerate(jobs):
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                sys.exit(f"the runner died at {job}")
            results.write(line)
            results.flush()
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{i + 1}/{len(jobs)} {job['optimiser']:20s}")
        process.stdin.close()


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
