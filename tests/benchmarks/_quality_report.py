"""Figures from the results of many searches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MARKS = (25, 50, 100)


def names(optimisers: str) -> list[str]:
    """Names with commas or semicolons between; only semicolons where one has options."""
    parts = optimisers.split(";")
    return [n for part in parts for n in (part.split(",") if ":" not in part else [part])]


@dataclass(frozen=True)
class Results:
    """Incumbents by (workers, optimiser): task -> (seeds, trials) losses."""

    tasks: list[str]
    curves: dict[tuple[int, str], dict[str, np.ndarray]]
    low: dict[str, float]
    high: dict[str, float]

    @classmethod
    def load(
        cls, path: Path, tasks: list[str], optima: dict[str, float | None], optimisers: str
    ) -> Results:
        """Read a results file.

        A task's regret is 0 at its optimum (where unknown, the lowest loss that anybody
        met) and 1 at the median first loss of all searches.
        """
        raw: dict[tuple[int, str], dict[str, dict[int, list[float]]]] = {}
        first: dict[str, list[float]] = {}
        low = {t: np.inf if optima.get(t) is None else float(optima[t] or 0) for t in tasks}
        wanted = set(names(optimisers))
        for line in path.read_text().splitlines():
            r = json.loads(line)
            if r["task"] not in low:
                continue
            first.setdefault(r["task"], []).append(r["true"][0])
            if optima.get(r["task"]) is None:
                low[r["task"]] = min(low[r["task"]], *r["true"])
            if r["optimiser"] in wanted:
                by_task = raw.setdefault((r["workers"], r["optimiser"]), {})
                by_task.setdefault(r["task"], {})[r["seed"]] = r["true"]
        curves = {
            key: {t: np.array([s[k] for k in sorted(s)]) for t, s in by_task.items()}
            for key, by_task in raw.items()
        }
        high = {t: float(np.median(losses)) for t, losses in first.items()}
        return cls([t for t in tasks if t in high], curves, low, high)

    def regret(self, key: tuple[int, str], task: str, mark: int) -> np.ndarray:
        """Normalised regret after ``mark`` results, one for each seed."""
        losses = self.curves[key][task][:, mark - 1]
        return np.clip((losses - self.low[task]) / (self.high[task] - self.low[task]), 0, 1)


def wins(a: np.ndarray, b: np.ndarray) -> float:
    """Probability that a draw of ``a`` is lower than one of ``b``; ties count half."""
    d = a[:, None] - b[None, :]
    return float((d < -1e-9).mean() + 0.5 * (np.abs(d) <= 1e-9).mean())


def _interval(samples: np.ndarray) -> str:
    low, high = np.quantile(samples, [0.025, 0.975])
    return f"[{low:.2f} {high:.2f}]"


def report(results: Results, ours: str, workers: int) -> str:
    """Mean rank, regret and how ``ours`` fares against each, as text.

    Intervals are 95 % bootstraps over the tasks.
    """
    shown = [name for w, name in results.curves if w == workers]
    if (workers, ours) not in results.curves:
        return f"{workers} workers: nothing of {ours} yet"
    tasks = [t for t in results.tasks if all(t in results.curves[workers, name] for name in shown)]
    rng = np.random.default_rng(0)
    boot = rng.integers(len(tasks), size=(1000, len(tasks)))
    last = 300 if workers >= 32 else 100
    marks = MARKS if last == 100 else (*MARKS, last)
    mean = {
        (name, m): np.array([results.regret((workers, name), t, m).mean() for t in tasks])
        for name in shown
        for m in marks
    }
    final = np.array([mean[name, last] for name in shown])
    ranks = final.argsort(axis=0).argsort(axis=0) + 1.0
    lines = [f"{workers} workers, {len(tasks)} tasks"]
    head = "".join(f"{f'regret@{m}':>12}" for m in marks)
    lines.append(f"{'optimiser':34}{head}{'interval':>14}{'rank':>6}{'wins':>7}{'interval':>14}"
                 f"{'  @25':>7}{'to reach':>9}")  # fmt: skip
    for i, name in sorted(enumerate(shown), key=lambda pair: final[pair[0]].mean()):
        won, early, reach = _against(results, ours, name, workers, tasks, last)
        lines.append(
            f"{name:34}"
            + "".join(f"{mean[name, m].mean():12.4f}" for m in marks)
            + f"{_interval(mean[name, last][boot].mean(axis=1)):>14}{ranks[i].mean():6.2f}"
            + f"{won.mean():7.2f}{_interval(won[boot].mean(axis=1)):>14}{early:7.2f}{reach:9.0f}"
        )
    lines += ["", "regret by task: " + " ".join(shown)]
    for j, t in enumerate(tasks):
        lines.append(f"{t:24}" + "".join(f"{final[i][j]:9.4f}" for i in range(len(shown))))
    return "\n".join(lines)


def _against(
    results: Results, ours: str, peer: str, workers: int, tasks: list[str], last: int
) -> tuple[np.ndarray, float, float]:
    won, early, reach = [], [], []
    for t in tasks:
        a, b = results.curves[workers, ours][t], results.curves[workers, peer][t]
        won.append(wins(a[:, last - 1], b[:, last - 1]))
        early.append(wins(a[:, 24], b[:, 24]))
        reached = np.flatnonzero(np.median(a, axis=0) <= np.median(b[:, last - 1]) + 1e-9)
        reach.append(reached[0] + 1 if len(reached) else 2 * last)
    return np.array(won), float(np.mean(early)), float(np.median(reach))
