"""How well searches end by themselves: what the rules of early_stop save, and what they miss.

    python -m tests.benchmarks.stopping run --tasks odd --seeds 5
    python -m tests.benchmarks.stopping report --tasks odd

The tasks are those of the quality benchmark: synthetic ones, and models of scikit-learn on its
data, whose losses are computed once, which takes minutes.

Each search makes 200 trials. Every rule is asked after each of them, as fmin would, and when it
first says so is when it would have ended the search; so one search judges all rules. What is
missed is how much better the best trial of 200 is than that one's, without noise: as a share of
what was gained, from the median of the first 20 losses to the best, and of its own magnitude.

Constants are chosen on the even tasks and judged on the odd ones.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from sparktuner import Trials, fmin, hp
from sparktuner.early_stop import expected_gain, no_progress_loss, regret_bound
from tests.benchmarks._quality_optimisers import hp_space
from tests.benchmarks._quality_sklearn import sklearn_tasks
from tests.benchmarks._quality_tasks import SYNTHETIC, Task, Values

BEGIN = datetime(2000, 1, 1, tzinfo=timezone.utc)
TRIALS = 200
FIRST = 20
# For expected_gain a trial takes one second: ten of them for a percent.
RULES: dict[str, Callable[[], Any]] = {
    "regret_bound(1)": regret_bound,
    "regret_bound(5)": partial(regret_bound, 5),
    "no_progress_loss(20)": no_progress_loss,
    "no_progress_loss(50)": partial(no_progress_loss, 50),
    "no_progress_loss(100)": partial(no_progress_loss, 100),
    "expected_gain(10)": partial(expected_gain, 10.0),
}


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=("run", "report"))
    parser.add_argument("--algorithms", default="atpe")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--tasks", default="all", help="all, even, odd, or names with commas")
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache/sparktuner-quality")
    args = parser.parse_args()
    file = args.folder / "stopping.jsonl"
    every = (*SYNTHETIC, *sklearn_tasks(args.folder / "tables"))
    halves = {"all": every, "even": every[::2], "odd": every[1::2]}
    names = args.tasks.split(",")
    tasks = halves.get(args.tasks) or [task for task in every if task.name in names]
    if args.command == "report":
        sys.stdout.write(report(file, {task.name for task in tasks}))
        return
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    with file.open("a") as results:
        for seed, algorithm, task in product(seeds, args.algorithms.split(","), tasks):
            results.write(json.dumps(searched(task, algorithm, seed)) + "\n")
            results.flush()


def searched(task: Task, algorithm: str, seed: int) -> dict[str, Any]:
    """One search, and after how many trials each rule would have ended it."""
    rng = np.random.default_rng([seed, crc32(task.name.encode())])
    rules = {name: make() for name, make in RULES.items()}
    answers: dict[str, Any] = {name: (False, []) for name in rules}
    ended: dict[str, int] = {}
    seconds: dict[str, float] = defaultdict(float)
    true: list[float] = []

    def objective(params: dict[str, Any]) -> float:
        true.append(task.loss(flat(params)))
        return true[-1] + task.noise * float(rng.normal())

    def asked(trials: Trials, *args: Any) -> tuple[bool, list[Any]]:
        clock = BEGIN + timedelta(seconds=len(true))
        trials.trials[-1]["misc"]["execution"].update(started=clock, duration=1.0)
        for name in rules.keys() - ended.keys():
            start = time.perf_counter()
            answers[name] = rules[name](trials, *answers[name][1])
            seconds[name] += time.perf_counter() - start
            if answers[name][0]:
                ended[name] = len(trials.trials)
        return False, []

    trials = Trials()
    fmin(
        objective, hp_space(task.space, hp, None),
        importlib.import_module(f"sparktuner.{algorithm}").suggest, TRIALS,
        trials=trials, rstate=seed, early_stop_fn=asked, verbose=False,
    )  # fmt: skip
    losses = np.array([float(trial["result"]["loss"]) for trial in trials.trials])
    best = [int(losses[: n + 1].argmin()) for n in range(TRIALS)]
    return {
        "task": task.name,
        "algorithm": algorithm,
        "seed": seed,
        "first": float(np.median(true[:FIRST])),
        "best": [true[i] for i in best],
        "ended": ended,
        "ms": {name: 1000 * s / ended.get(name, TRIALS) for name, s in seconds.items()},
    }


def flat(params: dict[str, Any]) -> Values:
    """What the objective receives, as the tasks want it: {label: value}, choices by index."""
    values: Values = {}
    for label, value in params.items():
        if isinstance(value, dict):
            values[label] = value["option"]
            values |= flat({k: v for k, v in value.items() if k != "option"})
        else:
            values[label] = value
    return values


def report(path: Path, tasks: set[str]) -> str:
    """Returns a table of the rules, over all searches and by task."""
    found = [json.loads(line) for line in path.read_text().splitlines()]
    found = [search for search in found if search["task"] in tasks]
    lines = []
    for name in RULES:
        lines.append(f"{name:22s} {summary(name, found)}\n")
    for name in [*RULES][:2]:
        lines.append(f"\n{name}, by task\n")
        for task in dict.fromkeys(search["task"] for search in found):
            of_task = [search for search in found if search["task"] == task]
            lines.append(f"  {task:20s} {summary(name, of_task)}\n")
    return "".join(lines)


def summary(rule: str, searches: Iterable[dict[str, Any]]) -> str:
    """Returns what a rule saved of the trials and missed of the gain, in one line."""
    saved, missed, relative, cost = [], [], [], []
    for search in searches:
        ended = search["ended"].get(rule, TRIALS)
        best, final = search["best"][ended - 1], search["best"][-1]
        saved.append(1 - ended / TRIALS)
        missed.append((best - final) / max(search["first"] - final, 1e-300))
        relative.append((best - final) / max(abs(final), 1e-300))
        cost.append(search["ms"].get(rule, 0.0))
    share = np.mean(np.array(missed) <= 0.01)
    return (
        f"n={len(saved):3d}  saved {np.mean(saved):4.0%}  within 1 % of the gain {share:4.0%}, "
        f"of the best {np.mean(np.array(relative) <= 0.01):4.0%}  "
        f"missed at most {max(missed):6.1%}  {np.mean(cost):4.1f} ms"
    )


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
